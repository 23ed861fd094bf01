/** The bytes of a JSON frame, with what a transport makes of them once for all of its sockets. */
export interface SharedFrame {
  json: Uint8Array
  /** The frame as the WebSocket transport writes it; made at the first use. */
  websocket?: Uint8Array
}

/** The `events` frame around stored bytes: built by joining them, never by parsing. */
export function eventsFrame(
  stream: string,
  epoch: string,
  from: number,
  to: number,
  events: readonly { bytes: Uint8Array }[],
): SharedFrame {
  const parts: Uint8Array[] = [
    Buffer.from(
      `{"t":"events","stream":${JSON.stringify(stream)},"epoch":"${epoch}","from":${from},"to":${to},"events":[`,
    ),
  ]
  for (const [index, event] of events.entries()) {
    if (index > 0) parts.push(comma)
    parts.push(event.bytes)
  }
  parts.push(end)
  return { json: Buffer.concat(parts) }
}

/** An `urgent` frame around one stored event. */
export function urgentFrame(stream: string, event: { bytes: Uint8Array }): SharedFrame {
  return {
    json: Buffer.concat([
      Buffer.from(`{"t":"urgent","stream":${JSON.stringify(stream)},"event":`),
      event.bytes,
      Buffer.from('}'),
    ]),
  }
}

const comma = Buffer.from(',')
const end = Buffer.from(']}')
