import type { Envelope } from '@hotline/protocol/event'
import type { StoredEvent } from './log-store.ts'

/** An event as it is stored. What is in the log was checked when it was written. */
export function readEvent({ bytes }: Pick<StoredEvent, 'bytes'>): Envelope {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as Envelope
}
