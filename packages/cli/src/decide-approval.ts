import type { Accepted, CommandInput } from '@hotline/protocol/command'
import { Actor } from '@hotline/protocol/actor'
import type { SessionRow } from '@hotline/protocol/http'
import { inLine, timeOf } from './approval-card.ts'
import type { Server } from './ask-server.ts'
import { Failure } from './failure.ts'
import { namedBy } from './find-id.ts'

/** Sessions that are looked through for an approval that is no longer open: those that changed last. */
const searchedSessionsMax = 100

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

/** Throws what the server says of an approval that was decided or closed lately; nothing where there is none. */
export async function refuseSettled(server: Server, rows: readonly SessionRow[], text: string): Promise<void> {
  for (const { session } of rows.slice(0, searchedSessionsMax)) {
    const { state } = await server.state(session)
    const [past] = namedBy(text, state.resolved, ({ approval }) => approval)
    if (!past) continue
    // The server refuses it before it looks at anything else, and says why.
    await decide(server, session, { approval: past.approval, digest: noDigest, verdict: 'deny' })
  }
}

async function withWinner(server: Server, { problem }: Failure): Promise<Failure> {
  const by = Actor.safeParse(problem['by'])
  const names = by.success ? await server.names() : new Map<string, string>()
  const who = by.success ? ` by @${inLine(names.get(by.data.id) ?? by.data.id)}` : ''
  const at = typeof problem['at'] === 'string' ? ` at ${timeOf(problem['at'])}` : ''
  const where = placeOf(problem['channel'])
  return new Failure({ ...problem, detail: `${problem.detail.replace(/\.$/, '')}:${who}${at}${where}.` })
}

function placeOf(channel: unknown): string {
  const words = new Map([
    ['web', ' on the web'],
    ['cli', ' in a terminal'],
    ['api', ' over the API'],
  ])
  return words.get(String(channel).split(':', 1)[0] ?? '') ?? ''
}
