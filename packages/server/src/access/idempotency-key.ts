import { type Problem, problem } from '@hotline/protocol/error'
import type { CommandRecord } from '../log/log-store.ts'
import { sha256 } from '../machine/sha256.ts'
import { type Principal, senderKey } from './principal.ts'

/** What somebody wants to be made once, however often it is sent. */
export interface Once {
  /** `senderKey` of whoever sent it. */
  sender: string
  /** `Idempotency-Key`. */
  key: string
  /** Of all that must be the same when it is sent again. No secret goes in: a hash of a password can be guessed. */
  hash: string
}

/** `what` names the kind of thing and its members, in a fixed order. Undefined where the sender gave no key. */
export function onceOf(by: Principal, key: string | undefined, what: readonly unknown[]): Once | undefined {
  if (key === undefined) return undefined
  return { sender: senderKey(by), key, hash: sha256(JSON.stringify(what)) }
}

/** The line by which it is known again: the same table as that of commands. */
export function recordOf({ sender, key, hash }: Once, answer: object): CommandRecord {
  return { principal: sender, id: key, bodyHash: hash, answer: JSON.stringify(answer) }
}

/** The refusal of a key that stands for something else already. */
export function usedForAnother(): Problem {
  return problem('idempotency_mismatch', 'This Idempotency-Key was used for something else. Take a new one.')
}
