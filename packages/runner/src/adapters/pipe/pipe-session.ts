import { setTimeout as pause } from 'node:timers/promises'
import type { Capabilities } from '@hotline/protocol/capabilities'
import type { ByteSource, HeldProcess, HeldTree } from '../../process/holder.ts'
import type { AgentEvent, AgentSession } from '../adapter.ts'
import { CountedText } from '../counted-text.ts'
import { AsksNothing } from '../asks-nothing.ts'
import { EventQueue } from '../event-queue.ts'

/** Bytes of output that may wait; past it the pipes are not read and the program waits. */
const queueBytes = 256 * 1024

/** A program that ended may have left others; they get so long for their last words. */
const orphanGraceMs = 500

/** A program whose input has ended may end by itself, as filters do, before it is asked to. */
const endOfInputMs = 500

/** In a terminal it ends the input; here as well, if nothing else is typed with it. */
const endOfInput = 4

/** What people wrote is named by so many characters where it did not arrive. */
const namedChars = 60

const capabilities: Capabilities = {
  input: 'lines',
  interrupt: false,
  pause: 'signal',
  resume: false,
  verdicts: [],
  denyReason: false,
  questions: false,
  screen: false,
}

/**
 * A program and its three pipes. It has no turns: nobody can tell whether what it prints answers what was written, so it is
 * at work while it runs. Once its input is closed, by itself or by a person, it takes nothing any more, and says so.
 */
export class PipeSession extends AsksNothing implements AgentSession {
  protected readonly withoutModes = 'A program has no modes.'
  readonly facts = {}
  readonly #held: HeldProcess
  readonly #queue = new EventQueue<AgentEvent>(queueBytes)
  #capabilities = capabilities
  #hasExited = false

  constructor(held: HeldProcess) {
    super()
    this.#held = held
    void this.#watch()
  }

  get pid(): number {
    return this.#held.pid
  }

  get startedAt(): string {
    return this.#held.startedAt
  }

  get tree(): HeldTree {
    return this.#held
  }

  get capabilities(): Capabilities {
    return this.#capabilities
  }

  events(): AsyncIterable<AgentEvent> {
    return this.#queue
  }

  /** One line, or several. Rejects where the program no longer reads. */
  async prompt(_turn: string, text: string): Promise<void> {
    const lines = text.replaceAll(/\r\n?/g, '\n')
    await this.#write(Buffer.from(lines.endsWith('\n') ? lines : `${lines}\n`), lines)
  }

  /** Bytes as they are, a line or not. */
  async keys(bytes: Uint8Array): Promise<void> {
    if (bytes.length !== 1 || bytes[0] !== endOfInput) return await this.#write(bytes, Buffer.from(bytes).toString())
    this.#held.stdin.end()
    this.#inputIsClosed('The input of the program was closed: nothing more reaches it.')
  }

  /** Its input ends first: one that reads to the end of it can still say what came of it. */
  async stop(graceMs: number): Promise<readonly number[]> {
    this.#held.stdin.end()
    if (graceMs > 0 && !this.#hasExited) {
      const patience = new AbortController()
      const waited = pause(Math.min(endOfInputMs, graceMs), undefined, { signal: patience.signal })
      await Promise.race([this.#held.exited, waited.catch(() => undefined)])
      patience.abort()
    }
    return await this.#held.end(graceMs)
  }

  resize(): void {
    // There is no terminal.
  }

  /** Resolves when the kernel has it. Until then the program has not read what was written before: the next one waits. */
  async #write(bytes: Uint8Array, text: string): Promise<void> {
    const { stdin } = this.#held
    const error = await new Promise<Error | null | undefined>((resolve) => {
      if (stdin.writable) stdin.write(bytes, resolve)
      else resolve(new Error('closed'))
    })
    if (!error) return
    const first = text.trim().split('\n', 1)[0] ?? ''
    const named = first.length > namedChars ? `${first.slice(0, namedChars).toWellFormed()}…` : first
    this.#inputIsClosed(`"${named}" did not reach the program: it no longer reads its input.`)
    throw new Error('The program no longer reads its input.', { cause: error })
  }

  #inputIsClosed(note: string): void {
    if (this.#hasExited) return
    this.#queue.push({ t: 'output', source: 'log', text: `${note}\n`, bytes: 0 })
    if (this.#capabilities.input === 'none') return
    this.#capabilities = { ...capabilities, input: 'none' }
    this.#queue.push({ t: 'profile', capabilities: this.#capabilities })
  }

  async #watch(): Promise<void> {
    const { stdin, stdout, stderr, exited, from } = this.#held
    const read = Promise.all([this.#read(stdout, 'stdout', from?.out), this.#read(stderr, 'stderr', from?.err)])
    const exit = await exited
    this.#hasExited = true
    stdin.destroy()
    const left = await this.#held.end(orphanGraceMs)
    // Who cannot be ended keeps the pipes open for ever.
    if (left.length > 0) for (const stream of [stdout, stderr]) stream.destroy()
    await read
    this.#queue.push({ t: 'exit', exit })
    this.#queue.end()
  }

  /** Each piece as it comes, whether its line has ended or not; the next one when there is room for it. */
  async #read(stream: ByteSource, source: 'stdout' | 'stderr', from: number | undefined): Promise<void> {
    const printed = new CountedText(from)
    const emit = ({ text, at }: { text: string; at: number }, bytes: number): void => {
      if (text !== '') this.#queue.push({ t: 'output', source, text, bytes, at }, 200 + bytes * 2)
    }
    try {
      for await (const chunk of stream) {
        emit(printed.push(chunk), chunk.length)
        await this.#queue.room()
      }
    } catch {
      // It was cut off: what came before it is told.
    }
    emit(printed.end(), 0)
  }
}
