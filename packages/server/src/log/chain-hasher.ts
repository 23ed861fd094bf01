import { createHash, hash as digestOf } from 'node:crypto'

const bodyTag = framed(Buffer.from('hotline body 1'))
const chainTag = framed(Buffer.from('hotline chain 1'))
const eventTag = framed(Buffer.from('hotline event 1'))
const hashBytes = 32
/** Holds most events. */
const scratchBytes = 4 * 1024
/** A longer body than this is hashed where it lies. */
const keptBytes = 64 * 1024

/** The hash that stands before event 1. */
export function chainSeed(stream: string, epoch: string): Uint8Array {
  const fields = Buffer.concat([chainTag, framed(Buffer.from(stream)), framed(Buffer.from(epoch))])
  return Buffer.from(digestOf('sha256', fields, 'hex'), 'hex')
}

/**
 * Computes the digests and hashes that `wire.ts` defines. What is hashed is put together in memory that is used again for
 * the next event: new memory for each costs as much as hashing it.
 */
export class ChainHasher {
  #body: Buffer = scratch(bodyTag, scratchBytes)
  #event: Buffer = scratch(eventTag, scratchBytes)
  readonly #digest: Buffer = Buffer.alloc(hashBytes)

  /** What the chain keeps of a body. The bytes are good until the next call. */
  digestBody(salt: Uint8Array, body: Uint8Array): Uint8Array {
    const sizeBytes = bodyTag.length + 8 + salt.length + body.length
    if (sizeBytes > keptBytes) {
      const salted = Buffer.concat([bodyTag, framed(salt), lengthOf(body)])
      this.#digest.set(createHash('sha256').update(salted).update(body).digest())
      return this.#digest
    }
    const into = sizeBytes > this.#body.length ? (this.#body = scratch(bodyTag, sizeBytes)) : this.#body
    const end = putFrame(into, putFrame(into, bodyTag.length, salt), body)
    // As text, because Node gives a digest as text in half the time that a Buffer takes.
    this.#digest.write(digestOf('sha256', into.subarray(0, end), 'binary'), 'latin1')
    return this.#digest
  }

  /** The hash of one event, in hex; `digest` is absent where it never had a body. */
  link(
    place: { epoch: string; seq: number; previous: Uint8Array },
    header: Uint8Array,
    digest: Uint8Array | undefined,
  ): string {
    const { epoch, seq, previous } = place
    const digestBytes = digest === undefined ? 0 : digest.length
    // No character has more than three bytes.
    const sizeBytes = eventTag.length + previous.length + 3 * epoch.length + header.length + digestBytes + 28
    const into = sizeBytes > this.#event.length ? scratch(eventTag, sizeBytes) : this.#event
    if (into.length <= keptBytes) this.#event = into
    let at = putFrame(into, eventTag.length, previous)
    const epochBytes = into.write(epoch, at + 4)
    at = into.writeUInt32BE(epochBytes, at) + epochBytes
    at = into.writeUInt32BE(8, at)
    at = into.writeUInt32BE(Math.floor(seq / 2 ** 32), at)
    at = into.writeUInt32BE(seq % 2 ** 32, at)
    at = putFrame(into, at, header)
    at = digest === undefined ? into.writeUInt32BE(0, at) : putFrame(into, at, digest)
    return digestOf('sha256', into.subarray(0, at), 'hex')
  }
}

function scratch(tag: Uint8Array, sizeBytes: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes)
  bytes.set(tag)
  return bytes
}

function framed(field: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(4 + field.length)
  putFrame(bytes, 0, field)
  return bytes
}

/** What stands before a field. */
function lengthOf(field: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(field.length)
  return bytes
}

function putFrame(into: Buffer, at: number, field: Uint8Array): number {
  into.writeUInt32BE(field.length, at)
  into.set(field, at + 4)
  return at + 4 + field.length
}
