import type { Accepted } from '@hotline/protocol/command-answer'
import type { KnownEvent } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { Server } from './ask-server.ts'
import { Failure, fail } from './failure.ts'

/** A machine that is away answers when it is back; until then nobody has to sit there. */
const answerTimeoutMs = 120_000

/** Waits for the event by which a session's machine answers a command. Throws a `Failure` where it does not come. */
export async function awaitAnswer<T extends KnownEvent>(
  server: Server,
  stream: string,
  { cursor }: Pick<Accepted, 'cursor'>,
  isAnswer: (known: KnownEvent) => known is T,
): Promise<T> {
  const link = server.link()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => {
    reject(fail('unreachable', 'Its machine has not answered. What was asked stays there until it is back.'))
  }, answerTimeoutMs)
  try {
    link.follow(stream, cursor, {
      events: (events) => {
        for (const event of events) {
          const known = asKnown(event)
          if (known && isAnswer(known)) resolve(known)
        }
      },
      ended: (problem) => reject(new Failure(problem)),
    })
    return await promise
  } finally {
    clearTimeout(timer)
    await link[Symbol.asyncDispose]()
  }
}
