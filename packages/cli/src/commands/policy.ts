import { realpathSync } from 'node:fs'
import { readAmount } from '@hotline/core/budget-words'
import { elapsedText } from '@hotline/core/elapsed'
import type { PolicyRequest } from '@hotline/core/policy/deed'
import { ownRulesLead } from '@hotline/core/policy/own-rules-words'
import type { AgentRow } from '@hotline/protocol/http'
import { evaluate } from '@hotline/core/policy/evaluate'
import { readTemplate } from '@hotline/core/policy/read-template'
import { ruleFor } from '@hotline/core/policy/rule-for'
import { ruleWords } from '@hotline/core/policy/rule-words'
import { openedPaths } from '@hotline/runner/supervisor/opened-paths'
import { sha256 } from '@hotline/runner/sha256'
import { PolicyMatch, type PolicyPage, type PolicyRule } from '@hotline/protocol/policy'
import { type Command, Option } from 'commander'
import { inLine } from '../approval-card.ts'
import type { Server } from '../ask-server.ts'
import { confirmingPassword } from '../confirm-password.ts'
import { fail } from '../failure.ts'
import { namedBy } from '../find-id.ts'
import type { CommandContext } from './context.ts'

interface AddOptions {
  project: string
  agent?: string
  tool?: string
  does?: string
  command?: string
  path?: string
  host?: string
  input?: string
  risk?: string
  days?: string
  note?: string
  before?: string
  withPassword?: boolean
}

interface TestOptions {
  project: string
  agent: string
  tool?: string
  input?: string
  folder: string
}

const dayMs = 24 * 60 * 60 * 1_000
const shownIdChars = 13

/** `policy`: the rules that answer agents in place of people. */
export function addPolicyCommand(program: Command, context: CommandContext): void {
  const policy = program.command('policy').description('rules that allow, ask or deny what agents want to do')
  const ofProject = (): Option => new Option('--project <project>', 'id of the project').default('default')

  policy
    .command('ls')
    .description('the rules of a project, in their order')
    .addOption(ofProject())
    .action(async ({ project }: { project: string }) => {
      const server = context.server()
      const { rules, approvalTimeoutMs, warnings } = await readPolicy(server, project)
      const names = await server.names()
      const lines = rules.map(
        (rule) => `${lineOf(rule)}\n  by @${inLine(names.get(rule.by.id) ?? rule.by.id)}, ${rule.at}${noteOf(rule)}\n`,
      )
      const hints = warnings.map(({ rule, why }) => `look at ${shortId(rule)}: ${why}\n`)
      const { agents } = await server.get<{ agents: AgentRow[] }>('/api/agents')
      const own = agents.filter(({ ownRules }) => ownRules !== undefined)
      const none = 'There are no rules: a person is asked each time.\n'
      const text = [...(lines.length === 0 ? [none] : [...lines, ...hints]), ...own.map(ownText)].join('')
      context.print({ rules, approvalTimeoutMs, warnings, own }, text)
    })

  policy
    .command('add')
    .description('write a rule; what denies wins, of the others the first that fits counts')
    .argument('<effect>', 'allow, ask or deny')
    .addOption(ofProject())
    .option('--agent <name>', 'the name of its profile')
    .option('--tool <name>', 'exactly this one')
    .option('--does <what>', 'run, edit, read, fetch or other')
    .option(
      '--command <command>',
      'allow: exactly this one, where {word} is any plain word; ask, deny: words that occur',
    )
    .option('--path <path>', 'a file, or with a slash at its end a folder; from the folder of the session, or absolute')
    .option('--host <name>', 'exactly this one')
    .option('--input <sha256>', 'of the exact input')
    .option('--risk <risk>', 'low, medium or high: allow up to it, ask and deny from it on')
    .option('--days <days>', 'how long it counts (default: 30 for what allows, for ever otherwise)')
    .option('--note <text>', 'why; an agent that is denied something is told')
    .option('--before <rule>', 'stands before this one, and not after all')
    .option('--with-password', 'read your password from standard input')
    .action(async (effect: string, options: AddOptions) => {
      if (effect !== 'allow' && effect !== 'ask' && effect !== 'deny') {
        throw fail('invalid_request', `A rule can allow, ask or deny, not "${effect}".`)
      }
      const server = context.server()
      const { project, note, withPassword } = options
      const before = options.before === undefined ? undefined : await findRule(server, project, options.before)
      const days = daysOf(options.days)
      const data = {
        effect,
        match: matchOf(options),
        ...(days === undefined ? {} : { until: new Date(Date.now() + days * dayMs).toISOString() }),
        ...(note === undefined ? {} : { note }),
        ...(before === undefined ? {} : { before: before.rule }),
      } as const
      const accepted = await confirmingPassword(context, withPassword ? 'standard input' : 'terminal', () =>
        server.command(`project:${project}`, 'policy.set_rule', data),
      )
      const { rules, warnings } = await readPolicy(server, project)
      const written = rules.find(({ rule }) => rule === accepted.id)
      for (const { why } of warnings.filter(({ rule }) => rule === accepted.id))
        context.note(`Look at it again: ${why}`)
      context.print(written ?? accepted, written ? `${lineOf(written)}\n` : 'written, and revoked already\n')
    })

  policy
    .command('revoke')
    .description('take a rule away')
    .argument('<rule>', 'id, or the beginning of it')
    .addOption(ofProject())
    .option('--with-password', 'read your password from standard input')
    .action(async (text: string, { project, withPassword }: { project: string; withPassword?: boolean }) => {
      const server = context.server()
      const { rule, effect } = await findRule(server, project, text)
      const accepted = await confirmingPassword(context, withPassword ? 'standard input' : 'terminal', () =>
        server.command(`project:${project}`, 'policy.revoke_rule', { rule, effect }),
      )
      context.print(accepted, 'revoked\n')
    })

  policy
    .command('timeout')
    .description('how long people have to answer an approval; after that nobody has, and the agent is told so')
    .argument('[time]', 'from 1m to 30d, or "default"; absent: says how long it is')
    .addOption(ofProject())
    .action(async (text: string | undefined, { project }: { project: string }) => {
      const server = context.server()
      if (text !== undefined) {
        const ms = text === 'default' ? null : readAmount('timeMs', text)
        if (ms === undefined) throw fail('invalid_request', `It takes a time such as 30m or 8h, not "${text}".`)
        await server.command(`project:${project}`, 'policy.set_timeout', { approvalTimeoutMs: ms })
      }
      const { approvalTimeoutMs } = await readPolicy(server, project)
      context.print({ approvalTimeoutMs }, timeoutLine(approvalTimeoutMs))
    })

  policy
    .command('test')
    .description('what the rules would say of a request, and which rule would allow it; nothing is written')
    .argument('[command]', 'a command, as an agent would run it')
    .addOption(ofProject())
    .option('--agent <name>', 'the name of its profile', 'claude')
    .option('--tool <name>', 'of the agent (default: the one that runs commands)')
    .option('--input <json>', 'the exact input of that tool, in place of a command')
    .option('--folder <folder>', 'the folder of the session', '.')
    .action(async (command: string | undefined, options: TestOptions) => {
      const { rules } = await readPolicy(context.server(), options.project)
      const request = await requestOf(command, options)
      const at = { now: new Date().toISOString(), sha256 }
      const said = evaluate({ rules, mode: { mode: 'ask' } }, request, at)
      const remembered = said.effect === 'ask' ? ruleFor(request, at) : undefined
      const why = said.rule === undefined ? said.why : lineOf(said.rule)
      const more = said.riskWhy.length === 0 ? '' : ` (${said.riskWhy.join('; ')})`
      const lines = [`${said.effect}: ${inLine(why)}`, `${said.risk} risk${inLine(more)}`]
      if (remembered?.ok) lines.push(`"always allow" would write: ${inLine(ruleWords(remembered.rule))}`)
      if (remembered?.ok === false) lines.push(inLine(`no rule can be made of it: ${remembered.why}`))
      context.print({ ...said, ...(remembered ? { remembered } : {}) }, `${lines.join('\n')}\n`)
    })
}

function timeoutLine(ms: number): string {
  return `People have ${elapsedText(ms)} to answer an approval.\n`
}

function readPolicy(server: Server, project: string): Promise<PolicyPage> {
  return server.get<PolicyPage>(`/api/projects/${encodeURIComponent(project)}/policy`)
}

async function findRule(server: Server, project: string, text: string): Promise<PolicyRule> {
  const { rules } = await readPolicy(server, project)
  const [only, another] = namedBy(text, rules, ({ rule }) => rule)
  if (!only) throw fail('not_found', `No rule begins with "${text}". See: hotline policy ls`)
  if (another) throw fail('invalid_request', `Several rules begin with "${text}". Give more of the id.`)
  return only
}

function matchOf({ agent, tool, does, command, path, host, input, risk }: AddOptions): PolicyMatch {
  const template = command === undefined ? undefined : readTemplate(command)
  if (template?.ok === false) throw fail('invalid_request', `--command: ${template.why}.`)
  const given = { agent, tool, does, command: template?.words, path, host, input, risk }
  const parsed = PolicyMatch.safeParse(
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  )
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw fail('invalid_request', `--${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it cannot be read'}.`)
}

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw fail('invalid_request', `--days takes a whole number, not "${text}".`)
  return Number(text)
}

/** As the runner of this machine would see it: with where links lead. */
/** What an agent keeps itself on a machine; it is changed there. */
function ownText({ name, runner, ownRules }: AgentRow): string {
  const { file, rules, more } = ownRules ?? { file: '', rules: [], more: 0 }
  const lines = rules.map(({ effect, text }) => `  ${effect} ${inLine(text)}\n`)
  const rest = more > 0 ? [`  and ${more} more\n`] : []
  return [`${inLine(name)} on ${inLine(runner)}, ${inLine(file)}: ${ownRulesLead}\n`, ...lines, ...rest].join('')
}

async function requestOf(command: string | undefined, options: TestOptions): Promise<PolicyRequest> {
  const { agent, tool = 'Bash', input = command === undefined ? undefined : JSON.stringify({ command }) } = options
  if (input === undefined)
    throw fail('invalid_request', 'Name a command, or a tool with --tool and its input with --input.')
  const request: PolicyRequest = { agent, tool, input, cwd: folderOf(options.folder) }
  return { ...request, opened: await openedPaths(request) }
}

function folderOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    throw fail('invalid_request', `There is no folder "${folder}".`)
  }
}

function lineOf(rule: PolicyRule): string {
  return `${shortId(rule.rule)}  ${inLine(ruleWords(rule))}`
}

function noteOf({ note }: PolicyRule): string {
  return note === undefined ? '' : `: ${inLine(note)}`
}

function shortId(rule: string): string {
  return rule.slice(0, shownIdChars)
}
