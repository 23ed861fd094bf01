import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KeyKind } from '@hotline/protocol/events/server'

type Kind = 'ses' | 'pat' | 'svc' | 'run' | 'wst'

/** A token taken apart. The id finds the row; the whole text is what was hashed. */
export interface TokenParts {
  kind: Kind
  id: string
  text: string
}

/**
 * `hl_<kind>_<id>_<43 characters>_<checksum>`: 256 random bits in base64url between an id that may be shown and six hex
 * characters that tell a typo from a wrong token, and let scanners recognise a leaked one.
 */
export function mintToken(kind: Kind): TokenParts {
  const id = randomBytes(9).toString('hex')
  const body = `hl_${kind}_${id}_${randomBytes(32).toString('base64url')}`
  return { kind, id, text: `${body}_${checksum(body)}` }
}

/** Undefined for anything that is not a token of ours. */
export function readToken(text: string): TokenParts | undefined {
  const match = /^(hl_(ses|pat|svc|run|wst)_([0-9a-f]{18})_[A-Za-z0-9_-]{43})_([0-9a-f]{6})$/.exec(text)
  if (!match?.[1] || !match[2] || !match[3] || checksum(match[1]) !== match[4]) return undefined
  return { kind: match[2] as KeyKind, id: match[3], text }
}

/** What is stored in place of a token, in hex. */
export function hashToken(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Compares two hex hashes in constant time. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

function checksum(body: string): string {
  return createHash('sha256').update(`hotline token ${body}`).digest('hex').slice(0, 6)
}
