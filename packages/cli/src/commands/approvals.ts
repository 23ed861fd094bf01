import { openApprovals } from '@hotline/core/session/state'
import { type ApprovalRequest, Digest } from '@hotline/protocol/events/approval'
import type { Content, SessionRow, TranscriptWindow } from '@hotline/protocol/http'
import { asKnown } from '@hotline/protocol/events'
import type { Command } from 'commander'
import { type ApprovalCard, approvalCard, type FetchedInput } from '../approval-card.ts'
import type { Server } from '../ask-server.ts'
import { Failure, fail } from '../failure.ts'
import { namedBy } from '../find-id.ts'
import { decide, refuseSettled } from '../decide-approval.ts'
import { openPrompt } from '../prompt.ts'
import type { CommandContext } from './context.ts'

/** Events that are read at once in search of what was asked. */
const windowEvents = 500

interface Found {
  session: string
  card: ApprovalCard
}

interface DecideOptions {
  reason?: string
  digest?: string
}

/** What is asked, as programs read it: `digest` is what a decision has to carry. */
interface Asked {
  session: string
  approval: string
  digest: string
  strength: string
  expiresAt: string
  request: ApprovalRequest | undefined
  /** Why it cannot be allowed. */
  unfit?: string
}

/** `asks`, `approve` and `deny`: what is decided has been read first, and the decision is bound to exactly that. */
export function addApprovalCommands(program: Command, context: CommandContext): void {
  program
    .command('asks')
    .description('what agents ask now, whole; with --json also the digest that "approve --digest" needs')
    .argument('[approval-or-session]', 'id, or the beginning of it (default: everything)')
    .action(async (text: string | undefined) => {
      const found = await findCards(context.server(), text)
      if (context.json) for (const one of found) context.write(`${JSON.stringify(askedOf(one))}\n`)
      else if (found.length === 0) context.write('Nothing is asked now.\n')
      else context.write(found.map(({ card }) => `${card.lines.join('\n')}\n`).join('\n'))
    })

  for (const [name, verdict] of [
    ['approve', 'allow'],
    ['deny', 'deny'],
  ] as const) {
    program
      .command(name)
      .description(`${verdict} what an agent asks; name the approval, or the session where it asks only one thing`)
      .argument('<approval-or-session>', 'id, or the beginning of it')
      .option('--reason <text>', 'told to the agent where it can hear it')
      .option('--digest <hex>', 'of what was read, as "hotline --json asks" says it: decides without being asked back')
      .action(async (text: string, options: DecideOptions) => {
        const server = context.server()
        const { session, card } = await findCard(server, text)
        if (options.digest !== undefined) compareDigest(card, options.digest)
        else context.note(card.lines.join('\n'))
        if (verdict === 'allow') {
          if (card.unfit !== undefined) throw fail('digest_mismatch', card.unfit)
          if (options.digest === undefined) await askBack(context, card)
        }
        const accepted = await decide(server, session, {
          approval: card.approval,
          digest: card.digest,
          verdict,
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        })
        context.print(accepted, verdict === 'allow' ? 'allowed\n' : 'denied\n')
      })
  }
}

function askedOf({ session, card }: Found): Asked {
  const { approval, digest, event, input, unfit } = card
  const { strength, expiresAt } = event.data
  // A long input lies beside its event; here it is where a short one would be.
  const request = event.body && { ...event.body, ...(input === undefined ? {} : { input }) }
  return { session, approval, digest, strength, expiresAt, request, ...(unfit === undefined ? {} : { unfit }) }
}

function compareDigest(card: ApprovalCard, digest: string): void {
  if (!Digest.safeParse(digest).success) {
    throw fail('invalid_request', '--digest takes the 64 hex digits that "hotline --json asks" gives.')
  }
  if (digest === card.digest) return
  throw fail('digest_mismatch', `What is asked now is not what was read. Read it again: hotline asks ${card.approval}`)
}

/** Who allows something has read it: on this screen just now, or elsewhere, and then the digest says so. */
async function askBack({ stdin }: CommandContext, card: ApprovalCard): Promise<void> {
  const { stderr } = process
  if (!stdin.isTTY || !stderr.isTTY) {
    throw fail(
      'invalid_request',
      'There is no terminal to show it and to ask. Read it with "hotline --json asks", and give the digest of what was ' +
        `read: hotline approve ${card.approval} --digest <digest>`,
    )
  }
  const isLong = rowsOf(card.lines, stderr.columns) > stderr.rows
  const why = card.grave ? 'look closely' : isLong ? 'it is longer than the screen' : undefined
  const prompt = openPrompt(stdin, stderr)
  try {
    const question = why === undefined ? 'Allow exactly this? [y/N] ' : `Allow exactly this? Type "allow" (${why}): `
    const answer = (await prompt.decision(question)).trim()
    const isYes = why === undefined ? /^y(es)?$/i.test(answer) : answer.toLowerCase() === 'allow'
    if (!isYes) throw fail('invalid_request', 'Nothing was decided.')
  } finally {
    prompt[Symbol.dispose]()
  }
}

/** Rows of the screen that the lines take. Characters that are two columns wide count once: then it is not a page. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / columns)), 0)
}

/** The one that is named by its id or the beginning of it, or the only open one of a session. */
async function findCard(server: Server, text: string): Promise<Found> {
  const [only, ...further] = await findCards(server, text, (rows) => refuseSettled(server, rows, text))
  if (!only) throw fail('not_found', 'This session asks nothing now.')
  if (further.length > 0) {
    const all = [only, ...further].map(({ card }) => card.approval)
    throw fail('invalid_request', `Several are open; name one of: ${all.join(', ')}`)
  }
  return only
}

/** Everything that is asked under an id of an approval, of a session, or the beginning of one; without one, everything. */
async function findCards(
  server: Server,
  text: string | undefined,
  otherwise: (rows: readonly SessionRow[]) => Promise<void> = () => Promise.resolve(),
): Promise<readonly Found[]> {
  const rows = await server.sessions()
  const open = rows.flatMap(({ session, openApprovals: approvals }) =>
    approvals.map((approval) => ({ session, approval })),
  )
  const named = text === undefined ? open : namedBy(text, open, ({ approval }) => approval)
  const sessions = named.length > 0 || text === undefined ? [] : namedBy(text, rows, ({ session }) => session)
  const chosen =
    sessions.length === 0 ? named : open.filter((one) => sessions.some(({ session }) => session === one.session))
  if (text !== undefined && named.length === 0 && sessions.length === 0) {
    await otherwise(rows)
    throw fail('not_found', `There is no open approval and no session "${text}". See: hotline ls`)
  }
  const found: Found[] = []
  for (const session of new Set(chosen.map((one) => one.session))) {
    const { state } = await server.state(session)
    for (const { approval, digest } of openApprovals(state)) {
      if (named.length > 0 && !chosen.some((one) => one.approval === approval)) continue
      const card = await readCard(server, session, approval)
      if (card.digest !== digest) throw fail('digest_mismatch', 'What was asked has changed. Look again.')
      found.push({ session, card })
    }
  }
  return found
}

/** What was asked is in the log, not in the state: looked for from the end of the session. */
async function readCard(server: Server, session: string, approval: string): Promise<ApprovalCard> {
  for (let before: number | null | undefined; before !== null;) {
    const from: string = before === undefined ? '' : `&before=${before}`
    const window: TranscriptWindow = await server.get(
      `/api/sessions/${session}/transcript?limit=${windowEvents}${from}`,
    )
    for (const event of window.events) {
      const known = asKnown(event)
      if (known?.type !== 'approval.requested' || known.data.approval !== approval) continue
      const digest = known.body?.content?.digest
      if (digest === undefined) return approvalCard(known, approval)
      return approvalCard(known, approval, await fetchInput(server, session, digest))
    }
    before = window.before
  }
  throw fail('not_found', 'What was asked is not in the log.')
}

/** One that cannot be had is shown as such: it keeps nobody from the others, nor from denying. */
async function fetchInput(server: Server, session: string, digest: string): Promise<FetchedInput> {
  try {
    return await server.get<Content>(`/api/sessions/${session}/content/${digest}`)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { missing: error.problem.detail }
  }
}
