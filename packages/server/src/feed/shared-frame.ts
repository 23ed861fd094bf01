import { isOutput } from '@hotline/protocol/frame'
import type { ServerFrame } from '@hotline/protocol/server-frame'
import { formatCursor } from '@hotline/protocol/stream'
import type { StoredEvent } from '../log/log-store.ts'
import { withoutBody } from '../log/sealed-event.ts'

/** What is left out for a follower: the bodies of what agents print and say, or nothing. */
export type Without = 'output' | undefined

/** The bytes of a JSON frame, with what a transport makes of them once for all of its sockets. */
export interface SharedFrame {
  /** Its `t`. */
  kind: ServerFrame['t']
  stream?: string | undefined
  /** Where a follower stands that has applied it. */
  cursor?: string
  /** Not worth the end of a wait: the next answer can bring it. */
  quiet: boolean
  json: Uint8Array
  /** The frame as a server-sent event; made at the first use, like the next. */
  serverSent?: Uint8Array
  /** The frame as the WebSocket transport writes it: as text, in MessagePack, and either of them compressed. */
  websocket?: Uint8Array
  messagePack?: Uint8Array
  compressed?: Uint8Array
  compressedMessagePack?: Uint8Array
}

/** A stretch of a stream, as it is stored. */
export interface Stretch {
  stream: string
  epoch: string
  from: number
  to: number
  events: readonly StoredEvent[]
}

/**
 * The `events` frame around stored bytes: built by joining them, never by parsing. `without`: the bodies of what agents
 * print and say are left out.
 */
export function eventsFrame({ stream, epoch, from, to, events }: Stretch, without: Without): SharedFrame {
  const parts: Uint8Array[] = [
    Buffer.from(
      `{"t":"events","stream":${JSON.stringify(stream)},"epoch":"${epoch}","from":${from},"to":${to},"events":[`,
    ),
  ]
  for (const [index, event] of events.entries()) {
    if (index > 0) parts.push(comma)
    if (without === 'output' && isOutput(event.type)) parts.push(...withoutBody(event.bytes, event.headBytes))
    else parts.push(event.bytes)
  }
  parts.push(end)
  const cursor = formatCursor({ epoch, seq: to })
  return { kind: 'events', stream, cursor, quiet: false, json: Buffer.concat(parts) }
}

/** The same events, with their bytes where they lie in the frame that was made of them. */
export function eventsWithin({ json }: SharedFrame, events: readonly StoredEvent[]): readonly StoredEvent[] {
  const sizeBytes = events.reduce((sum, { bytes }) => sum + bytes.length + comma.length, -comma.length)
  let at = json.length - end.length - sizeBytes
  return events.map((event) => {
    const bytes = json.subarray(at, at + event.bytes.length)
    at += bytes.length + comma.length
    return { ...event, bytes }
  })
}

/** An `urgent` frame around one stored event. */
export function urgentFrame(stream: string, event: { bytes: Uint8Array }): SharedFrame {
  return {
    kind: 'urgent',
    stream,
    quiet: false,
    json: Buffer.concat([
      Buffer.from(`{"t":"urgent","stream":${JSON.stringify(stream)},"event":`),
      event.bytes,
      Buffer.from('}'),
    ]),
  }
}

/** A frame that is written for one connection. */
export function ownFrame(frame: { t: ServerFrame['t']; stream?: string; [fact: string]: unknown }): SharedFrame {
  const quiet = quietKinds.has(frame.t) || frame['kind'] === 'watching' || frame['kind'] === 'doing'
  return { kind: frame.t, stream: frame.stream, quiet, json: Buffer.from(JSON.stringify(frame)) }
}

const quietKinds: ReadonlySet<ServerFrame['t']> = new Set(['welcome', 'caught_up', 'heads', 'pong'])
const comma = Buffer.from(',')
const end = Buffer.from(']}')
