import { setTimeout as pause } from 'node:timers/promises'
import type { Link } from '@hotline/client/link'
import { problem } from '@hotline/protocol/error'
import { inLine } from './approval-card.ts'
import { Failure } from './failure.ts'

/** Until then a server that is away may come back and answer what was typed; after it the program says what is not sent. */
const answerTimeoutMs = 15_000
/** After Ctrl-C nobody wants to wait: an answer that is under way still comes. */
const leaveTimeoutMs = 1_000
/** Lines that are named when they were not sent; of more, their number is. */
const namedMax = 5

/** What was typed, one after the other, each when the one before was answered. */
export interface TypedLines {
  take(line: string): void
  /** Resolves when all that was taken so far is answered. */
  taken(): Promise<void>
  /** Waits for the answers, for as long as they can come. Throws a `Failure` that names what has none. */
  answered(signal: AbortSignal | undefined): Promise<void>
  /** What has no answer, as a sentence. From here on nothing is sent. */
  giveUp(): Promise<{ unsent: readonly string[]; text: string } | undefined>
}

/** What sending lines needs. */
export interface TypedLinesPorts {
  link: Link
  /** Ends when the line is answered. */
  send: (line: string, isWanted: () => boolean) => Promise<void>
  /** Hears what `send` throws. */
  broken: (error: unknown) => void
  note: (text: string) => void
}

/** Sends one line after the other; each waits until the one before it is answered. */
export function openTypedLines({ link, send, broken, note }: TypedLinesPorts): TypedLines {
  const waiting: string[] = []
  let isOver = false
  let sending = Promise.resolve()
  const closed = Promise.withResolvers<void>()
  link.connection.watch(({ status }) => status === 'closed' && closed.resolve())

  async function sendOne(line: string): Promise<void> {
    if (isOver) return
    await send(line, () => !isOver)
    if (!isOver) waiting.shift()
  }

  const typed: TypedLines = {
    take: (line) => {
      waiting.push(line)
      sending = sending.then(() => sendOne(line))
      sending.catch(broken)
    },
    taken: () => sending,
    answered: async (signal) => {
      const done = new AbortController()
      const isLeaving = signal?.aborted === true
      const enough = isLeaving || !signal ? done.signal : AbortSignal.any([done.signal, signal])
      const timeoutMs = isLeaving ? leaveTimeoutMs : answerTimeoutMs
      if (waiting.length > 0 && !isLeaving && link.connection.value.status === 'waiting')
        note('Waiting until what was typed is answered. Ctrl-C gives it up.')
      // Ctrl-C ends the wait as the time does.
      const late = pause(timeoutMs, undefined, { signal: enough }).catch(() => undefined)
      await Promise.race([sending, closed.promise, late])
      done.abort()
      const left = await typed.giveUp()
      if (!left) return
      const detail = `No answer came. ${left.text}`
      throw new Failure(problem('unreachable', detail, { unsent: left.unsent }))
    },
    giveUp: async () => {
      isOver = true
      if (waiting.length === 0) return undefined
      // One at most is under way: the others wait for its answer.
      const tookBack = await Promise.all(link.outbox.value.map(({ id }) => link.takeBack(id)))
      const mayHaveArrived = tookBack.filter((done) => !done).length
      const [maybe, unsent] = [waiting.slice(0, mayHaveArrived), waiting.slice(mayHaveArrived)]
      waiting.length = 0
      const texts = [
        ...(maybe.length > 0 ? [`It may have arrived all the same: ${named(maybe)}.`] : []),
        ...(unsent.length > 0 ? [`Not sent: ${named(unsent)}.`] : []),
      ]
      return { unsent: [...maybe, ...unsent], text: texts.join(' ') }
    },
  }
  return typed
}

function named(lines: readonly string[]): string {
  const more = lines.length > namedMax ? `, and ${lines.length - namedMax} more` : ''
  return `${lines
    .slice(0, namedMax)
    .map((line) => `"${inLine(line)}"`)
    .join(', ')}${more}`
}
