import type { PolicyMatch, PolicyRuleText } from '@hotline/protocol/policy'
import { isHost } from './deed.ts'
import { whyOddPath } from './path.ts'
import { whyNotRemembered } from './programs.ts'

const dayMs = 24 * 60 * 60 * 1_000

/** What is allowed lasts so many days where nobody says otherwise, and no longer than a year. */
export const allowDays = { usual: 30, most: 365 } as const

/** What allows has an end: the usual one, where the person named none. */
export function withEnd(rule: PolicyRuleText, now: string): PolicyRuleText {
  if (rule.effect !== 'allow' || rule.until !== undefined) return rule
  return { ...rule, until: new Date(Date.parse(now) + allowDays.usual * dayMs).toISOString() }
}

/** Why a rule is not taken, in sentences; empty where it is. `now`: RFC 3339, UTC. */
export function faultsOfRule(rule: PolicyRuleText, now: string): readonly string[] {
  const { effect, match, until } = rule
  const faults = [...faultsOfNames(match), ...faultsOfEnd(rule, now)]
  if (Object.values(match).every((part) => part === undefined)) {
    return [...faults, 'It would be about everything. Say what it is about.']
  }
  if (effect !== 'allow') return faults
  return [...faults, ...faultsOfAllow(match), ...(until === undefined ? ['What is allowed needs an end.'] : [])]
}

function faultsOfEnd({ effect, until }: PolicyRuleText, now: string): readonly string[] {
  if (until === undefined) return []
  const leftMs = Date.parse(until) - Date.parse(now)
  if (leftMs <= 0) return ['Its time would be over already.']
  const isLong = effect === 'allow' && leftMs > allowDays.most * dayMs
  return isLong ? [`What is allowed lasts ${allowDays.most} days at most.`] : []
}

/** Names are taken as they are written: whoever writes a pattern means something else than what would happen. */
function faultsOfNames({ tool, command, path, host }: PolicyMatch): readonly string[] {
  const [program] = command ?? []
  const faults: string[] = []
  for (const [what, text] of Object.entries({ tool, path, host, program })) {
    if (typeof text === 'string' && /[*?^$|\\]|\.\+/.test(text)) {
      faults.push(`"${text}" looks like a pattern. Rules have none: write the ${what} as it is.`)
    }
  }
  if (host !== undefined && !isHost(host)) faults.push(`"${host}" is no name of a host.`)
  if (command !== undefined && (typeof program !== 'string' || program.trim() === '')) {
    faults.push('A command begins with its program, as it is written.')
  }
  if (path !== undefined && /(?:^|\/)\.\.(?:\/|$)/.test(path))
    faults.push(`"${path}" leads upwards. Write where it leads.`)
  return faults
}

function faultsOfAllow(match: PolicyMatch): readonly string[] {
  const { command, path, host, input, does } = match
  const subjects = [command, path, host, input].filter((part) => part !== undefined)
  if (subjects.length === 0 && does !== 'plan')
    return ['It would allow too much. Name the command, the path, the host or the exact input.']
  if (does === 'plan') return ['A plan is approved by people alone.']
  if (subjects.length > 1) return ['One rule allows one thing: a command, a path, a host or an exact input.']
  const kinds = command ? ['run'] : path === undefined ? (host === undefined ? [does] : ['fetch']) : ['edit', 'read']
  const faults = does !== undefined && !kinds.includes(does) ? [`What does "${does}" never fits the rest of it.`] : []
  return [...faults, ...faultsOfCommand(command ?? []), ...faultsOfPath(path)]
}

function faultsOfCommand(command: NonNullable<PolicyMatch['command']>): readonly string[] {
  if (command.length === 0) return []
  const faults: string[] = []
  if (typeof command[1] === 'object') {
    faults.push('The word after the program says what it does: write it as it is.')
  }
  if (command.some((word) => typeof word === 'string' && /[^ -~]/.test(word))) {
    faults.push('A command that is allowed is of plain ASCII: other letters can look like these.')
  }
  const why = whyNotRemembered(command.map((word) => (typeof word === 'string' ? word : 'x')))
  return why === undefined ? faults : [...faults, `It cannot be allowed by a rule: ${why}.`]
}

function faultsOfPath(path: string | undefined): readonly string[] {
  if (path === undefined) return []
  if (/^\/+[^/]*\/?$/.test(path)) return [`"${path}" is too much of the machine.`]
  const isPlain = path === './' || (!path.includes('//') && !/(?:^|\/)\.\/|^\.$|\/\.$/.test(path))
  const odd = whyOddPath(path)
  const faults = isPlain ? [] : [`"${path}" can be written shorter. Write it so.`]
  return odd === undefined ? faults : [...faults, `It cannot be allowed by a rule: ${odd}.`]
}
