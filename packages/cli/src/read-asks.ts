import { type AskPage, type AskRow, askedSessionsMax } from '@hotline/protocol/asks'
import { Digest } from '@hotline/protocol/events/approval'
import type { EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { Content } from '@hotline/protocol/http'
import { type ApprovalCard, approvalCard, type Deadline, type FetchedInput } from './approval-card.ts'
import type { Server } from './ask-server.ts'
import { Failure, fail } from './failure.ts'
import type { OpenAsk } from './open-asks.ts'

/** An approval as it stands in the log, and how it is shown. */
export interface FoundApproval {
  session: string
  project: string
  /** The name of its profile. */
  agent: string
  card: ApprovalCard
  deadline: Deadline
}

/** What these sessions ask, whole. */
export async function readAsks(server: Server, sessions: readonly string[]): Promise<readonly AskRow[]> {
  const asks: AskRow[] = []
  const all = [...new Set(sessions)]
  for (let at = 0; at < all.length; at += askedSessionsMax) {
    const some = all.slice(at, at + askedSessionsMax).join(',')
    for (let before: string | null | undefined; before !== null;) {
      const from: string = before === undefined ? '' : `&before=${encodeURIComponent(before)}`
      const page: AskPage = await server.get(`/api/asks?sessions=${some}${from}`)
      asks.push(...page.asks)
      before = page.next
    }
  }
  return asks
}

/** What is asked, as it is shown, in the order given; one that was decided meanwhile is passed over. */
export async function readCards(server: Server, open: readonly OpenAsk[]): Promise<readonly FoundApproval[]> {
  const asks =
    open.length === 0
      ? []
      : await readAsks(
          server,
          open.map(({ session }) => session),
        )
  const found: FoundApproval[] = []
  for (const { session, id } of open) {
    const ask = asks.find((one) => one.kind === 'approval' && one.session === session && one.ask === id)
    if (ask) found.push(await readCard(server, ask))
  }
  return found
}

async function readCard(
  server: Server,
  { session, project, agent, ask, events, subAgent, timeStands }: AskRow,
): Promise<FoundApproval> {
  const known = events.map((event) => asKnown(event))
  const event = known.find((one): one is EventOf<'approval.requested'> => one?.type === 'approval.requested')
  if (!event) throw fail('not_found', 'What was asked is not in the log.')
  const last = known.at(-1)
  const { expiresAt } = last?.type === 'approval.extended' || last?.type === 'approval.opened' ? last.data : event.data
  const deadline = { expiresAt, stands: timeStands }
  const digest = event.body?.content?.digest
  const fetched = digest === undefined ? undefined : await fetchInput(server, session, digest)
  return {
    session,
    project,
    agent,
    deadline,
    card: approvalCard(event, ask, { fetched, deadline, subAgent: subAgent ?? undefined }),
  }
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

/** Whoever gives a digest has read what it is of. Throws a `Failure` where that is something else. */
export function compareDigest(card: ApprovalCard, digest: string): void {
  if (!Digest.safeParse(digest).success) {
    throw fail('invalid_request', '--digest takes the 64 hex digits that "hotline --json asks" gives.')
  }
  if (digest === card.digest) return
  throw fail('digest_mismatch', `What is asked now is not what was read. Read it again: hotline asks ${card.approval}`)
}
