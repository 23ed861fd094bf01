import type { SharedFrame } from '../feed/shared-frame.ts'

/** A text frame of RFC 6455 (server side: unmasked, unfragmented), made once and written to every socket that gets it. */
export function websocketFrame(frame: SharedFrame): Uint8Array {
  if (frame.websocket) return frame.websocket
  const length = frame.json.length
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const bytes = Buffer.allocUnsafe(head + length)
  bytes[0] = 0x81
  if (head === 2) bytes[1] = length
  else if (head === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeBigUInt64BE(BigInt(length), 2)
  }
  bytes.set(frame.json, head)
  frame.websocket = bytes
  return bytes
}
