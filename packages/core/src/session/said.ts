import type { Actor } from '@hotline/protocol/actor'
import type { Attachment } from '@hotline/protocol/attachment'
import type { Envelope } from '@hotline/protocol/event'
import type { Quote } from '@hotline/protocol/events/message'
import { asKnown } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import type { Sign } from '@hotline/protocol/sign'

/** A sign under a message, and who put it there. */
export interface GivenSign {
  sign: Sign
  by: Actor
}

/** What the rules know of a message that commands are about. The state of a session keeps none that was read. */
export interface Said {
  role: 'person' | 'agent' | 'system'
  by: Actor
  /** How it begins, a little longer than is quoted. */
  text: string
  signs: readonly GivenSign[]
}

/** Messages by their ids. */
export type SaidById = ReadonlyMap<string, Said>

/** A message after an event about it; undefined before it began. */
export function evolveSaid(said: Said | undefined, event: Envelope): Said | undefined {
  const known = asKnown(event)
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others change nothing of what is known here
  switch (known?.type) {
    case 'message.posted':
      return { role: known.data.role, by: known.actor, text: beginning(wordsOf(known.body)), signs: said?.signs ?? [] }
    case 'message.delta':
      if (!said) return { role: 'agent', by: known.actor, text: beginning(known.body?.text), signs: [] }
      return said.text.length > limits.quoteChars
        ? said
        : { ...said, text: beginning(said.text + (known.body?.text ?? '')) }
    case 'message.completed':
      return { role: 'agent', by: known.actor, text: beginning(wordsOf(known.body)), signs: said?.signs ?? [] }
    case 'message.edited':
      return said && { ...said, text: beginning(known.body?.text) }
    // What was taken back is quoted by nobody.
    case 'message.withdrawn':
      return said && known.data.reason === undefined ? { ...said, text: '' } : said
    case 'message.reacted':
      return said && { ...said, signs: withSign(said.signs, { sign: known.data.sign, by: known.actor }, known.data.on) }
    default:
      return said
  }
}

/** Those messages after more events of their stream. */
export function evolveSaidById(said: SaidById, events: readonly Envelope[]): SaidById {
  let after = said
  for (const event of events) {
    if (event.subject?.startsWith(subjectStart) !== true) continue
    const message = event.subject.slice(subjectStart.length)
    const before = after.get(message)
    const now = evolveSaid(before, event)
    if (now && now !== before) after = new Map(after).set(message, now)
  }
  return after
}

const subjectStart = 'message:'

/** What stands over a reply; undefined where nothing was said, or it was erased. */
export function quoteOf({ role, by, text }: Said): Quote | undefined {
  if (text.trim() === '') return undefined
  const isWhole = text.length <= limits.quoteChars
  return { role, by, text: isWhole ? text : `${text.slice(0, limits.quoteChars).toWellFormed()}…` }
}

function beginning(text = ''): string {
  return text.slice(0, limits.quoteChars + 1)
}

/** What is said, or where that is nothing, what it came with. */
function wordsOf(body: { text: string; attachments?: readonly Attachment[] | undefined } | undefined): string {
  return body?.text || namesOf(body?.attachments)
}

/** The names of files, for where nothing else was said. */
export function namesOf(files: readonly Pick<Attachment, 'name'>[] = []): string {
  return files.map(({ name }) => name).join(', ')
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
