import { hash as digestOf } from 'node:crypto'
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
  body: Uint8Array | undefined
  hash: Uint8Array
  wire: Uint8Array
}

/** Where an event comes to stand. */
export interface Place {
  stream: string
  epoch: string
  seq: number
  /** Hash of the event before, or the seed of the chain. */
  previous: Uint8Array
}

const bodyTag = Buffer.from('hotline body 1')
const chainTag = Buffer.from('hotline chain 1')
const eventTag = Buffer.from('hotline event 1')
const bodyMember = Buffer.from(',"body":')
const hashMember = Buffer.from(',"hash":"')
const wireEnd = Buffer.from('"}')
const hashHexChars = 64
const nothing = new Uint8Array(0)

/** The hash that stands before event 1. */
export function chainSeed(stream: string, epoch: string): Uint8Array {
  return Buffer.from(sha256Hex([chainTag, Buffer.from(stream), Buffer.from(epoch)]), 'hex')
}

/** What the chain keeps of a body. */
export function digestBody(salt: Uint8Array, body: Uint8Array): Uint8Array {
  return Buffer.from(sha256Hex([bodyTag, salt, body]), 'hex')
}

/** The hash of one event; `digest` is absent where it never had a body. */
export function linkHash(place: Omit<Place, 'stream'>, header: Uint8Array, digest: Uint8Array | undefined): Uint8Array {
  return Buffer.from(linkHex(place, header, digest), 'hex')
}

/** The bytes that are sent, put together from what is stored. */
export function wireBytes(header: Uint8Array, body: Uint8Array | undefined, hash: Uint8Array): Uint8Array {
  return joinWire(header, body, Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex'))
}

/** Gives an event its place: bytes, digest and hash. Throws a TypeError where JSON cannot hold what it carries. */
export function sealEvent(event: NewEvent, place: Place, drawSalt: () => Uint8Array): SealedEvent {
  const header = Buffer.from(
    JSON.stringify({
      v: event.v,
      stream: place.stream,
      seq: place.seq,
      at: event.at,
      type: event.type,
      subject: event.subject,
      actor: event.actor,
      channel: event.channel,
      cause: event.cause,
      data: event.data,
    }),
  )
  const body = event.body === undefined ? undefined : Buffer.from(JSON.stringify(event.body))
  const salt = body === undefined ? undefined : drawSalt()
  const digest = body === undefined || salt === undefined ? undefined : digestBody(salt, body)
  const hex = linkHex(place, header, digest)
  return {
    seq: place.seq,
    type: event.type,
    subject: event.subject,
    header,
    salt,
    body,
    hash: Buffer.from(hex, 'hex'),
    wire: joinWire(header, body, hex),
  }
}

function linkHex(place: Omit<Place, 'stream'>, header: Uint8Array, digest: Uint8Array | undefined): string {
  const seq = Buffer.allocUnsafe(8)
  seq.writeBigUInt64BE(BigInt(place.seq))
  return sha256Hex([eventTag, place.previous, Buffer.from(place.epoch), seq, header, digest ?? nothing])
}

/** Hex, because Node gives a digest as text in half the time that a Buffer takes. */
function sha256Hex(fields: readonly Uint8Array[]): string {
  let sizeBytes = 0
  for (const field of fields) sizeBytes += 4 + field.length
  const framed = Buffer.allocUnsafe(sizeBytes)
  let at = 0
  for (const field of fields) {
    at = framed.writeUInt32BE(field.length, at)
    framed.set(field, at)
    at += field.length
  }
  return digestOf('sha256', framed, 'hex')
}

function joinWire(header: Uint8Array, body: Uint8Array | undefined, hashHex: string): Uint8Array {
  const bodyBytes = body === undefined ? 0 : bodyMember.length + body.length
  const wire = Buffer.allocUnsafe(header.length - 1 + bodyBytes + hashMember.length + hashHexChars + wireEnd.length)
  // The closing brace is written over by what follows.
  wire.set(header, 0)
  let at = header.length - 1
  if (body !== undefined) {
    wire.set(bodyMember, at)
    wire.set(body, at + bodyMember.length)
    at += bodyBytes
  }
  wire.set(hashMember, at)
  at += hashMember.length
  at += wire.write(hashHex, at, 'latin1')
  wire.set(wireEnd, at)
  return wire
}
