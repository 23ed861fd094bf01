import type { SessionState } from '@hotline/core/session/state'
import { parseCursor } from '@hotline/protocol/stream'
import type { Principal } from '../access/principal.ts'
import type { Lists } from '../log/lists.ts'
import type { Exchange } from './exchange.ts'

/** A session with what is needed to speak of it as a task. */
export interface FoundTask {
  session: string
  stream: string
  state: SessionState
  epoch: string
  seq: number
}

interface FindPorts {
  exchange: Pick<Exchange, 'mayRead' | 'snapshot'>
  lists: Pick<Lists, 'sessionsOfTask'>
}

/** A task by the id of its session, or of its card: then the newest session of it. Undefined where it is not theirs to read. */
export async function findTask(ports: FindPorts, principal: Principal, task: string): Promise<FoundTask | undefined> {
  const own = await readTask(ports, principal, task)
  if (own) return own
  if (!(await ports.exchange.mayRead(principal, `task:${task}`))) return undefined
  const newest = (await ports.lists.sessionsOfTask(task)).at(-1)
  return newest === undefined ? undefined : await readTask(ports, principal, newest)
}

/** The same by the id of its session alone. */
export async function readTask(
  { exchange }: Pick<FindPorts, 'exchange'>,
  principal: Principal,
  session: string,
): Promise<FoundTask | undefined> {
  const stream = `session:${session}`
  const snapshot = (await exchange.mayRead(principal, stream)) ? await exchange.snapshot(stream) : undefined
  const cursor = snapshot && parseCursor(snapshot.cursor)
  if (snapshot?.state.kind !== 'session' || typeof cursor !== 'object') return undefined
  return { session, stream, state: snapshot.state, ...cursor }
}
