import { askKey } from '@hotline/core/account/ask-key'
import { evolveAccount } from '@hotline/core/account/evolve'
import type { AccountState } from '@hotline/core/account/state'
import type { SnoozePage } from '@hotline/protocol/asks'
import type { Problem } from '@hotline/protocol/error'
import { accountStream } from '@hotline/protocol/stream'
import { type Clock, systemClock } from './clock.ts'
import type { Follow, Link, Readable } from './link.ts'
import { watchable } from './readable.ts'
import { isPassing, openRetry } from './retry.ts'

/** The clock is looked at again after this, however far the next one is: timers reach no further than 24 days. */
const lookAgainMs = 60 * 60 * 1_000

/** What one person has put aside, until it comes back, on all their devices. */
export interface Snoozes extends Disposable {
  /** Until when, RFC 3339, by `askKey`. What was answered meanwhile may still be in it. */
  readonly picture: Readable<ReadonlyMap<string, string>>
}

/**
 * Follows the stream of a person's own, and lets what is put aside come back at its time by the clock here. Where the server
 * keeps no such stream, nothing is ever put aside.
 */
export function openSnoozes(link: Link, account: string, clock: Clock = systemClock): Snoozes {
  const stream = accountStream(account)
  const picture = watchable<ReadonlyMap<string, string>>(new Map())
  let state: AccountState = { kind: 'account', account, snoozed: [] }
  let follow: Follow | undefined
  let cancel = (): void => undefined
  let closed = false
  const retry = openRetry(link, () => void start())

  function show(): void {
    cancel()
    if (closed) return
    const now = new Date(clock.wallMs()).toISOString()
    const aside = state.snoozed.filter(({ until }) => until > now)
    const [next] = aside.map(({ until }) => Date.parse(until)).toSorted((a, b) => a - b)
    if (next !== undefined) cancel = clock.after(Math.min(next - clock.wallMs(), lookAgainMs), show)
    const map = new Map(aside.map(({ session, ask, until }) => [askKey(session, ask), until]))
    const before = picture.value
    const isSame = map.size === before.size && [...map].every(([key, until]) => before.get(key) === until)
    if (!isSame) picture.set(map)
  }

  async function start(): Promise<void> {
    follow?.close()
    follow = undefined
    const page = await read()
    if (closed) return
    if (!page.ok) return failed(page.problem)
    retry.succeeded()
    const { snoozes, cursor } = page.value
    state = { ...state, snoozed: snoozes }
    show()
    if (cursor === null) return
    follow = link.follow(stream, cursor, {
      events: (events) => {
        for (const event of events) state = evolveAccount(state, event) ?? state
        show()
      },
      reset: () => void start(),
      ended: failed,
    })
  }

  /** The stream is begun where it is not there yet: another device may be the first to put something aside. */
  async function read(): ReturnType<typeof link.request<SnoozePage>> {
    const page = await link.request<SnoozePage>('GET', '/api/snoozes')
    if (closed || !page.ok || page.value.cursor !== null) return page
    const begun = await link.command(stream, 'account.begin', {})
    return begun.ok && !closed ? link.request<SnoozePage>('GET', '/api/snoozes') : page
  }

  function failed(problem: Problem): void {
    if (!closed && isPassing(problem)) retry.after(problem)
  }

  void start()
  return {
    picture,
    [Symbol.dispose]: () => {
      closed = true
      cancel()
      follow?.close()
      retry[Symbol.dispose]()
    },
  }
}
