import { serverStream } from '@hotline/protocol/stream'
import type { Lists } from '../log/lists.ts'
import type { LogStore } from '../log/log-store.ts'
import type { RowChange } from '../log/tables.ts'

/** A request that a channel may show: written before it is sent, so that it is taken back whatever happens in between. */
export interface Sent {
  session: string
  approval: string
  /** `sending`: nobody knows yet whether it arrived; `shown`: it did; `refused`: the channel does not take it. */
  state: 'sending' | 'shown' | 'refused'
}

/** What each channel was sent, durably. */
export interface Outbox {
  read(channel: string): Promise<readonly Sent[]>
  /** Rejects where it cannot be written. */
  put(channel: string, sent: Sent): Promise<void>
  drop(channel: string, of: Pick<Sent, 'session' | 'approval'>): Promise<void>
}

/** In the database of the log. */
export function outboxOver({ store, lists }: { store: LogStore; lists: Lists }): Outbox {
  async function write(row: RowChange): Promise<void> {
    const result = await store.append([{ stream: serverStream, expect: 'any', events: [], rows: [row] }])
    if (!result.ok) throw new Error(`the outbox cannot be written: ${result.reason}`)
  }
  return {
    read: async (channel) =>
      (await lists.deliveries(channel)).map(({ session, approval, state }) => ({ session, approval, state })),
    put: (channel, sent) => write({ table: 'deliveries', put: { channel, ...sent } }),
    drop: (channel, { session, approval }) => write({ table: 'deliveries', drop: { channel, session, approval } }),
  }
}
