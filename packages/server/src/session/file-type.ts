import type { safeTypes } from '@hotline/protocol/attachment'

type SafeType = (typeof safeTypes)[number]

/** Bytes from the beginning of a file that tell what it is. */
export const headBytes = 512

const signatures: readonly (readonly [SafeType, (head: Buffer) => boolean])[] = [
  ['image/png', (head) => head.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))],
  ['image/jpeg', (head) => head.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))],
  ['image/gif', (head) => /^GIF8[79]a/.test(head.toString('latin1', 0, 6))],
  ['image/webp', (head) => /^RIFF[^]{4}WEBP/.test(head.toString('latin1', 0, 12))],
  ['application/pdf', (head) => head.toString('latin1', 0, 5) === '%PDF-'],
  ['application/zip', (head) => head.toString('latin1', 0, 4) === 'PK\u0003\u0004'],
]

/** Texts are told apart by what they are called: none of these is read as a page by a browser. */
const texts: readonly (readonly [RegExp, SafeType])[] = [
  [/\.(txt|log|text)$/i, 'text/plain'],
  [/\.(md|markdown)$/i, 'text/markdown'],
  [/\.csv$/i, 'text/csv'],
  [/\.json$/i, 'application/json'],
]

/** What a file is kept as: by its first bytes, and for plain texts by its name. Nobody is asked for it, and nothing else is safe. */
export function fileType(name: string, head: Buffer): SafeType {
  const signed = signatures.find(([, isIt]) => isIt(head))
  if (signed) return signed[0]
  const named = texts.find(([pattern]) => pattern.test(name))
  return named && !head.includes(0) ? named[1] : 'application/octet-stream'
}
