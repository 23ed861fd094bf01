import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { z } from 'zod'

/** An Ed25519 public key as people copy it: `ed25519:` and its 32 bytes in base64url. */
export const PublicKeyText: z.ZodType<string> = z
  .string()
  .regex(/^ed25519:[A-Za-z0-9_-]{43}$/, 'must be the key that "hotline audit key" prints, ed25519:…')

/**
 * What the server signs of a stream: that at this time the event at `seq` had this hash. Nothing of it may change for heads that
 * exist. The signature is over `frame(x)` of each of: `hotline head 1`, stream, epoch, seq as an unsigned 64-bit big-endian
 * number, the 32 bytes of the hash, the time; `frame` as in `log/sealed-event.ts`.
 */
export const SignedHead = z.strictObject({
  hotline: z.literal('head 1'),
  stream: z.string().max(100),
  epoch: z.string().max(100),
  seq: z.int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** RFC 3339, UTC. */
  at: z.string().max(40),
  key: PublicKeyText,
  /** base64url. */
  signature: z.string().max(100),
})
export type SignedHead = z.infer<typeof SignedHead>

/** What is signed. */
export type Head = Pick<SignedHead, 'stream' | 'epoch' | 'seq' | 'hash' | 'at'>

/** What stands before the 32 bytes of an Ed25519 key in SubjectPublicKeyInfo (RFC 8410). */
const spkiStart = Buffer.from('302a300506032b6570032100', 'hex')

/** The statement of a head, signed. */
export function signHead(head: Head, key: { publicText: string; privateKey: KeyObject }): SignedHead {
  const { stream, epoch, seq, hash, at } = head
  const signature = sign(null, signedBytes(head), key.privateKey).toString('base64url')
  return { hotline: 'head 1', stream, epoch, seq, hash, at, key: key.publicText, signature }
}

/** Whether the holder of this key has signed it. */
export function isSignedBy(head: SignedHead, publicText: string): boolean {
  if (head.key !== publicText) return false
  return isSignatureBy(signedBytes(head), head.signature, publicText)
}

/** Whether this is the signature of the holder of the key over these bytes. `signature`: base64url. */
export function isSignatureBy(bytes: Uint8Array, signature: string, publicText: string): boolean {
  return verify(null, bytes, readPublicKey(publicText), Buffer.from(signature, 'base64url'))
}

/** The key as people copy it. */
export function keyText(key: KeyObject): string {
  const bytes = key.export({ format: 'der', type: 'spki' }).subarray(spkiStart.length)
  return `ed25519:${bytes.toString('base64url')}`
}

function readPublicKey(text: string): KeyObject {
  const bytes = Buffer.from(text.slice('ed25519:'.length), 'base64url')
  return createPublicKey({ key: Buffer.concat([spkiStart, bytes]), format: 'der', type: 'spki' })
}

function signedBytes({ stream, epoch, seq, hash, at }: Head): Uint8Array {
  const place = Buffer.alloc(8)
  place.writeBigUInt64BE(BigInt(seq))
  return framed(['hotline head 1', stream, epoch, place, Buffer.from(hash, 'hex'), at])
}

/** `frame(x)` of each field, one after the other. */
export function framed(fields: readonly (string | Uint8Array)[]): Uint8Array {
  const bytes = fields.map((field) => Buffer.from(field))
  return Buffer.concat(bytes.flatMap((field) => [lengthOf(field), field]))
}

function lengthOf(field: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(field.length)
  return bytes
}
