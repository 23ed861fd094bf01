import { hash } from 'node:crypto'

/** Hex SHA-256 of some bytes, or of the UTF-8 bytes of a text. */
export function sha256(content: string | Uint8Array): string {
  return hash('sha256', content, 'hex')
}
