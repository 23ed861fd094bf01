import { createInterface } from 'node:readline'
import type { SessionState } from '@hotline/core/session/state'
import { openApprovals } from '@hotline/core/session/state'
import { evolveSession } from '@hotline/core/session/evolve'
import type { Envelope } from '@hotline/protocol/event'
import { isLive } from '@hotline/protocol/session-status'
import type { Server } from '../ask-server.ts'
import { Failure } from '../failure.ts'
import { plainText } from '../plain-text.ts'
import { linesOf } from '../session-lines.ts'

export interface Watching {
  /** Every event as one line of JSON. */
  json: boolean
  /** Goes on after what is there now. */
  follow: boolean
  /** Reads lines to send. */
  input?: NodeJS.ReadableStream
  write: (text: string) => void
}

/** Prints a session from its first event, and with `follow` until it has ended. Answers its last status. */
export async function watchSession(server: Server, session: string, how: Watching): Promise<SessionState | undefined> {
  const stream = `session:${session}`
  const link = server.link()
  let state: SessionState | undefined
  const watched = new Promise<SessionState | undefined>((resolve, reject) => {
    const print = (events: readonly Envelope[]): void => {
      for (const event of events) {
        state = evolveSession(state, event)
        how.write(how.json ? `${JSON.stringify(event)}\n` : linesOf(event))
      }
    }
    const done = (): void => {
      lines?.close()
      resolve(state)
    }
    link.follow(stream, '0', {
      events: (events) => {
        print(events)
        if (state && !isLive(state.status)) done()
      },
      caughtUp: () => {
        if (!how.follow) done()
      },
      ended: (problem) => reject(new Failure(problem)),
    })
    link.connection.watch((connection) => {
      if (connection.status === 'closed' && connection.problem) reject(new Failure(connection.problem))
    })
    const lines = how.input ? createInterface({ input: how.input }) : undefined
    lines?.on('line', (line) => {
      if (line === '/quit') return done()
      void say(line.trim()).catch((error: unknown) => {
        if (error instanceof Failure) how.write(`! ${plainText(error.problem.detail)}\n`)
        else reject(error)
      })
    })
    lines?.on('close', () => resolve(state))
  })
  try {
    return await watched
  } finally {
    await link[Symbol.asyncDispose]()
  }

  /** A line is a message, unless it begins with a slash: only then can it decide something. */
  async function say(line: string): Promise<void> {
    if (line === '') return
    const [word, ...rest] = line.split(' ')
    if (word === '/allow' || word === '/deny') {
      const open = state && openApprovals(state).at(0)
      if (!open) return how.write('! Nothing is asked now.\n')
      const reason = rest.join(' ')
      await server.command(stream, 'approval.decide', {
        approval: open.approval,
        digest: open.digest,
        verdict: word === '/allow' ? 'allow' : 'deny',
        ...(reason ? { reason } : {}),
      })
    } else if (word === '/stop') await server.command(stream, 'session.interrupt', {})
    else if (word?.startsWith('/')) how.write('! Known: /allow, /deny [reason], /stop, /quit\n')
    else await server.command(stream, 'message.send', { text: line })
  }
}
