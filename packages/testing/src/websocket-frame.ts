import { randomBytes } from 'node:crypto'
import type { ByteReader } from './byte-reader.ts'

/** The opcodes of RFC 6455 5.2; all others are reserved. */
export const opcodes = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const

/** A frame to build. Everything can be wrong on purpose; what is absent is right. */
export interface FrameSpec {
  /** 0 to 15. */
  opcode: number
  /** Text is sent as UTF-8. */
  payload?: string | Uint8Array
  /** `last` (when absent) sets FIN, `more` leaves it away. */
  position?: 'last' | 'more'
  /** A random key when absent, as a client must; four bytes of one's own; or no mask at all. */
  mask?: 'none' | Uint8Array
  /** The three reserved bits, as a number from 0 to 7 (4 is RSV1, which means "compressed"). */
  reserved?: number
  /** What the header says instead of the payload's length. */
  declaredBytes?: number | bigint
  /** The width of the length field instead of the shortest that fits: 7, 16 or 64 bits. */
  lengthBits?: 7 | 16 | 64
}

/** A frame that came. */
export interface RawFrame {
  readonly opcode: number
  readonly fin: boolean
  readonly reserved: number
  readonly masked: boolean
  /** Unmasked. */
  readonly payload: Buffer
}

function lengthField(length: bigint, bits: 7 | 16 | 64): { marker: number; field: Buffer } {
  if (bits === 7) return { marker: Number(length & 0x7fn), field: Buffer.alloc(0) }
  const field = Buffer.alloc(bits / 8)
  if (bits === 16) field.writeUInt16BE(Number(length & 0xffffn))
  else field.writeBigUInt64BE(BigInt.asUintN(64, length))
  return { marker: bits === 16 ? 126 : 127, field }
}

function shortestBits(length: bigint): 7 | 16 | 64 {
  if (length < 126n) return 7
  return length < 0x10000n ? 16 : 64
}

function maskBytes(bytes: Uint8Array, key: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte, at) => byte ^ (key[at % 4] ?? 0)))
}

/** Builds the bytes of a frame, right or wrong as asked. */
export function buildFrame(spec: FrameSpec): Buffer {
  const payload = typeof spec.payload === 'string' ? Buffer.from(spec.payload) : Buffer.from(spec.payload ?? [])
  const declared = BigInt(spec.declaredBytes ?? payload.length)
  const { marker, field } = lengthField(declared, spec.lengthBits ?? shortestBits(declared))
  const fin = spec.position === 'more' ? 0 : 0x80
  const first = fin | (((spec.reserved ?? 0) & 7) << 4) | (spec.opcode & 0xf)
  if (spec.mask === 'none') return Buffer.concat([Buffer.from([first, marker]), field, payload])
  const key = spec.mask ?? randomBytes(4)
  return Buffer.concat([Buffer.from([first, 0x80 | marker]), field, key, maskBytes(payload, key)])
}

/** Builds the payload of a close frame; any code, and a reason that may be bytes that are not UTF-8. */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return Buffer.concat([head, typeof reason === 'string' ? Buffer.from(reason) : reason])
}

/** Reads one frame. Throws a ByteReaderError when it does not come whole. */
export async function readFrame(reader: ByteReader, deadlineMs?: number): Promise<RawFrame> {
  const [first = 0, second = 0] = await reader.readExactly(2, 'a frame', deadlineMs)
  const marker = second & 0x7f
  let length = marker
  if (marker === 126) length = (await reader.readExactly(2, 'the length of a frame', deadlineMs)).readUInt16BE()
  if (marker === 127) {
    length = Number((await reader.readExactly(8, 'the length of a frame', deadlineMs)).readBigUInt64BE())
  }
  const masked = (second & 0x80) !== 0
  const key = masked ? await reader.readExactly(4, 'the mask of a frame', deadlineMs) : Buffer.alloc(4)
  const payload = await reader.readExactly(length, 'the payload of a frame', deadlineMs)
  return {
    opcode: first & 0xf,
    fin: (first & 0x80) !== 0,
    reserved: (first >> 4) & 7,
    masked,
    payload: masked ? maskBytes(payload, key) : payload,
  }
}
