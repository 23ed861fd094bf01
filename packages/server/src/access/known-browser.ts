import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { AccountTable } from '../log/tables.ts'

/** For so long a browser is known after its person last signed in there. */
export const browserMaxMs = 90 * 24 * 60 * 60 * 1_000

const idBytes = 16
const form = /^([A-Za-z0-9_-]{22})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/

/** A text that shows that the person of an account has signed in with this browser before: `<id>.<time>.<proof>`. */
export interface KnownBrowser {
  /** Under which its tries are counted. */
  id: string
}

/**
 * What a browser keeps from a sign-in, so that somebody who guesses elsewhere cannot keep its person out of it (OWASP calls
 * it a device cookie). It lets nobody in: it says under which count a try belongs. Whose it is cannot be read in it, and a
 * new password makes it worthless: the stored hash, which nobody outside knows, is the key.
 */
export function markBrowser(account: AccountTable, nowMs: number, before?: KnownBrowser): string {
  const id = before?.id ?? randomBytes(idBytes).toString('base64url')
  const signedInAt = Math.floor(nowMs / 1_000).toString(36)
  return `${id}.${signedInAt}.${proofOf(account, id, signedInAt).toString('base64url')}`
}

/** What a browser brought along, if it is this account's. Takes as long for a name that does not exist. */
export function readMark(
  text: string | undefined,
  account: AccountTable | undefined,
  nowMs: number,
): KnownBrowser | undefined {
  const [, id, signedInAt, proof] = form.exec(text ?? '') ?? []
  if (id === undefined || signedInAt === undefined || proof === undefined) return undefined
  const right = proofOf(account ?? { account: '', password: '' }, id, signedInAt)
  const given = Buffer.from(proof, 'base64url')
  const isRight = given.length === right.length && timingSafeEqual(given, right)
  const isFresh = nowMs - Number.parseInt(signedInAt, 36) * 1_000 <= browserMaxMs
  return isRight && isFresh && account !== undefined ? { id } : undefined
}

function proofOf({ account, password }: Pick<AccountTable, 'account' | 'password'>, id: string, at: string): Buffer {
  return createHmac('sha256', password).update(`hotline known browser\n${account}\n${id}\n${at}`).digest()
}
