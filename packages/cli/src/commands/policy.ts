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
import type { CommandInput } from '@hotline/protocol/command'
import {
  type HeldRule,
  PolicyEffect,
  PolicyMatch,
  type PolicyPage,
  type PolicyRule,
  type PolicyRuleText,
} from '@hotline/protocol/policy'
import { type Risk, risks } from '@hotline/protocol/risk'
import { serverStream } from '@hotline/protocol/stream'
import { type Command, Option } from 'commander'
import { inLine } from '../approval-card.ts'
import type { Server } from '../ask-server.ts'
import { confirmingPassword } from '../confirm-password.ts'
import { fail } from '../failure.ts'
import { namedBy } from '../find-id.ts'
import type { CommandContext } from './context.ts'

/** Whose rules are meant. */
interface Where {
  project: string
  /** All projects: the rules of the server, in place of those of one. */
  server?: boolean
}

interface RuleOptions extends Where {
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
  withPassword?: boolean
}

interface AddOptions extends RuleOptions {
  before?: string
}

interface EditOptions extends RuleOptions {
  effect?: string
}

interface MoveOptions extends Where {
  before?: string
  last?: true
  withPassword?: boolean
}

interface TestOptions extends Where {
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
  const ofServer = (): Option => new Option('--server', 'those of the whole server, which count in every project')

  policy
    .command('ls')
    .description('the rules that count in a project, in their order')
    .addOption(ofProject())
    .addOption(ofServer())
    .action(async (where: Where) => {
      const server = context.server()
      const { rules, approvalTimeoutMs, timeouts, warnings } = await readPolicy(server, where)
      const names = await server.names()
      const lines = rules.map(
        (rule) =>
          `${lineOf(rule)}\n  ${rule.replaced ? 'edited by' : 'by'} @${inLine(names.get(rule.by.id) ?? rule.by.id)}, ${rule.at}${noteOf(rule)}\n`,
      )
      const hints = warnings.map(({ rule, why }) => `look at ${shortId(rule)}: ${why}\n`)
      const { agents } = where.server ? { agents: [] } : await server.get<{ agents: AgentRow[] }>('/api/agents')
      const own = agents.filter(({ ownRules }) => ownRules !== undefined)
      const none = 'There are no rules: a person is asked each time.\n'
      const text = [...(lines.length === 0 ? [none] : [...lines, ...hints]), ...own.map(ownText)].join('')
      context.print({ rules, approvalTimeoutMs, timeouts, warnings, own }, text)
    })

  addRuleOptions(
    policy
      .command('add')
      .description('write a rule; what denies wins, of the others the first that fits counts')
      .argument('<effect>', 'allow, ask or deny')
      .addOption(ofProject())
      .addOption(ofServer())
      .option('--before <rule>', 'stands before this one, and not after all'),
  ).action(async (effect: string, options: AddOptions) => {
    const { note } = options
    const before = options.before === undefined ? undefined : await findRule(context.server(), options, options.before)
    await writeRule(context, options, {
      effect: effectOf(effect),
      match: matchOf(options),
      until: endOf(options.days),
      note,
      before: before?.rule,
    })
  })

  addRuleOptions(
    policy
      .command('edit')
      .description('write a rule in the place of another: only what is named changes, and "" takes it away')
      .argument('<rule>', 'id, or the beginning of it')
      .addOption(ofProject())
      .addOption(ofServer())
      .option('--effect <effect>', 'allow, ask or deny'),
  ).action(async (text: string, options: EditOptions) => {
    const old = await findRule(context.server(), options, text)
    await writeRule(context, options, { ...editedRule(old, options), replaces: old.rule })
  })

  policy
    .command('move')
    .description('put a rule before another, or after all others; of those that do not deny the first that fits counts')
    .argument('<rule>', 'id, or the beginning of it')
    .addOption(ofProject())
    .addOption(ofServer())
    .option('--before <rule>', 'stands before this one then')
    .option('--last', 'stands after all others then')
    .option('--with-password', 'read your password from standard input')
    .action(async (text: string, options: MoveOptions) => {
      const server = context.server()
      if ((options.before === undefined) === (options.last === undefined))
        throw fail('invalid_request', 'Say where to: --before <rule>, or --last.')
      const { rule } = await findRule(server, options, text)
      const before = options.before === undefined ? null : (await findRule(server, options, options.before)).rule
      await confirmingPassword(context, options.withPassword ? 'standard input' : 'terminal', () =>
        server.command(streamOf(options), 'policy.move_rule', { rule, before }),
      )
      const { rules } = await readPolicy(server, options)
      context.print({ rules }, rules.map((one) => `${lineOf(one)}\n`).join(''))
    })

  policy
    .command('revoke')
    .description('take a rule away')
    .argument('<rule>', 'id, or the beginning of it')
    .addOption(ofProject())
    .addOption(ofServer())
    .option('--with-password', 'read your password from standard input')
    .action(async (text: string, options: Where & { withPassword?: boolean }) => {
      const server = context.server()
      const { rule, effect } = await findRule(server, options, text)
      const accepted = await confirmingPassword(context, options.withPassword ? 'standard input' : 'terminal', () =>
        server.command(streamOf(options), 'policy.revoke_rule', { rule, effect }),
      )
      context.print(accepted, 'revoked\n')
    })

  policy
    .command('timeout')
    .description('how long people have to answer an approval; after that nobody has, and the agent is told so')
    .argument('[time]', 'from 1m to 30d, or "default"; absent: says how long it is')
    .addOption(ofProject())
    .addOption(ofServer())
    .addOption(new Option('--risk <risk>', 'only of what is of this risk').choices([...risks]))
    .option('--with-password', 'read your password from standard input')
    .action(async (text: string | undefined, options: Where & { risk?: Risk; withPassword?: boolean }) => {
      const server = context.server()
      if (text !== undefined) {
        const { risk, withPassword } = options
        const ms = text === 'default' ? null : readAmount('timeMs', text)
        if (ms === undefined) throw fail('invalid_request', `It takes a time such as 30m or 8h, not "${text}".`)
        const data = { approvalTimeoutMs: ms, ...(risk === undefined ? {} : { risk }) }
        await confirmingPassword(context, withPassword ? 'standard input' : 'terminal', () =>
          server.command(streamOf(options), 'policy.set_timeout', data),
        )
      }
      const { approvalTimeoutMs, timeouts } = await readPolicy(server, options)
      context.print({ approvalTimeoutMs, timeouts }, timeoutLines(approvalTimeoutMs, timeouts))
    })

  policy
    .command('test')
    .description('what the rules would say of a request, and which rule would allow it; nothing is written')
    .argument('[command]', 'a command, as an agent would run it')
    .addOption(ofProject())
    .addOption(ofServer())
    .option('--agent <name>', 'the name of its profile', 'claude')
    .option('--tool <name>', 'of the agent (default: the one that runs commands)')
    .option('--input <json>', 'the exact input of that tool, in place of a command')
    .option('--folder <folder>', 'the folder of the session', '.')
    .action(async (command: string | undefined, options: TestOptions) => {
      const { rules } = await readPolicy(context.server(), options)
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

function addRuleOptions(command: Command): Command {
  return command
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
    .option(
      '--days <days>',
      'how long it counts from now (30 for what allows, where nothing is said; for ever otherwise)',
    )
    .option('--note <text>', 'why; an agent that is denied something is told')
    .option('--with-password', 'read your password from standard input')
}

/** Writes it and says what stands there then, with what its writer may not have meant. */
async function writeRule(
  context: CommandContext,
  options: RuleOptions,
  rule: CommandInput<'policy.set_rule'>,
): Promise<void> {
  const server = context.server()
  const accepted = await confirmingPassword(context, options.withPassword ? 'standard input' : 'terminal', () =>
    server.command(streamOf(options), 'policy.set_rule', rule),
  )
  const { rules, warnings } = await readPolicy(server, options)
  const written = rules.find((one) => one.rule === accepted.id)
  for (const { why } of warnings.filter((one) => one.rule === accepted.id)) context.note(`Look at it again: ${why}`)
  context.print(written ?? accepted, written ? `${lineOf(written)}\n` : 'written, and gone again already\n')
}

/** What the rule becomes: what is not named stays, its end as well; an empty text takes a part away. */
function editedRule({ effect, match, until, note }: PolicyRule, options: EditOptions): PolicyRuleText {
  const { effect: said, days, note: why } = options
  const { agent, tool, does, command, path, host, input, risk } = options
  const named = Object.entries({ agent, tool, does, command, path, host, input, risk }).filter(
    ([, value]) => value !== undefined,
  )
  if (named.length === 0 && [said, days, why].every((option) => option === undefined)) {
    throw fail('invalid_request', 'Say what shall be different. See: hotline policy edit --help')
  }
  const given = named.filter(([, value]) => value !== '')
  const kept = Object.entries(match).filter(([name]) => !named.some(([other]) => other === name))
  return {
    effect: said === undefined ? effect : effectOf(said),
    match: { ...Object.fromEntries(kept), ...matchOf(Object.fromEntries(given)) },
    until: days === undefined ? until : days === '' ? undefined : endOf(days),
    note: why === undefined ? note : why === '' ? undefined : why,
  }
}

function effectOf(text: string): PolicyEffect {
  const read = PolicyEffect.safeParse(text)
  if (!read.success) throw fail('invalid_request', `A rule can allow, ask or deny, not "${text}".`)
  return read.data
}

/** One line where all have the same time; otherwise one more for each risk that differs. */
function timeoutLines(usualMs: number, timeouts: PolicyPage['timeouts']): string {
  const ofRisks = risks.flatMap((risk) => {
    const ms = timeouts?.counts[risk] ?? usualMs
    return ms === usualMs ? [] : [`  ${risk} risk: ${elapsedText(ms)}\n`]
  })
  return [`People have ${elapsedText(usualMs)} to answer an approval.\n`, ...ofRisks].join('')
}

function streamOf({ project, server }: Where): string {
  return server ? serverStream : `project:${project}`
}

function readPolicy(server: Server, { project, server: isOfServer }: Where): Promise<PolicyPage> {
  return server.get<PolicyPage>(isOfServer ? '/api/policy' : `/api/projects/${encodeURIComponent(project)}/policy`)
}

async function findRule(server: Server, where: Where, text: string): Promise<PolicyRule> {
  const { rules } = await readPolicy(server, where)
  const [only, another] = namedBy(text, rules, ({ rule }) => rule)
  if (!only) {
    const now = rules.find(({ replaced }) => replaced?.some((past) => past.startsWith(text)))
    if (now) throw fail('already_resolved', `That rule was replaced. In its place stands: ${lineOf(now)}`)
    throw fail('not_found', `No rule begins with "${text}". See: hotline policy ls`)
  }
  if (only.of === 'server' && !where.server) {
    throw fail('invalid_request', `"${text}" is a rule of the server. Give --server to change those.`)
  }
  if (another) throw fail('invalid_request', `Several rules begin with "${text}". Give more of the id.`)
  return only
}

function matchOf({ agent, tool, does, command, path, host, input, risk }: Partial<RuleOptions>): PolicyMatch {
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

/** RFC 3339, UTC. */
function endOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw fail('invalid_request', `--days takes a whole number, not "${text}".`)
  return new Date(Date.now() + Number(text) * dayMs).toISOString()
}

/** What an agent keeps itself on a machine; it is changed there. */
function ownText({ name, runner, ownRules }: AgentRow): string {
  const { file, rules, more } = ownRules ?? { file: '', rules: [], more: 0 }
  const lines = rules.map(({ effect, text }) => `  ${effect} ${inLine(text)}\n`)
  const rest = more > 0 ? [`  and ${more} more\n`] : []
  return [`${inLine(name)} on ${inLine(runner)}, ${inLine(file)}: ${ownRulesLead}\n`, ...lines, ...rest].join('')
}

/** As the runner of this machine would see it: with where links lead. */
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

function lineOf(rule: HeldRule): string {
  const whose = rule.of === 'server' ? ' (of the server)' : ''
  return `${shortId(rule.rule)}  ${inLine(ruleWords(rule))}${whose}`
}

function noteOf({ note }: PolicyRule): string {
  return note === undefined ? '' : `: ${inLine(note)}`
}

function shortId(rule: string): string {
  return rule.slice(0, shownIdChars)
}
