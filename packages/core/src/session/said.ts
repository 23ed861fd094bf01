import type { Actor } from '@hotline/protocol/actor'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import type { Sign } from '@hotline/protocol/sign'

/** A sign under a message, and who put it there. */
export interface GivenSign {
  sign: Sign
  by: Actor
}

/** What the rules know of a message that commands are about. The state of a session keeps none that was read. */
export interface Said {
  role: 'person' | 'agent' | 'system'
  signs: readonly GivenSign[]
}

/** Messages by their ids. */
export type SaidById = ReadonlyMap<string, Said>

/** A message after an event about it; undefined before it began. */
export function evolveSaid(said: Said | undefined, event: Envelope): Said | undefined {
  const known = asKnown(event)
  if (known?.type === 'message.posted') return said ?? { role: known.data.role, signs: [] }
  if (known?.type === 'message.delta' || known?.type === 'message.completed')
    return said ?? { role: 'agent', signs: [] }
  if (known?.type !== 'message.reacted' || !said) return said
  return { ...said, signs: withSign(said.signs, { sign: known.data.sign, by: known.actor }, known.data.on) }
}

/** Those messages after more events of their stream; the same object where none is about them. */
export function evolveSaidById(said: SaidById, events: readonly Envelope[]): SaidById {
  let after = said
  for (const event of events) {
    const known = asKnown(event)
    if (known?.type !== 'message.reacted' && known?.type !== 'message.posted') continue
    const before = after.get(known.data.message)
    const now = evolveSaid(before, event)
    if (now && now !== before) after = new Map(after).set(known.data.message, now)
  }
  return after
}

/** Signs in the order in which they came, each of an actor once. */
export function withSign(signs: readonly GivenSign[], given: GivenSign, on: boolean): readonly GivenSign[] {
  const isThere = hasSign(signs, given)
  if (on) return isThere ? signs : [...signs, given]
  return isThere ? signs.filter((one) => !isSame(one, given)) : signs
}

/** Whether the actor has put this one there. */
export function hasSign(signs: readonly GivenSign[], given: GivenSign): boolean {
  return signs.some((one) => isSame(one, given))
}

function isSame(one: GivenSign, other: GivenSign): boolean {
  return one.sign === other.sign && one.by.kind === other.by.kind && one.by.id === other.by.id
}
