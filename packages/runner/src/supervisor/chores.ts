import type { Envelope } from '@hotline/protocol/event'
import type { Log } from '../log.ts'

/** Events that are remembered as acted on; one comes a second time soon or never. */
const handledMax = 2_000

/** What is done for an agent on the word of the log: for each event once, however often it comes. */
export class Chores {
  readonly #of: { session: string; log: Log }
  readonly #handled = new Set<string>()

  constructor(of: { session: string; log: Log }) {
    this.#of = of
  }

  /** Acts on an event, unless that was done. */
  once(event: Pick<Envelope, 'type' | 'subject'>, act: () => Promise<unknown>): void {
    const key = `${event.type} ${event.subject}`
    if (this.#handled.has(key)) return
    this.#handled.add(key)
    if (this.#handled.size > handledMax) {
      for (const oldest of this.#handled) {
        this.#handled.delete(oldest)
        break
      }
    }
    this.do(event.type, act())
  }

  /** Work that nobody waits for; a failure is a bug, and is written down. */
  do(what: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      const { session, log } = this.#of
      log.error('agent could not be served', {
        session,
        what,
        error: error instanceof Error ? error.stack : String(error),
      })
    })
  }
}
