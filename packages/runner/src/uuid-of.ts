import { uuidOfDigest } from '@hotline/core/uuid-of-digest'
import { sha256 } from './sha256.ts'

/** The UUID that a text always gives. */
export function uuidOf(text: string): string {
  return uuidOfDigest(sha256(text))
}
