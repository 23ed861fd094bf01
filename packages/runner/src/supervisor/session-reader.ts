import { rmdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Follow } from '@hotline/client/link'
import type { Envelope } from '@hotline/protocol/event'
import { isLive } from '@hotline/protocol/session-status'
import type { Log } from '../log.ts'
import type { ServerLink } from '../server-link.ts'
import { readMemo, removeMemo, writeMemo } from './memo.ts'
import { SessionLog } from './session-log.ts'

/** Events after which it is written down how far a session was read. */
const rememberEvery = 2_000

/** Who wants to know what is read. */
export interface Reading {
  /** An event that is new, already folded; not those of the past that are read at the beginning. */
  happened(event: Envelope): void
  /** An event that comes again in its place, and may be acted on now. */
  urgent(event: Envelope): void
  /** An event of a log that took the place of another one, folded: what is in it may be known already. */
  recalled(event: Envelope): void
  /** All of that log is folded, and is the truth now. */
  replaced(): void
  /** The stream cannot be followed any more. */
  gone(): void
}

/** Reads a session's stream, from where an earlier life of this runner left off, and folds it. */
export class SessionReader {
  readonly log = new SessionLog()
  readonly #link: ServerLink
  readonly #stream: string
  readonly #memoFile: string
  readonly #reading: Reading
  readonly #notes: Log
  readonly #arrival = Promise.withResolvers<'here' | 'gone'>()
  #follow: Follow | undefined
  #isHere = false
  #isReplaced = false
  #unremembered = 0

  constructor(link: ServerLink, stream: string, memoFile: string, notes: Log, reading: Reading) {
    this.#link = link
    this.#stream = stream
    this.#memoFile = memoFile
    this.#notes = notes
    this.#reading = reading
  }

  /** Resolves when everything that was committed is folded, or when it never will be. */
  open(): Promise<'here' | 'gone'> {
    const memo = readMemo(this.#memoFile)
    if (memo) this.log.recall(memo.remembered)
    this.#read(memo?.cursor ?? '0')
    return this.#arrival.promise
  }

  /** Nobody waits for the beginning any more. */
  giveUp(): void {
    this.#arrival.resolve('gone')
  }

  /** Stops reading. What may be wanted again is remembered: `session`; what is over is forgotten. */
  close(keep: 'session' | 'nothing'): void {
    const { state } = this.log
    if (keep === 'session' && state && isLive(state.status)) this.remember()
    else {
      removeMemo(this.#memoFile)
      removeEmptyFolder(dirname(this.#memoFile))
    }
    this.#follow?.close()
  }

  #read(after: string): void {
    this.#follow = this.#link.follow(this.#stream, after, {
      events: (events) => {
        for (const event of events) {
          this.log.apply(event)
          if (this.#isHere) this.#reading.happened(event)
          else if (this.#isReplaced) this.#reading.recalled(event)
        }
        this.#unremembered += events.length
        if (this.#unremembered > rememberEvery) this.remember()
      },
      caughtUp: () => this.#arrived(),
      urgent: (event) => this.#reading.urgent(event),
      reset: () => this.#readAnew(),
      ended: () => {
        this.#arrival.resolve('gone')
        this.#reading.gone()
      },
    })
  }

  #arrived(): void {
    if (this.#isHere) return
    this.#isHere = true
    this.#arrival.resolve('here')
    if (!this.#isReplaced) return
    this.#isReplaced = false
    this.#reading.replaced()
  }

  /** The log had another life, or the memo was of one. */
  #readAnew(): void {
    this.#notes.warn('the log of a session is read anew', { stream: this.#stream })
    this.#isReplaced = true
    this.#isHere = false
    this.log.clear()
    removeMemo(this.#memoFile)
    this.#read('0')
  }

  /** Writes down what is known, for the next life of this runner. */
  remember(): void {
    this.#unremembered = 0
    const remembered = this.log.remember()
    const cursor = this.#follow?.cursor
    if (!remembered || cursor === undefined || !this.#isHere) return
    try {
      writeMemo(this.#memoFile, { cursor, remembered })
    } catch (error) {
      this.#notes.warn('session not remembered', { stream: this.#stream, error: String(error) })
    }
  }
}

function removeEmptyFolder(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Something in it is kept, for example what could not be delivered.
  }
}
