import type { Clock } from '../machine/clock.ts'
import { hashToken, mintToken } from './token.ts'

const lifeMs = 30_000
const openMax = 10_000

interface OpenTicket {
  key: string
  origin: string
  untilMs: number
}

/** One-use tickets that open a socket for a browser: short-lived, bound to the credential and the origin that asked. */
export interface Tickets {
  issue(key: string, origin: string): { ticket: string; expiresAt: string }
  /** The key behind a ticket, once. */
  redeem(ticket: string, origin: string): string | undefined
}

export function openTickets(clock: Clock): Tickets {
  const open = new Map<string, OpenTicket>()
  return {
    issue: (key, origin) => {
      for (const [hash, { untilMs }] of open) {
        if (untilMs > clock.monotonicMs() && open.size < openMax) break
        open.delete(hash)
      }
      const { text } = mintToken('wst')
      open.set(hashToken(text), { key, origin, untilMs: clock.monotonicMs() + lifeMs })
      return { ticket: text, expiresAt: new Date(clock.wallMs() + lifeMs).toISOString() }
    },
    redeem: (ticket, origin) => {
      const hash = hashToken(ticket)
      const found = open.get(hash)
      open.delete(hash)
      return found && found.origin === origin && found.untilMs > clock.monotonicMs() ? found.key : undefined
    },
  }
}
