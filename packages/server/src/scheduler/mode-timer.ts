import { parseCommand } from '@hotline/protocol/command'
import { splitStream } from '@hotline/protocol/stream'
import { systemPrincipal, type TimerPorts } from './approval-timer.ts'

/** The longest wait before the clock is looked at again: a wall clock may jump, and timers sleep when the machine does. */
const lookAgainMs = 10_000

/** When a session's hands-free is over: by the wall as it was said, and by the time that never jumps. */
interface End {
  until: string
  dueMs: number
}

/**
 * Says in the log when hands-free is over. The ends are in the log, so a restart forgets none; and a clock that is set back makes
 * none of them later. What counts for a request is the end itself, not this.
 */
export function startModeTimer({ exchange, lists, bus, clock, ids, fault }: TimerPorts): Disposable {
  const ends = new Map<string, End>()
  let stopped = false
  let cancel = (): void => undefined

  function note(session: string, mode: { mode: string; until?: string | undefined } | undefined): void {
    if (mode?.mode !== 'hands_free' || mode.until === undefined) return
    if (ends.get(session)?.until === mode.until) return
    const leftMs = Date.parse(mode.until) - clock.wallMs()
    ends.set(session, { until: mode.until, dueMs: clock.monotonicMs() + leftMs })
  }

  function leftOf({ until, dueMs }: End): number {
    return Math.min(dueMs - clock.monotonicMs(), Date.parse(until) - clock.wallMs())
  }

  async function end(session: string, { until }: End): Promise<void> {
    const stream = `session:${session}`
    const parsed = parseCommand({ id: ids.uuid(), stream, type: 'policy.end_mode', data: { until } })
    if (!('command' in parsed)) return
    const outcome = await exchange.command(systemPrincipal, parsed.command)
    if (!outcome.ok && outcome.problem.code === 'storage_unavailable') throw new Error(outcome.problem.detail)
  }

  async function look(): Promise<void> {
    cancel()
    let waitMs = lookAgainMs
    for (const [session, one] of ends) {
      const leftMs = leftOf(one)
      if (leftMs > 0) {
        waitMs = Math.min(waitMs, leftMs)
        continue
      }
      ends.delete(session)
      try {
        await end(session, one)
      } catch (error) {
        if (!ends.has(session)) ends.set(session, one)
        fault(error)
        waitMs = Math.min(waitMs, 1_000)
      }
    }
    cancel()
    if (!stopped && ends.size > 0) cancel = clock.after(waitMs, () => void look())
  }

  async function hear(stream: string): Promise<void> {
    const state = (await exchange.snapshot(stream))?.state
    if (state?.kind === 'session') note(state.session, state.policyMode)
    await look()
  }

  async function begin(): Promise<void> {
    for (const { session } of await lists.sessionsWithMode()) await hear(`session:${session}`)
  }

  const leave = bus.subscribe(({ stream, events }) => {
    const isSaid = events.some(({ type }) => type === 'policy.mode_set')
    if (isSaid && splitStream(stream).kind === 'session') hear(stream).catch(fault)
  })
  begin().catch(fault)
  return {
    [Symbol.dispose]: () => {
      stopped = true
      cancel()
      leave()
    },
  }
}
