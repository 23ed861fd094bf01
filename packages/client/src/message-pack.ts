import { messagePackSubprotocol } from '@hotline/protocol/version'
import { decode, encode } from '@msgpack/msgpack'
import type { FrameCodec } from './frame-codec.ts'

/** MessagePack in binary messages, for programs that want it: `openLink({ frames: messagePackFrames })`. */
export const messagePackFrames: FrameCodec = {
  subprotocol: messagePackSubprotocol,
  write: (frame) => encode(frame, { ignoreUndefined: true }),
  read: (message) => {
    if (typeof message === 'string') return undefined
    try {
      return decode(message)
    } catch {
      // The server's schemas say what it should be; this is none of that.
      return undefined
    }
  },
}
