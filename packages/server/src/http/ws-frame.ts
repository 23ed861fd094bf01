import { constants, deflateRawSync } from 'node:zlib'
import type { SharedFrame } from '../feed/shared-frame.ts'
import { parseMessagePack, writeMessagePack } from './message-pack.ts'
import { type ParsedJson, parseJson } from './json.ts'

/** How the frames of one connection are written. */
export interface FrameForm {
  format: 'json' | 'messagepack'
  /** Large batches are compressed, once for all who take them so. */
  compression: 'off' | 'large-batches'
}

/** What is shorter gains nothing for what it costs. */
const compressFromBytes = 4 * 1024

/** A frame of RFC 6455 (server side: unmasked, unfragmented), made once and written to every socket that gets it. */
export function websocketFrame(frame: SharedFrame, { format, compression }: FrameForm): Uint8Array {
  // What is for one alone would be compressed for one alone.
  const compress = compression === 'large-batches' && frame.kind === 'events' && frame.json.length >= compressFromBytes
  if (format === 'json') {
    if (compress) return (frame.compressed ??= build(deflate(frame.json), 0xc1))
    return (frame.websocket ??= build(frame.json, 0x81))
  }
  if (compress) return (frame.compressedMessagePack ??= build(deflate(packed(frame)), 0xc2))
  return (frame.messagePack ??= build(packed(frame), 0x82))
}

/** A message by itself, as text; a large one is compressed where its reader takes it so. */
export function textMessage(message: object, compression: FrameForm['compression'] = 'off'): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(message))
  const compress = compression !== 'off' && bytes.length >= compressFromBytes
  return compress ? build(deflate(bytes), 0xc1) : build(bytes, 0x81)
}

/** A message of the other side; `detail` says what is wrong with it. */
export function readMessage(bytes: Buffer, format: FrameForm['format']): ParsedJson {
  return format === 'json' ? parseJson(bytes.toString('utf8')) : parseMessagePack(bytes)
}

function packed(frame: SharedFrame): Uint8Array {
  return writeMessagePack(JSON.parse(Buffer.from(frame.json).toString('utf8')))
}

/** As RFC 7692 has it, without what was sent before: only so can the bytes be the same for everybody. */
function deflate(bytes: Uint8Array): Uint8Array {
  const whole = deflateRawSync(bytes, { level: 1, finishFlush: constants.Z_SYNC_FLUSH })
  return whole.subarray(0, whole.length - 4)
}

function build(payload: Uint8Array, first: number): Uint8Array {
  const { length } = payload
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const bytes = Buffer.allocUnsafe(head + length)
  bytes[0] = first
  if (head === 2) bytes[1] = length
  else if (head === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeBigUInt64BE(BigInt(length), 2)
  }
  bytes.set(payload, head)
  return bytes
}
