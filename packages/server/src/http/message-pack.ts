import { decode, encode } from '@msgpack/msgpack'
import { limits } from '@hotline/protocol/limits'
import { membersMax, nameRefusal, type ParsedJson } from './json.ts'

/** The type of an answer in MessagePack. */
export const messagePackType = 'application/msgpack'

/** What JSON can say, in MessagePack. */
export function writeMessagePack(value: unknown): Uint8Array {
  return encode(value, { maxDepth: limits.jsonDepth * 2, ignoreUndefined: true })
}

/**
 * MessagePack from outside, read as strictly as JSON: nothing that JSON has not (bytes, extensions, times, keys that are no
 * text), no duplicate members, no `__proto__`, nothing deeper or longer than the limits, no number that a double does not
 * keep, no text that is not UTF-8. Everything is checked before anything is built from it.
 */
export function parseMessagePack(bytes: Uint8Array): ParsedJson {
  const check = new Check(bytes)
  const detail = check.whole()
  if (detail !== undefined) return { detail }
  try {
    return { value: decode(bytes) }
  } catch {
    return { detail: 'This is not MessagePack.' }
  }
}

/** An array or a map that is open at the place that is being read. */
interface Open {
  /** Values that are still to come; of a map, names and values. */
  left: number
  /** Names so far; absent for an array. */
  names: Set<string> | undefined
  /** The name read last: that of the value that comes next. */
  name: string
}

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** One pass over the bytes, without recursion. */
class Check {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #open: Open[] = []
  #at = 0
  #members = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** What is wrong; undefined where it is one value, and nothing after it. */
  whole(): string | undefined {
    if (this.#bytes.length === 0) return 'The body is empty; a MessagePack map is expected.'
    do {
      const wrong = this.#value()
      if (wrong !== undefined) return wrong
      while (this.#open.at(-1)?.left === 0) this.#open.pop()
    } while (this.#open.length > 0)
    return this.#at === this.#bytes.length ? undefined : 'Something follows after the end.'
  }

  #value(): string | undefined {
    const start = this.#at
    const here = this.#open.at(-1)
    const isName = here?.names !== undefined && here.left % 2 === 0
    if (here) here.left -= 1
    const type = this.#bytes[this.#at]
    if (type === undefined) return 'It ends too early.'
    this.#at += 1
    const size = sizeOf(type)
    if (size === 'text') {
      const length = this.#length(type, type & 0x1f, 0xd9)
      return length === undefined ? 'It ends too early.' : this.#text(length, start, isName ? here : undefined)
    }
    if (isName) return `The name of a member at ${start} is no text.`
    if (size === 'array' || size === 'map') {
      const length = this.#length(type, type & 0x0f, size === 'array' ? 0xdb : 0xdd)
      return length === undefined ? 'It ends too early.' : this.#begin(length, size)
    }
    if (size === undefined) return `The value at ${start} is of a kind that JSON has not.`
    if (this.#at + size > this.#bytes.length) return 'It ends too early.'
    const exact = this.#isExact(type)
    this.#at += size
    return exact ? undefined : `The number at ${start} cannot be kept as it is; send it as text.`
  }

  /** In the type itself, or in the one, two or four bytes after it: `above` is the type before that of the smallest. */
  #length(type: number, inside: number, above: number): number | undefined {
    if (type < 0xc0) return inside
    // Texts have lengths of 1, 2 and 4 bytes, arrays and maps of 2 and 4.
    const widths = above === 0xd9 ? [1, 2, 4] : [2, 4]
    const width = widths[type - (above === 0xd9 ? 0xd9 : above + 1)] ?? 4
    if (this.#at + width > this.#bytes.length) return undefined
    const at = this.#at
    this.#at += width
    return width === 1 ? this.#view.getUint8(at) : width === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at)
  }

  #begin(length: number, kind: 'array' | 'map'): string | undefined {
    this.#members += length
    if (this.#members > membersMax) return `More than ${membersMax} members.`
    this.#open.push(
      kind === 'array'
        ? { left: length, names: undefined, name: '' }
        : { left: length * 2, names: new Set(), name: '' },
    )
    return this.#open.length > limits.jsonDepth ? `Nested deeper than ${limits.jsonDepth} levels.` : undefined
  }

  #text(length: number, start: number, map: Open | undefined): string | undefined {
    if (this.#at + length > this.#bytes.length) return 'It ends too early.'
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    let value: string
    try {
      value = textDecoder.decode(bytes)
    } catch {
      return `The text at ${start} is not UTF-8.`
    }
    if (!map?.names) return undefined
    const wrong = nameRefusal(value, map.names, this.#open.at(-2)?.name)
    map.name = value
    return wrong
  }

  #isExact(type: number): boolean {
    switch (type) {
      case 0xca:
        return isKept(this.#view.getFloat32(this.#at))
      case 0xcb:
        return isKept(this.#view.getFloat64(this.#at))
      case 0xcf:
        return this.#view.getBigUint64(this.#at) <= BigInt(Number.MAX_SAFE_INTEGER)
      case 0xd3: {
        const value = this.#view.getBigInt64(this.#at)
        return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      }
      default:
        return true
    }
  }
}

/** Minus zero, nothing and infinity are no numbers that JSON has. */
function isKept(value: number): boolean {
  return Number.isFinite(value) && !Object.is(value, -0)
}

/** Bytes after the type, where they are always as many; undefined for what JSON has not: bytes, extensions, times. */
function sizeOf(type: number): number | 'text' | 'array' | 'map' | undefined {
  if (type < 0x80 || type >= 0xe0) return 0
  if (type < 0x90) return 'map'
  if (type < 0xa0) return 'array'
  if (type < 0xc0 || (type >= 0xd9 && type <= 0xdb)) return 'text'
  if (type === 0xdc || type === 0xdd) return 'array'
  if (type === 0xde || type === 0xdf) return 'map'
  return sizes[type]
}

const sizes: Readonly<Record<number, number>> = {
  0xc0: 0,
  0xc2: 0,
  0xc3: 0,
  0xca: 4,
  0xcb: 8,
  0xcc: 1,
  0xcd: 2,
  0xce: 4,
  0xcf: 8,
  0xd0: 1,
  0xd1: 2,
  0xd2: 4,
  0xd3: 8,
}
