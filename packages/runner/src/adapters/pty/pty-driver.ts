import type { Capabilities } from '@hotline/protocol/capabilities'
import type { HeldTerminal, HeldTree, Holder, TerminalSize } from '../../process/holder.ts'
import { type AgentDriver, type AgentEvent, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
import { CountedText } from '../counted-text.ts'
import { AsksNothing } from '../asks-nothing.ts'
import { EventQueue } from '../event-queue.ts'

/** Bytes of output that may wait; past it the terminal is not read and the program waits. */
const queueBytes = 256 * 1024

/** A program that ended may have left others; they get so long for their last words. */
const orphanGraceMs = 500

const capabilities: Capabilities = {
  input: 'keys',
  interrupt: false,
  pause: 'signal',
  resume: false,
  verdicts: [],
  denyReason: false,
  questions: false,
  screen: true,
}

/** Starts any program in a terminal of its own. */
export const ptyDriver: AgentDriver = {
  adapter: 'pty',
  async start(spec: StartSpec, holder: Holder, signal: AbortSignal): Promise<AgentSession> {
    if (signal.aborted) throw new StartError('The start was called off.')
    const { session, argv, cwd, env, run, size = { cols: 120, rows: 40 } } = spec
    const terminal = await holder.startTerminal({ session, argv, cwd, env, run }, size).catch((cause: unknown) => {
      throw new StartError(`"${argv[0]}" could not be started: ${String(cause)}`, { cause })
    })
    return new PtySession(terminal)
  },
}

class PtySession extends AsksNothing implements AgentSession {
  protected readonly withoutModes = 'A terminal has no modes.'
  readonly capabilities = capabilities
  readonly facts = {}
  readonly #terminal: HeldTerminal
  readonly #queue = new EventQueue<AgentEvent>(queueBytes)
  readonly #printedText: CountedText
  #isPaused = false

  constructor(terminal: HeldTerminal) {
    super()
    this.#terminal = terminal
    this.#printedText = new CountedText(terminal.from?.out)
    terminal.onBytes((bytes) => this.#printed(bytes))
    void this.#watchExit()
  }

  get pid(): number {
    return this.#terminal.pid
  }

  get startedAt(): string {
    return this.#terminal.startedAt
  }

  get tree(): HeldTree {
    return this.#terminal
  }

  events(): AsyncIterable<AgentEvent> {
    return this.#queue
  }

  /** Types the message and presses Enter. */
  prompt(_turn: string, text: string): Promise<void> {
    this.#terminal.write(Buffer.from(`${text.replaceAll(/\r?\n/g, '\r')}\r`))
    return Promise.resolve()
  }

  keys(bytes: Uint8Array): Promise<void> {
    this.#terminal.write(bytes)
    return Promise.resolve()
  }

  resize(size: TerminalSize): void {
    this.#terminal.resize(size)
  }

  stop(graceMs: number): Promise<readonly number[]> {
    return this.#terminal.end(graceMs)
  }

  #printed(bytes: Uint8Array): void {
    this.#emit(this.#printedText.push(bytes), bytes.length)
    const room = this.#queue.room()
    if (!room || this.#isPaused) return
    this.#isPaused = true
    this.#terminal.pause()
    void room.then(() => {
      this.#isPaused = false
      this.#terminal.resume()
    })
  }

  #emit({ text, at }: { text: string; at: number }, bytes: number): void {
    if (text !== '') this.#queue.push({ t: 'output', source: 'pty', text, bytes, at }, 200 + bytes * 2)
  }

  async #watchExit(): Promise<void> {
    const exit = await this.#terminal.exited
    await this.#terminal.end(orphanGraceMs)
    this.#emit(this.#printedText.end(), 0)
    this.#queue.push({ t: 'exit', exit })
    this.#queue.end()
  }
}
