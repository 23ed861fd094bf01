import type { DeedKind, PolicyEffect, PolicyMatch, PolicyRuleText, TemplateWord } from '@hotline/protocol/policy'
import type { Risk } from '@hotline/protocol/risk'

const effects: Record<PolicyEffect, string> = { allow: 'Allow', ask: 'Ask about', deny: 'Deny' }
const deeds: Record<DeedKind, string> = {
  run: 'commands',
  edit: 'changes to files',
  read: 'reading of files',
  fetch: 'reaching the network',
  plan: 'plans of an agent',
  other: 'what nobody here knows',
}
const atMost: Record<Risk, string> = { low: 'of low risk', medium: 'of low or medium risk', high: 'of any risk' }
const atLeast: Record<Risk, string> = { low: 'of any risk', medium: 'of medium or high risk', high: 'of high risk' }

/** A rule as a person reads it, in one line; what somebody wrote stands in quotes. */
export function ruleWords({ effect, match, until }: PolicyRuleText): string {
  const subject = subjectWords(effect, match)
  const tool = match.tool === undefined ? '' : `, with the tool "${match.tool}"`
  const agent = match.agent === undefined ? '' : `, asked by "${match.agent}"`
  const end = until === undefined ? '' : `, until ${until.slice(0, '2026-01-01'.length)}`
  return `${effects[effect]} ${subject}${riskWords(effect, match.risk)}${tool}${agent}${end}`
}

/** A template as it is typed at the command line. */
export function templateText(command: readonly TemplateWord[]): string {
  return command.map((word) => (typeof word === 'string' ? quoted(word) : '{word}')).join(' ')
}

function subjectWords(effect: PolicyEffect, { does, command, path, host, input }: PolicyMatch): string {
  const parts: string[] = []
  if (command !== undefined) {
    parts.push(effect === 'allow' ? `exactly: ${templateText(command)}` : `commands with: ${templateText(command)}`)
  } else if (does !== undefined) parts.push(deeds[does])
  if (path !== undefined) parts.push(path.endsWith('/') ? `all in "${path}"` : `the file "${path}"`)
  if (host !== undefined) parts.push(`the host "${host}"`)
  if (input !== undefined) parts.push(`exactly this input (${input.slice(0, 12)})`)
  return parts.length === 0 ? 'everything' : parts.join(', ')
}

function riskWords(effect: PolicyEffect, risk: Risk | undefined): string {
  if (risk === undefined) return ''
  return ` ${effect === 'allow' ? atMost[risk] : atLeast[risk]}`
}

function quoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word
  return word.includes("'") ? `"${word}"` : `'${word}'`
}
