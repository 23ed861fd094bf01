import { randomBytes, randomInt } from 'node:crypto'

/** Randomness as an argument, so that a seeded run gives the same bytes. */
export interface Ids {
  /** A new id that sorts by time (UUIDv7). */
  uuid(): string
  /** Eight random letters or digits: one life of a stream. */
  epoch(): string
  /** Sixteen random bytes that blind the digest of a body. */
  salt(): Uint8Array
}

const epochLetters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Ids and salts from the system's own randomness. */
export function systemIds(wallMs: () => number): Ids {
  // One call for many salts: each call to the system's generator costs as much as the hash of an event.
  let pool = Buffer.alloc(0)
  return {
    uuid: () => uuidV7(wallMs(), randomBytes(10)),
    epoch: () => Array.from({ length: 8 }, () => epochLetters[randomInt(epochLetters.length)]).join(''),
    salt: () => {
      if (pool.length === 0) pool = randomBytes(16 * 256)
      const salt = pool.subarray(0, 16)
      pool = pool.subarray(16)
      return salt
    },
  }
}

/** RFC 9562 version 7: 48 bits of time, then 74 random bits from the ten bytes given. */
export function uuidV7(wallMs: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.trunc(wallMs)) << 16n)
  bytes.set(random.subarray(0, 10), 6)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
