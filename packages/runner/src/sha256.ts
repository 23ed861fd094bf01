import { hash } from 'node:crypto'

/** Hex SHA-256 of the UTF-8 bytes of a text. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex')
}
