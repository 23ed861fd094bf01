import { parseCommand } from '@hotline/protocol/command'
import type { Principal } from '../access/principal.ts'
import type { Bus } from '../log/bus.ts'
import type { Lists } from '../log/lists.ts'
import type { Clock } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import type { Exchange } from '../session/exchange.ts'

/** The longest wait before the list is read again: a wall clock may jump, and timers sleep when the machine does. */
const lookAgainMs = 30_000

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

/**
 * Closes approvals whose time is over. The deadlines are rows of the log, so a restart forgets none: whatever passed
 * while the server was away is closed at the first look.
 */
export function startApprovalTimer(ports: TimerPorts): Disposable {
  const { exchange, lists, bus, clock, ids, fault } = ports
  let stopped = false
  let cancel = (): void => undefined
  let looking = false
  let again = false

  async function look(): Promise<void> {
    if (looking) {
      again = true
      return
    }
    looking = true
    cancel()
    let waitMs = lookAgainMs
    try {
      const open = await lists.approvals('all', 100)
      for (const { approval, session, expires_at } of open) {
        const leftMs = Date.parse(expires_at) - clock.wallMs()
        if (leftMs > 0) {
          waitMs = Math.min(waitMs, leftMs)
          break
        }
        const parsed = parseCommand({
          id: ids.uuid(),
          stream: `session:${session}`,
          type: 'approval.expire',
          data: { approval },
        })
        if ('command' in parsed) await exchange.command(systemPrincipal, parsed.command)
      }
    } catch (error) {
      fault(error)
      waitMs = 1_000
    } finally {
      looking = false
    }
    if (stopped) return
    if (again) {
      again = false
      waitMs = 0
    }
    cancel = clock.after(waitMs, () => void look())
  }

  const leave = bus.subscribe(({ events }) => {
    if (events.some(({ type }) => type === 'approval.requested' || type === 'approval.extended')) void look()
  })
  void look()
  return {
    [Symbol.dispose]: () => {
      stopped = true
      cancel()
      leave()
    },
  }
}
