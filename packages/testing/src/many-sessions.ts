import { uuidV7 } from '@hotline/client/uuid'
import type { CommandOutcome } from '@hotline/client/link'
import type { LiveServer } from './live-server.ts'

/** Sessions of one connection: two commands each stay within what a connection may send at once. */
const perLink = 100

/** Starts so many sessions, which nobody takes, and ends each of them; answers their ids, the oldest first. */
export async function endManySessions(live: LiveServer, count: number): Promise<readonly string[]> {
  const sessions: string[] = []
  for (let from = 0; from < count; from += perLink) {
    const link = live.link()
    try {
      const made = Array.from({ length: Math.min(perLink, count - from) }, (_, at) => ({
        session: uuidV7(),
        title: `Session ${String(from + at).padStart(4, '0')}`,
      }))
      const start = { project: 'default', agent: 'nobody' }
      await all(
        made.map(({ session, title }) => link.command(`session:${session}`, 'session.start', { ...start, title })),
      )
      await all(made.map(({ session }) => link.command(`session:${session}`, 'session.abort', {})))
      sessions.push(...made.map(({ session }) => session))
    } finally {
      await link[Symbol.asyncDispose]()
    }
  }
  return sessions
}

async function all(outcomes: readonly Promise<CommandOutcome>[]): Promise<void> {
  for (const outcome of await Promise.all(outcomes)) if (!outcome.ok) throw new Error(outcome.problem.detail)
}
