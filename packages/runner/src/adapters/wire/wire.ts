import type { HeldProcess } from '../../process/holder.ts'
import type { AgentEvent } from '../adapter.ts'
import { CountedText } from '../counted-text.ts'
import type { EventQueue } from '../event-queue.ts'
import type { Breaker } from './breaker.ts'
import type { Ids } from './ids.ts'
import { type Line, LineSplitter } from './line-splitter.ts'

/** Hears every line as it was, before anybody has read it. */
export type Tee = (direction: 'in' | 'out', line: string) => void

/** Bytes of one line, where an adapter says nothing else; a longer one is dropped and counted, and people are told. */
const standardLineBytes = 1024 * 1024

/** A line that goes on counts as another fault with each so many bytes: one without an end is too much nonsense too. */
const growingBytes = 8 * 1024 * 1024

/** Bytes of ours that the agent has not read; past it, it is not read either. */
const unreadBytes = 1024 * 1024

/** Characters of stderr that are kept for the message about a failed start. */
const tailChars = 2_000

/** How long the pipes of a process that has ended may stay open: something that cannot be ended holds them. */
const drainDeadlineMs = 3_000

/** The three pipes of an agent, never mixed. */
export class Wire {
  readonly #held: HeldProcess
  readonly #queue: EventQueue<AgentEvent>
  readonly #tee: Tee | undefined
  readonly #lineBytes: number
  readonly #ids: Ids
  readonly #reading: Promise<unknown>
  #flushed: Promise<boolean> = Promise.resolve(true)
  #stopped = false
  #tail = ''
  #droppedLines = 0

  constructor(
    held: HeldProcess,
    queue: EventQueue<AgentEvent>,
    breaker: Breaker,
    tee: Tee | undefined,
    receive: (line: string) => void,
    ids: Ids,
    lineBytes: number = standardLineBytes,
  ) {
    this.#ids = ids
    this.#held = held
    this.#queue = queue
    this.#tee = tee
    this.#lineBytes = lineBytes
    this.#reading = Promise.allSettled([this.#readLines(breaker, receive), this.#readWords()])
  }

  /** Resolves when all that was sent so far is out of our hands: to false where it can no longer be read. */
  get flushed(): Promise<boolean> {
    return this.#flushed
  }

  get stderrTail(): string {
    return this.#tail.trim()
  }

  /** Resolves when the pipes are empty and closed, after the process has ended. */
  get drained(): Promise<void> {
    return new Promise((resolve) => {
      const giveUp = setTimeout(() => {
        this.stop()
        resolve()
      }, drainDeadlineMs)
      void this.#reading.then(() => {
        clearTimeout(giveUp)
        resolve()
      })
    })
  }

  send(line: string): void {
    this.#tee?.('out', line)
    const { stdin } = this.#held
    this.#flushed = new Promise((resolve) => {
      if (!stdin.writable) resolve(false)
      else stdin.write(line, (error) => resolve(!error))
    })
  }

  /** Reads nothing more. */
  stop(): void {
    this.#stopped = true
    this.#held.stdout.destroy()
    this.#held.stderr.destroy()
  }

  async #readLines(breaker: Breaker, receive: (line: string) => void): Promise<void> {
    const splitter = new LineSplitter(this.#lineBytes, growingBytes, this.#held.from?.out)
    this.#queue.at = splitter.at
    const take = (lines: Iterable<Line>): void => {
      for (const line of lines) {
        if (this.#stopped) return
        this.#queue.at = splitter.at
        this.#ids.moveTo(splitter.at)
        if ('text' in line) {
          this.#tee?.('in', line.text)
          receive(line.text)
        } else if ('growingBytes' in line) breaker.count('line too long', 'broken')
        else this.#tellDropped(line.droppedBytes)
      }
    }
    for await (const chunk of this.#held.stdout) {
      take(splitter.feed(chunk))
      this.#held.handled?.()
      if (this.#stopped) return
      await this.#queue.room()
      if (this.#held.stdin.writableLength > unreadBytes) await this.#flushed
    }
    take(splitter.end())
  }

  /** People see that something of what the agent said is missing, and how much. */
  #tellDropped(bytes: number): void {
    this.#droppedLines += 1
    const text =
      `Dropped a line of the agent with ${bytes} bytes; a line may have ${this.#lineBytes}. ` +
      `Dropped since its start: ${this.#droppedLines}.\n`
    this.#queue.push({ t: 'output', source: 'log', text, bytes: text.length })
  }

  async #readWords(): Promise<void> {
    const words = new CountedText(this.#held.from?.err)
    for await (const chunk of this.#held.stderr) {
      if (this.#stopped) return
      this.#words(words.push(chunk), chunk.length)
      await this.#queue.room()
    }
    this.#words(words.end(), 0)
  }

  #words({ text, at }: { text: string; at: number }, bytes: number): void {
    if (text === '') return
    const words = this.#tail + text
    this.#tail = words.length <= tailChars ? words : `…${words.slice(-tailChars)}`
    this.#queue.push({ t: 'output', source: 'stderr', text, bytes, at }, 200 + bytes * 2)
  }
}
