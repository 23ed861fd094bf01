import type { Envelope } from '@hotline/protocol/event'
import { limits } from '@hotline/protocol/limits'

/** A character of text takes six bytes in JSON at most, a number or a word not more than this. */
const charBytesMax = 6
const valueBytesMax = 32

/**
 * The size of an event where it is over the limit, in bytes of JSON. A glance shows for most that it cannot be: to write
 * JSON only to measure it costs as much as writing it to the log.
 */
export function oversizeOf(event: Envelope): number | undefined {
  if (!mayBeTooLarge(event)) return undefined
  const bytes = eventBytes(event)
  return bytes > limits.eventBytes ? bytes : undefined
}

function mayBeTooLarge({ data, body }: Envelope): boolean {
  return boundBytes(data) + boundBytes(body) > limits.eventBytes
}

/** Never less than what the value takes in JSON. */
function boundBytes(value: unknown): number {
  if (typeof value === 'string') return value.length * charBytesMax + 2
  if (typeof value !== 'object' || value === null) return valueBytesMax
  let bytes = 2
  for (const [name, member] of Object.entries(value)) bytes += name.length * charBytesMax + 4 + boundBytes(member)
  return bytes
}

function eventBytes(event: Envelope): number {
  return (
    Buffer.byteLength(JSON.stringify(event.data)) + (event.body ? Buffer.byteLength(JSON.stringify(event.body)) : 0)
  )
}
