import type { Transcript } from '@hotline/core/transcript/transcript'
import type { Problem } from '@hotline/protocol/error'
import { type Clock, systemClock } from './clock.ts'
import type { CommandOutcome, Link } from './link.ts'

/**
 * What another tab gave, or an earlier visit, leaves the outbox with its answer, and its event may come after that. Whoever
 * sees no event by then sees it go: it was refused, or taken back.
 */
const eventAfterMs = 2_000

/** A message of one's own that is not in the conversation yet: on its way, or refused. */
export interface UnsentMessage {
  /** The message will have this id in the conversation. */
  id: string
  text: string
  /** What comes with it. */
  files?: readonly { name: string }[] | undefined
  /** Why it was refused; absent while it is on its way. */
  problem?: Problem
}

/** One's own messages between Send and their place in the conversation. */
export interface Unsent extends Disposable {
  give(id: string, text: string, files?: UnsentMessage['files']): void
  answered(id: string, outcome: CommandOutcome): void
  /** What the conversation shows is no longer unsent. */
  seen(transcript: Transcript): void
  discard(id: string): void
}

/**
 * One's own messages to one stream from the moment they are given until the log has them, those that an earlier visit
 * left in the outbox included. An accepted message stays here until its event has come, so that it never blinks; one that
 * somebody else gave stays for as long as that may take.
 */
export function openUnsent(
  link: Link,
  stream: string,
  changed: (messages: readonly UnsentMessage[]) => void,
  clock: Clock = systemClock,
): Unsent {
  const messages = new Map<string, UnsentMessage>()
  /** Given here: their answers come here too. Of others the outbox tells when they have gone. */
  const own = new Set<string>()
  /** Of others, and no longer in the outbox: what ends the wait for their events. */
  const leaving = new Map<string, () => void>()
  /** Where the log has those that were accepted. */
  const places = new Map<string, number>()
  let transcript: Transcript | undefined
  const isShown = (id: string): boolean =>
    transcript !== undefined &&
    (transcript.places.has(`message:${id}`) || (places.get(id) ?? Number.POSITIVE_INFINITY) <= transcript.seq)
  const stay = (id: string): void => {
    leaving.get(id)?.()
    leaving.delete(id)
  }
  const drop = (id: string): boolean => {
    stay(id)
    own.delete(id)
    places.delete(id)
    return messages.delete(id)
  }
  const tell = (): void => changed([...messages.values()])

  function readOutbox(): void {
    const waiting = new Set<string>()
    for (const { id, stream: to, type, data } of link.outbox.value) {
      if (to !== stream || type !== 'message.send') continue
      waiting.add(id)
      const { text = '', attachments: files } = data as { text?: string; attachments?: { name: string }[] }
      if (!messages.has(id) && !isShown(id)) messages.set(id, { id, text, files })
    }
    for (const id of messages.keys()) {
      if (own.has(id) || waiting.has(id)) stay(id)
      else if (!leaving.has(id))
        leaving.set(
          id,
          clock.after(eventAfterMs, () => drop(id) && tell()),
        )
    }
    tell()
  }

  const leave = link.outbox.watch(readOutbox)
  if (link.outbox.value.length > 0) readOutbox()
  return {
    give: (id, text, files) => {
      own.add(id)
      messages.set(id, { id, text, files })
      tell()
    },
    answered: (id, outcome) => {
      const message = messages.get(id)
      if (!message) return
      if (!outcome.ok) messages.set(id, { ...message, problem: outcome.problem })
      else {
        places.set(id, outcome.accepted.seq)
        if (isShown(id)) drop(id)
      }
      tell()
    },
    seen: (now) => {
      transcript = now
      let gone = 0
      for (const id of messages.keys()) if (isShown(id) && drop(id)) gone += 1
      if (gone > 0) tell()
    },
    discard: (id) => {
      if (drop(id)) tell()
    },
    [Symbol.dispose]: () => {
      leave()
      for (const id of leaving.keys()) stay(id)
    },
  }
}
