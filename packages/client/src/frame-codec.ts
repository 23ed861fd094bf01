import { subprotocol } from '@hotline/protocol/version'
import { readJson } from './read-json.ts'

/** How frames are written on a WebSocket. */
export interface FrameCodec {
  /** Its name for the handshake. */
  readonly subprotocol: string
  write(frame: unknown): string | Uint8Array<ArrayBuffer>
  /** A message as it came; undefined for what cannot be read. */
  read(message: string | ArrayBuffer): unknown
}

/** JSON in text messages, which every browser reads fastest. */
export const jsonFrames: FrameCodec = {
  subprotocol,
  write: (frame) => JSON.stringify(frame),
  read: (message) => (typeof message === 'string' ? readJson(message) : undefined),
}
