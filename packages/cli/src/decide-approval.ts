import type { CommandInput } from '@hotline/protocol/command'
import type { Accepted } from '@hotline/protocol/command-answer'
import { openApprovals, type SessionState } from '@hotline/core/session/state'
import { Actor } from '@hotline/protocol/actor'
import { type Problem, problem } from '@hotline/protocol/error'
import type { EventOf, KnownEvent } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { SessionRow, TranscriptWindow } from '@hotline/protocol/http'
import { inLine, timeOf } from './approval-card.ts'
import type { Server } from './ask-server.ts'
import { Failure } from './failure.ts'
import { namedBy } from './find-id.ts'

/** Sessions that are asked for their states at once. */
const askedAtOnce = 8

/** Events that are read at once in search of what became of an approval. */
const windowEvents = 500

/** A decision that can match nothing: no request has this digest. */
const noDigest = '0'.repeat(64)

/** Decides; who is second is told who won, when and where. */
export async function decide(
  server: Server,
  session: string,
  data: CommandInput<'approval.decide'>,
): Promise<Accepted> {
  try {
    return await server.command(`session:${session}`, 'approval.decide', data)
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'already_resolved') throw error
    throw await withWinner(server, error)
  }
}

/** Throws what became of an approval that is no longer open, in whatever session it was; nothing where there is none. */
export async function refuseSettled(server: Server, rows: readonly SessionRow[], text: string): Promise<void> {
  const further: string[] = []
  for (let at = 0; at < rows.length; at += askedAtOnce) {
    const some = await Promise.all(rows.slice(at, at + askedAtOnce).map(({ session }) => stateOf(server, session)))
    for (const state of some) {
      if (!state) continue
      const [past] = namedBy(text, [...state.resolved, ...(state.waiting ?? [])], ({ approval }) => approval)
      // The server refuses it before it looks at anything else, and says why; also what waits for its turn.
      if (past) {
        await decide(server, state.session, { approval: past.approval, digest: noDigest, verdict: 'deny' })
      }
      if (state.counts.approvals > state.resolved.length + openApprovals(state).length) further.push(state.session)
    }
  }
  for (const session of further) {
    const end = await findEnd(server, session, text)
    if (end) throw await withWinner(server, new Failure(whatBecameOf(end)))
  }
}

/** Undefined where the session is no longer to be seen. */
async function stateOf(server: Server, session: string): Promise<SessionState | undefined> {
  try {
    return (await server.state(session)).state
  } catch (error) {
    if (error instanceof Failure && error.problem.code === 'not_found') return undefined
    throw error
  }
}

/** A state remembers the last approvals alone; the log has them all. */
async function findEnd(server: Server, session: string, text: string): Promise<End | undefined> {
  for (let before: number | null | undefined; before !== null;) {
    const from: string = before === undefined ? '' : `&before=${before}`
    const window: TranscriptWindow = await server.get(
      `/api/sessions/${session}/transcript?limit=${windowEvents}${from}`,
    )
    const ends = window.events.flatMap((event) => {
      const known = asKnown(event)
      return known && isEnd(known) ? [known] : []
    })
    const [found] = namedBy(text, ends, ({ data }) => data.approval)
    if (found) return found
    before = window.before
  }
  return undefined
}

type End = EventOf<'approval.resolved'> | EventOf<'approval.timed_out'> | EventOf<'approval.cancelled'>

function isEnd(event: KnownEvent): event is End {
  return ['approval.resolved', 'approval.timed_out', 'approval.cancelled'].includes(event.type)
}

function whatBecameOf(end: End): Problem {
  const { at, actor: by, channel } = end
  switch (end.type) {
    case 'approval.timed_out':
      return problem('approval_expired', `Nobody answered in time; it was closed at ${at}.`, { at })
    case 'approval.cancelled':
      return problem('approval_expired', `The agent no longer asks; it was closed at ${at}.`, { at })
    case 'approval.resolved': {
      const { outcome } = end.data
      const detail = `This was ${outcome.replace('_', ' and ')} already.`
      return problem('already_resolved', detail, { outcome, by, channel, at })
    }
  }
}

/** The same refusal, with who won, when and where. */
export async function withWinner(server: Server, { problem: refusal }: Failure): Promise<Failure> {
  if (refusal.code !== 'already_resolved') return new Failure(refusal)
  const by = Actor.safeParse(refusal['by'])
  const names = by.success ? await server.names() : new Map<string, string>()
  const who = by.success ? ` by @${inLine(names.get(by.data.id) ?? by.data.id)}` : ''
  const at = typeof refusal['at'] === 'string' ? ` at ${timeOf(refusal['at'])}` : ''
  const where = placeOf(refusal['channel'])
  return new Failure({ ...refusal, detail: `${refusal.detail.replace(/\.$/, '')}:${who}${at}${where}.` })
}

function placeOf(channel: unknown): string {
  const words = new Map([
    ['web', ' on the web'],
    ['cli', ' in a terminal'],
    ['api', ' over the API'],
  ])
  return words.get(String(channel).split(':', 1)[0] ?? '') ?? ''
}
