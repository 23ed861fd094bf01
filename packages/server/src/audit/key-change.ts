import { type KeyObject, sign } from 'node:crypto'
import { z } from 'zod'
import { framed, isSignatureBy, PublicKeyText } from './signed-head.ts'

/**
 * That one key takes the place of another for signing heads: said by the one that goes, and by the one that comes. Nothing of it
 * may change for those that exist. Both signatures are over `frame(x)` of each of: `hotline key 1`, the key before, the key, the
 * time; as in `signed-head.ts`.
 */
export const KeyChange = z.strictObject({
  hotline: z.literal('key 1'),
  key: PublicKeyText,
  before: PublicKeyText,
  /** RFC 3339, UTC: from here on the one before signs nothing. */
  at: z.string().max(40),
  /** Of the key before; base64url. */
  signature: z.string().max(100),
  /** Of the key itself. */
  counterSignature: z.string().max(100),
})
export type KeyChange = z.infer<typeof KeyChange>

/** A key pair, its public half as people copy it. */
interface Pair {
  publicText: string
  privateKey: KeyObject
}

/** The statement, signed by both. */
export function signKeyChange(from: Pair, to: Pair, at: string): KeyChange {
  const what = { before: from.publicText, key: to.publicText, at }
  const by = ({ privateKey }: Pair): string => sign(null, bytesOf(what), privateKey).toString('base64url')
  return { hotline: 'key 1', ...what, signature: by(from), counterSignature: by(to) }
}

/** Whether the holders of both keys have signed it. */
export function isSignedByBoth(change: KeyChange): boolean {
  const bytes = bytesOf(change)
  return (
    isSignatureBy(bytes, change.signature, change.before) && isSignatureBy(bytes, change.counterSignature, change.key)
  )
}

/**
 * The keys that are to be believed by whoever knows one of them, with the time until which each signed (undefined: it does still).
 * From a key that is known one gets to those after it, which it named, and to those before it, which it took the place of.
 * `doubtful`: it named two, so that somebody else has had it.
 */
export function believedKeys(
  known: string,
  changes: readonly KeyChange[],
): { until: ReadonlyMap<string, string | undefined> } | { doubtful: string } {
  const until = new Map<string, string | undefined>([[known, undefined]])
  // Those that are found on the way are visited as well.
  for (const key of until.keys()) {
    for (const { key: next, before } of changes) {
      if (next === key && !until.has(before)) until.set(before, undefined)
    }
    const after = changes.filter(({ before }) => before === key)
    const [first] = after
    if (!first) continue
    if (after.some(({ key: next }) => next !== first.key)) return { doubtful: key }
    until.set(key, first.at)
    if (!until.has(first.key)) until.set(first.key, undefined)
  }
  return { until }
}

function bytesOf({ before, key, at }: Pick<KeyChange, 'before' | 'key' | 'at'>): Uint8Array {
  return framed(['hotline key 1', before, key, at])
}
