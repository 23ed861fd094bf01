import type { Ids } from '../machine/ids.ts'
import type { ChainHasher } from './chain-hasher.ts'
import type { NewEvent } from './log-store.ts'

/**
 * How an event is laid out in bytes, and how the bytes prove the log. Nothing here may change for events that exist:
 * somebody will verify an export years from now with this text alone.
 *
 * **Header**: the UTF-8 bytes of one JSON object with the members `v`, `stream`, `seq`, `at`, `type`, `subject`, `actor`,
 * `channel`, `cause`, `data` in this order, absent ones left out, without white space.
 * **Body**: the UTF-8 bytes of one JSON object; absent where the type has none.
 * **Salt**: 16 random bytes beside each body.
 * **On the wire**: the header without its closing brace, then `,"body":` and the body if there is one, then `,"hash":"`,
 * the hash in lower-case hex, and `"}`. The salt never leaves the store, so a short body cannot be guessed from the chain.
 *
 * `frame(x)` is the length of x in bytes as an unsigned 32-bit big-endian number, then x; so no two different lists of
 * fields give the same bytes. Text is UTF-8.
 *
 *     digest = SHA-256( frame("hotline body 1")  frame(salt) frame(body) )
 *     seed   = SHA-256( frame("hotline chain 1") frame(stream) frame(epoch) )
 *     hash   = SHA-256( frame("hotline event 1") frame(previous) frame(epoch) frame(seq) frame(header) frame(digest) )
 *
 * `previous` is the hash (32 bytes) of the event before, the seed for event 1; `seq` is an unsigned 64-bit big-endian
 * number; `digest` has 32 bytes, or none where the event never had a body. When a body is erased, body and salt go and the
 * digest is kept in their place: every hash still holds.
 */
export interface SealedEvent {
  seq: number
  type: string
  subject: string | undefined
  header: Uint8Array
  salt: Uint8Array | undefined
  /** Lies within `wire`. */
  body: Uint8Array | undefined
  hash: Uint8Array
  wire: Uint8Array
}

/** Where the chain of a stream stands: the event that comes has the next number and continues this hash. */
export interface ChainEnd {
  stream: string
  epoch: string
  seq: number
  /** Of the event before, or the seed of the chain. */
  hash: Uint8Array
}

const bodyMember = Buffer.from(',"body":')
const hashMember = Buffer.from(',"hash":"')
const wireEnd = Buffer.from('"}')
const hashHexChars = 64
const tailBytes = hashMember.length + hashHexChars + wireEnd.length

/** The bytes that are sent, put together from what is stored; the hash is in hex. */
export function wireBytes(header: Uint8Array, body: Uint8Array | undefined, hashHex: string): Uint8Array {
  const { wire, body: place } = layOut(header, body?.length)
  if (body !== undefined) place?.set(body)
  writeTail(wire, hashHex)
  return wire
}

/**
 * The bytes that are sent, without their tail, and where the body lies in them: long bodies come in floods, and what is
 * copied of them is garbage that no collection is in a hurry to take. Of a body that is to be copied in: its length.
 */
function layOut(header: Uint8Array, body: string | number | undefined): { wire: Buffer; body: Buffer | undefined } {
  const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : (body ?? 0)
  const memberBytes = body === undefined ? 0 : bodyMember.length + bodyBytes
  const wire = Buffer.allocUnsafe(header.length - 1 + memberBytes + tailBytes)
  // The closing brace is written over by what follows.
  wire.set(header, 0)
  if (body === undefined) return { wire, body: undefined }
  wire.set(bodyMember, header.length - 1)
  const at = header.length - 1 + bodyMember.length
  if (typeof body === 'string') wire.write(body, at)
  return { wire, body: wire.subarray(at, at + bodyBytes) }
}

function writeTail(wire: Buffer, hashHex: string): void {
  const at = wire.length - tailBytes
  wire.set(hashMember, at)
  wire.write(hashHex, at + hashMember.length, 'latin1')
  wire.set(wireEnd, wire.length - wireEnd.length)
}

/** An event without its body, as two parts of its bytes; `headBytes` of them are the header without its closing brace. */
export function withoutBody(wire: Uint8Array, headBytes: number): readonly [Uint8Array, Uint8Array] {
  return [wire.subarray(0, headBytes), wire.subarray(wire.length - tailBytes)]
}

/** What sealing needs beside the events: kept by whoever writes, for one append after the other. */
export interface SealingMeans {
  hasher: ChainHasher
  ids: Pick<Ids, 'salt'>
}

/**
 * Gives events their places after the end of a stream: bytes, digests and hashes. Throws a TypeError where JSON cannot
 * hold what one carries.
 */
export function sealEvents(events: readonly NewEvent[], end: ChainEnd, means: SealingMeans): readonly SealedEvent[] {
  const { hasher, ids } = means
  const { stream, epoch } = end
  let { seq, hash } = end
  return events.map((event): SealedEvent => {
    seq += 1
    const header = Buffer.from(
      JSON.stringify({
        v: event.v,
        stream,
        seq,
        at: event.at,
        type: event.type,
        subject: event.subject,
        actor: event.actor,
        channel: event.channel,
        cause: event.cause,
        data: event.data,
      }),
    )
    const { wire, body } = layOut(header, event.body === undefined ? undefined : JSON.stringify(event.body))
    const salt = body === undefined ? undefined : ids.salt()
    const digest = body === undefined || salt === undefined ? undefined : hasher.digestBody(salt, body)
    const hex = hasher.link({ epoch, seq, previous: hash }, header, digest)
    hash = Buffer.from(hex, 'hex')
    writeTail(wire, hex)
    return { seq, type: event.type, subject: event.subject, header, salt, body, hash, wire }
  })
}
