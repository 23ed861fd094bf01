import { readFileSync } from 'node:fs'
import { faultOfEdit } from '@hotline/core/edited-input'
import { type ApprovalRequest, Scope } from '@hotline/protocol/events/approval'
import type { SessionRow } from '@hotline/protocol/http'
import type { PolicyPage, PolicyRuleText } from '@hotline/protocol/policy'
import type { Command } from 'commander'
import { askKey } from '@hotline/core/account/ask-key'
import { readAmount } from '@hotline/core/budget-words'
import { whyOutweighed } from '@hotline/core/policy/outweighed'
import { ruleForAsked } from '@hotline/core/policy/rule-for'
import { ruleWords } from '@hotline/core/policy/rule-words'
import { type ApprovalCard, dayAndTimeOf, inLine, wordFor } from '../approval-card.ts'
import { askBack } from '../ask-back.ts'
import type { Server } from '../ask-server.ts'
import { type ExactLines, exactLines } from '../exact-lines.ts'
import { fail } from '../failure.ts'
import { decide, refuseSettled } from '../decide-approval.ts'
import { type OpenAsk, openAsks } from '../open-asks.ts'
import { answerForm } from '../question-card.ts'
import { compareDigest, type FoundApproval, readCards } from '../read-asks.ts'
import { readSnoozes } from '../read-snoozes.ts'
import { askedQuestion, readQuestions } from './answer.ts'
import type { CommandContext } from './context.ts'
import { decideSeveral } from './decide-many.ts'

interface DecideOptions {
  reason?: string
  digest?: string[]
  input?: string
  for?: string
  always?: true
}

/** What is asked, as programs read it: `digest` is what a decision has to carry. */
interface Asked {
  session: string
  approval: string
  digest: string
  strength: string
  /** As it is now: a pause moves it. */
  expiresAt: string
  /** The session is paused, and the time does not pass. */
  timeStands?: true
  /** The answers that it takes: "modify" is `approve --input`; the scopes are those of `approve --for`. */
  verdicts: readonly string[]
  scopes: readonly string[]
  request: ApprovalRequest | undefined
  /** Why it cannot be allowed. */
  unfit?: string
}

/** `asks`, `approve` and `deny`: what is decided has been read first, and the decision is bound to exactly that. */
export function addApprovalCommands(program: Command, context: CommandContext): void {
  program
    .command('asks')
    .description('what agents ask now, whole; with --json also the digest that "approve --digest" needs')
    .argument('[id]', 'of an approval, a question or a session, or the beginning of it (default: everything)')
    .action(async (text: string | undefined) => {
      const server = context.server()
      const rows = await server.sessions()
      const open = openAsks(rows, text)
      if (!open) throw fail('not_found', `Nothing that is asked and no session is called "${text}". See: hotline ls`)
      const cards = await readCards(server, open.approvals)
      const questions = await readQuestions(server, open.questions)
      const snoozed = await readSnoozes(server)
      const untilOf = (session: string, ask: string): string | undefined => snoozed.get(askKey(session, ask))
      const values = [
        ...cards.map((one) => ({ ...askedOf(one), snoozedUntil: untilOf(one.session, one.card.approval) })),
        ...questions.map((one) => ({ ...askedQuestion(one), snoozedUntil: untilOf(one.session, one.card.question) })),
      ]
      const pages = [
        ...cards.map(({ session, card }) => [...card.lines, ...snoozedLines(untilOf(session, card.approval))]),
        ...questions.map(({ session, card }) => [
          ...card.lines,
          ...snoozedLines(untilOf(session, card.question)),
          `hotline answer ${card.question}${answerForm(card.fields)}`,
        ]),
      ]
      if (context.json) for (const value of values) context.write(`${JSON.stringify(value)}\n`)
      else if (pages.length === 0) context.write('Nothing is asked now.\n')
      else
        context.write(
          [...pages, ...waitsBehind(rows, open.approvals)].map((lines) => `${lines.join('\n')}\n`).join('\n'),
        )
    })

  program
    .command('extend')
    .description('gives more time to answer an approval')
    .argument('<approval>', 'id, or the beginning of it')
    .option('--by <time>', 'from now on, such as 30m or 8h', '24h')
    .action(async (text: string, { by }: { by: string }) => {
      const ms = readAmount('timeMs', by)
      if (ms === undefined) throw fail('invalid_request', `--by takes a time such as 30m or 8h, not "${by}".`)
      const server = context.server()
      const { session, card } = await findCard(server, text)
      const until = new Date(Date.now() + ms).toISOString()
      const accepted = await server.command(`session:${session}`, 'approval.extend', { approval: card.approval, until })
      context.print(accepted, `It can be answered until ${dayAndTimeOf(until, new Date())}.\n`)
    })

  for (const [name, verdict] of [
    ['approve', 'allow'],
    ['deny', 'deny'],
  ] as const) {
    const command = program
      .command(name)
      .description(`${verdict} what agents ask; name the approvals, or the sessions where they ask only one thing`)
      .argument('<approval-or-session...>', 'ids, or the beginnings of them; several are answered each by itself')
      .option('--reason <text>', 'told to the agent where it can hear it')
      .option(
        '--digest <hex>',
        'of what was read, as "hotline --json asks" says it: decides without being asked back; one for each',
        (digest: string, before: string[] | undefined) => [...(before ?? []), digest],
      )
      .action(async (texts: string[], options: DecideOptions) => {
        const scope = scopeOf(options)
        const input = inputOf(options)
        checkAlways(options)
        const server = context.server()
        const [text = '', ...more] = texts
        const [digest] = options.digest ?? []
        if (more.length > 0) {
          if (scope !== undefined || input !== undefined || options.always)
            throw fail('invalid_request', '--input, --for and --always are for one approval; name only that.')
          const { reason, digest: digests } = options
          return await decideSeveral(context, server, texts, { verdict, reason, digests })
        }
        const { session, project, agent, card } = await findCard(server, text)
        const changed = input === undefined ? undefined : exactLines(input)
        if (input !== undefined) checkEdit(card, input)
        if (digest !== undefined) compareDigest(card, digest)
        const rule = options.always ? ruleOf(card, agent) : undefined
        const said = rule ? [...ruleLines(rule), ...(await warningLines(server, rule, { project, agent, card }))] : []
        const beside = [...changedLines(changed), ...said]
        if (digest === undefined) context.note([...card.lines, ...beside].join('\n'))
        else if (rule) context.note(said.join('\n'))
        if (verdict === 'allow') {
          if (card.unfit !== undefined) throw fail('digest_mismatch', card.unfit)
          if (digest === undefined) {
            const once = changed ? 'Allow the other one in its place?' : 'Allow exactly this?'
            await askBack(context, {
              what: rule ? 'Allow exactly this, and write the rule?' : once,
              lines: [...card.lines, ...beside],
              word: input === undefined ? card.word : wordFor(card.event, input),
              grave: (changed ?? card).grave,
              otherwise: `hotline approve ${card.approval} --digest <digest>`,
            })
          }
        }
        const accepted = await decide(server, session, {
          approval: card.approval,
          digest: card.digest,
          ...(input === undefined ? { verdict } : { verdict: 'modify', input }),
          ...(scope === undefined ? {} : { scope }),
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        })
        if (rule) {
          // Its end is the server's to set.
          const { effect, match } = rule
          const { id } = await server.command(`project:${project}`, 'policy.set_rule', { effect, match })
          return context.print({ ...accepted, rule: id }, `allowed, from now on by the rule ${id}\n`)
        }
        const done = input === undefined ? 'allowed\n' : 'allowed as changed\n'
        context.print(accepted, verdict === 'allow' ? done : 'denied\n')
      })
    if (verdict === 'deny') continue
    command
      .option('--always', 'also writes the narrowest rule of the project that allows the same again; it is shown first')
      .option('--input <file>', 'allows what this file holds in place of what was asked, where the agent can take that')
      .option(
        '--for <how-long>',
        'once, session or project: allows for longer what "for longer" says below the request',
      )
  }
}

/** That it is put aside by whoever asks, where it is. */
function snoozedLines(until: string | undefined): readonly string[] {
  return until === undefined ? [] : [`snoozed by you until ${dayAndTimeOf(until, new Date())}`]
}

/** How many come after those that are shown, where any do. */
function waitsBehind(rows: readonly SessionRow[], shown: readonly OpenAsk[]): readonly string[][] {
  const sessions = new Set(shown.map(({ session }) => session))
  const count = rows.reduce((sum, row) => sum + (sessions.has(row.session) ? row.waitingApprovals : 0), 0)
  if (count === 0) return []
  return [[`${count} more ${count === 1 ? 'waits' : 'wait'} behind these; the next comes up when one is answered.`]]
}

function checkAlways({ always, input, for: scope }: DecideOptions): void {
  if (always && input !== undefined)
    throw fail('invalid_request', 'What was changed is allowed once: --input goes without --always.')
  if (always && scope !== undefined)
    throw fail('invalid_request', 'Either the agent keeps it (--for), or a rule of the project (--always).')
}

/** The rule that would allow exactly the same again. Throws where there is none, before anything is decided. */
function ruleOf({ event }: ApprovalCard, agent: string): PolicyRuleText {
  const found = event.body
    ? ruleForAsked(event.body, agent, new Date().toISOString())
    : ({ ok: false, why: 'what it asked was erased' } as const)
  if (found.ok) return found.rule
  throw fail(
    'unsupported',
    `It cannot be allowed always: ${found.why}. Nothing was decided; without --always it can be allowed once.`,
  )
}

function ruleLines(rule: PolicyRuleText): readonly string[] {
  return ['From now on a rule of the project would allow the same:', `| ${inLine(ruleWords(rule))}`]
}

/** That the rule would not count, where another keeps it from that. */
async function warningLines(
  server: Server,
  rule: PolicyRuleText,
  { project, agent, card }: { project: string; agent: string; card: ApprovalCard },
): Promise<readonly string[]> {
  const asked = card.event.body
  if (!asked) return []
  const { rules } = await server.get<PolicyPage>(`/api/projects/${encodeURIComponent(project)}/policy`)
  const against = whyOutweighed(rule, rules, { asked, agent, now: new Date().toISOString() })
  return against === undefined ? [] : [`It would not count here. ${inLine(against)}`]
}

function scopeOf({ for: text, input }: DecideOptions): Scope | undefined {
  if (text === undefined) return undefined
  const scope = Scope.safeParse(text)
  if (!scope.success) throw fail('invalid_request', `--for takes ${Scope.options.join(', ')}.`)
  if (input !== undefined)
    throw fail('invalid_request', 'What was changed is allowed once: --input goes without --for.')
  return scope.data
}

function inputOf({ input: file }: DecideOptions): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw fail('invalid_request', `"${file}" cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** What is wrong with it is said before anybody is asked: the agent could not run it. */
function checkEdit({ input: asked }: ApprovalCard, edited: string): void {
  const fault = asked === undefined ? undefined : faultOfEdit(asked, edited)
  if (!fault) return
  throw fail('invalid_request', `--input, line ${fault.line}, column ${fault.column}: ${fault.why} Nothing was sent.`)
}

function changedLines(changed: ExactLines | undefined): readonly string[] {
  if (!changed) return []
  const warning = changed.warning === undefined ? [] : [`Look closely: ${changed.warning}`]
  return ['In its place would run:', ...warning, ...changed.lines.map((line) => `| ${line}`)]
}

function askedOf({ session, card, deadline }: FoundApproval): Asked {
  const { approval, digest, event, input, unfit } = card
  const { strength, verdicts, scopes } = event.data
  // A long input lies beside its event; here it is where a short one would be.
  const request = event.body && { ...event.body, ...(input === undefined ? {} : { input }) }
  return {
    session,
    approval,
    digest,
    strength,
    expiresAt: deadline.expiresAt,
    ...(deadline.stands ? { timeStands: true as const } : {}),
    verdicts,
    scopes,
    request,
    ...(unfit === undefined ? {} : { unfit }),
  }
}

/** The one that is named by its id or the beginning of it, or the only open one of a session. */
async function findCard(server: Server, text: string): Promise<FoundApproval> {
  const rows = await server.sessions()
  const open = openAsks(rows, text)
  if (!open) {
    await refuseSettled(server, rows, text)
    throw fail('not_found', `There is no open approval and no session "${text}". See: hotline ls`)
  }
  const [only, ...further] = await readCards(server, open.approvals)
  if (!only) {
    const [question] = open.questions
    const how = question ? `It asks a question: hotline answer ${question.id}` : 'This session asks nothing now.'
    throw fail('not_found', how)
  }
  if (further.length > 0) {
    const all = [only, ...further].map(({ card }) => card.approval)
    throw fail('invalid_request', `Several are open; name one of: ${all.join(', ')}`)
  }
  return only
}
