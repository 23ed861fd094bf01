import { parseCommand } from '@hotline/protocol/command'
import type { Principal } from '../access/principal.ts'
import type { Bus } from '../log/bus.ts'
import type { Lists } from '../log/lists.ts'
import type { Clock } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import type { Exchange } from '../session/exchange.ts'
import type { AwakeWatch } from './awake-watch.ts'

/** The longest wait before the list is read again: a wall clock may jump, and timers sleep when the machine does. */
const lookAgainMs = 10_000

/** What people have at least after the server was away. */
const graceMs = 10 * 60_000
/** Approvals that are given back their time: all that can be open, for all that is known. */
const openMax = 100_000
/** Approvals that are read to see whether they are over. */
const closedAtOnce = 100

/** With these a time begins, or a longer one. */
const beginsTime: ReadonlySet<string> = new Set(['approval.requested', 'approval.opened', 'approval.extended'])

/** The server's own voice. */
export const systemPrincipal: Principal = {
  kind: 'system',
  id: 'server',
  name: 'Hotline',
  key: 'server',
  admin: false,
  scopes: [],
  accessVersion: 0,
  channel: 'server',
}

/** What the timer needs of the server. */
export interface TimerPorts {
  exchange: Exchange
  lists: Lists
  bus: Bus
  clock: Clock
  ids: Ids
  fault: (error: unknown) => void
}

/** Stops when it is disposed of. */
export interface ApprovalTimer extends Disposable {
  /** Resolves when the time is given back in which the server was away; at once where it was here. Never rejects. */
  caughtUp(): Promise<void>
}

/**
 * Closes approvals whose time is over. The deadlines are rows of the log, so a restart forgets none. While the server was away
 * nobody could answer: that time is given back, and what is open can be answered for ten minutes at least.
 */
export function startApprovalTimer(ports: TimerPorts & { awake: AwakeWatch }): ApprovalTimer {
  const { exchange, lists, bus, clock, ids, awake, fault } = ports
  /** Not given back yet. */
  let awayMs = 0
  /** While that is being done. */
  let givingBack: Promise<void> | undefined
  let looking: Promise<void> | undefined
  let again = false
  let stopped = false
  let cancel = (): void => undefined
  let soon: NodeJS.Immediate | undefined

  /** Answers whether it was done. */
  async function tell(session: string, type: 'approval.extend' | 'approval.expire', data: object): Promise<boolean> {
    const parsed = parseCommand({ id: ids.uuid(), stream: `session:${session}`, type, data })
    return 'command' in parsed && (await exchange.command(systemPrincipal, parsed.command)).ok
  }

  async function giveBack(ms: number): Promise<void> {
    const least = clock.wallMs() + graceMs
    for (const { approval, session, expires_at } of await lists.approvals('all', openMax)) {
      const until = new Date(Math.max(Date.parse(expires_at) + ms, least)).toISOString()
      await tell(session, 'approval.extend', { approval, until })
    }
  }

  /** Answers how long it can wait until the next look. */
  async function closeOver(): Promise<number> {
    // What is over was so at this moment: the machine may sleep while the list is read, and nobody could answer then.
    const nowMs = clock.wallMs()
    awayMs += awake.look()
    if (awayMs > 0) await (givingBack = giveBack(awayMs))
    awayMs = 0
    givingBack = undefined
    const open = await lists.approvals('all', closedAtOnce)
    let closed = 0
    for (const { approval, session, expires_at } of open) {
      const expiresMs = Date.parse(expires_at)
      if (expiresMs > nowMs) return Math.min(lookAgainMs, Math.max(0, expiresMs - clock.wallMs()))
      if (await tell(session, 'approval.expire', { approval })) closed += 1
    }
    return closed > 0 && open.length === closedAtOnce ? 0 : lookAgainMs
  }

  async function lookOnce(): Promise<void> {
    cancel()
    let waitMs: number
    try {
      waitMs = await closeOver()
    } catch (error) {
      givingBack = undefined
      fault(error)
      waitMs = 1_000
    }
    looking = undefined
    if (stopped) return
    if (again) {
      again = false
      waitMs = 0
    }
    cancel = clock.after(waitMs, look)
  }

  function look(): void {
    if (looking) again = true
    else looking = lookOnce()
  }

  const leave = bus.subscribe(({ events }) => {
    if (!events.some(({ type }) => beginsTime.has(type))) return
    // After those who wait for the event have it; several that came together are one look.
    soon ??= setImmediate(() => {
      soon = undefined
      look()
    })
  })
  look()
  return {
    caughtUp: async () => {
      // Who is looking already has not seen what was slept through since.
      if (awake.isBehind) await looking
      if (awake.isBehind || awayMs > 0) look()
      // What went wrong was told by who looked.
      await givingBack?.catch(() => undefined)
    },
    [Symbol.dispose]: () => {
      stopped = true
      clearImmediate(soon)
      cancel()
      leave()
    },
  }
}
