import { randomBytes, timingSafeEqual } from 'node:crypto'
import { KeyKind } from '@hotline/protocol/events/server'
import { sha256 } from '../machine/sha256.ts'

/**
 * A secret that is handed out: `hl_<kind>_<id>_<43 characters, 256 bits>_<6 characters>`. The id finds the row, the
 * checksum tells a typing error (and a secret scanner) from a wrong secret, and only the SHA-256 of the text is kept.
 */
export interface Token {
  kind: KeyKind
  /** Id of the key. */
  id: string
  /** The whole text: whoever has it is let in. */
  text: string
  /** Hex SHA-256 of the text. */
  hash: string
}

const secretBytes = 32
const form = /^hl_([a-z]{3})_([A-Za-z0-9-]{1,64})_[A-Za-z0-9_-]{43}_([0-9a-f]{6})$/
/** Longer than any token: what is longer is not looked at. */
const maxChars = 160

/** Makes a new secret for a key. */
export function mintToken(kind: KeyKind, id: string): Token {
  const start = `hl_${kind}_${id}_${randomBytes(secretBytes).toString('base64url')}`
  const text = `${start}_${checksum(start)}`
  return { kind, id, text, hash: sha256(text) }
}

/** Reads a token; undefined for anything that is not one, or was mistyped. */
export function parseToken(text: string): Token | undefined {
  if (text.length > maxChars) return undefined
  const [, kindText, id, sum] = form.exec(text) ?? []
  const kind = KeyKind.safeParse(kindText)
  if (!kind.success || id === undefined || sum !== checksum(text.slice(0, -7))) return undefined
  return { kind: kind.data, id, text, hash: sha256(text) }
}

/** Compares two hex digests in a time that does not tell where they differ. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a, 'hex')
  const right = Buffer.from(b, 'hex')
  return left.length === 32 && left.length === right.length && timingSafeEqual(left, right)
}

function checksum(start: string): string {
  return sha256(`hotline token ${start}`).slice(0, 6)
}
