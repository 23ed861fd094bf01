import type { Actor } from '@hotline/protocol/actor'
import type { DraftOf } from '@hotline/protocol/events'
import type { serverEvents } from '@hotline/protocol/events/server'
import type { Problem } from '@hotline/protocol/error'
import { serverStream } from '@hotline/protocol/stream'
import { protocolVersion } from '@hotline/protocol/version'
import type { Bus } from '../log/bus.ts'
import type { AppendRefusal, LogStore } from '../log/log-store.ts'
import type { RowChange } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import { type Once, recordOf, usedForAnother } from './idempotency-key.ts'

/** A line of the audit: one of the server stream's own events. */
export type AccessDraft = DraftOf<keyof typeof serverEvents>

/** The actor for what the server does by itself. */
export const serverActor: Actor = { kind: 'system', id: 'server' }

/** What changed about accounts and keys, who did it, and the rows that say so from now on. */
export interface AccessChange {
  actor: Actor
  channel?: string | undefined
  /** Where it came from, as far as that can be believed. */
  address?: string | undefined
  events: readonly AccessDraft[]
  rows: readonly RowChange[]
  /** Remembered with it, so that what is sent again with its key is not done again. */
  once?: { what: Once; answer: object } | undefined
}

/** Writes changes of accounts and keys to the server's stream, events and rows in one transaction, and tells the bus. */
export class AccessLog {
  readonly #store: LogStore
  readonly #bus: Bus
  readonly #clock: Clock

  constructor(ports: { store: LogStore; bus: Bus; clock: Clock }) {
    this.#store = ports.store
    this.#bus = ports.bus
    this.#clock = ports.clock
  }

  /** The answer that the same sender got for the same thing under the same key; a problem where it was another thing. */
  async earlier(once: Once | undefined): Promise<{ answer: string } | Problem | undefined> {
    const key = once && { principal: once.sender, id: once.key }
    const [found] = key ? await this.#store.findCommands(serverStream, [key]) : []
    if (!found) return undefined
    return found.bodyHash === once?.hash ? { answer: found.answer } : usedForAnother()
  }

  /** Resolves after the commit; a refusal (a row that must be new exists, the store is away) changed nothing. */
  async write(change: AccessChange): Promise<{ ok: true } | AppendRefusal> {
    const at = timestamp(this.#clock)
    const result = await this.#store.append([
      {
        stream: serverStream,
        // The lines of the audit depend on no state: what must be new is told by the rows.
        expect: 'any',
        events: change.events.map((draft) => ({
          v: protocolVersion,
          at,
          type: draft.type,
          subject: draft.subject,
          actor: change.actor,
          channel: change.channel,
          address: change.address,
          data: draft.data,
          ...('body' in draft ? { body: draft.body } : {}),
        })),
        rows: change.rows,
        ...(change.once ? { commands: [recordOf(change.once.what, change.once.answer)] } : {}),
      },
    ])
    if (!result.ok) return result
    this.#bus.publish(result.appended)
    return { ok: true }
  }
}
