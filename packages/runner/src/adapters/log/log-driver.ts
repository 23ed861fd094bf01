import type { Capabilities } from '@hotline/protocol/capabilities'
import type { FilePlace } from '@hotline/protocol/events/output'
import { type AgentDriver, type AgentEvent, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
import { AsksNothing } from '../asks-nothing.ts'
import { EventQueue } from '../event-queue.ts'
import { FileFollower, type Followed } from './file-follower.ts'
import { identify } from './open-file.ts'

/** Bytes that may wait; past it the file is not read on. */
const queueBytes = 256 * 1024

const capabilities: Capabilities = {
  input: 'none',
  interrupt: false,
  pause: 'none',
  resume: false,
  verdicts: [],
  denyReason: false,
  questions: false,
  screen: false,
}

/** Follows a file that something else writes. Nothing is started, and nothing reaches whoever writes it. */
export const logDriver: AgentDriver = {
  adapter: 'log',
  async start(spec: StartSpec, _holder: unknown, signal: AbortSignal): Promise<AgentSession> {
    const { file } = spec
    if (!file) throw new StartError('There is no file to follow. Name one when you start the session.')
    await identify(file.path).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new StartError(`"${file.path}" cannot be followed: ${why}.`, { cause })
    })
    if (signal.aborted) throw new StartError('The start was called off.')
    return new LogSession(file)
  },
}

class LogSession extends AsksNothing implements AgentSession {
  protected readonly withoutModes = 'A file has no modes.'
  readonly pid = undefined
  readonly tree = undefined
  readonly startedAt = new Date().toISOString()
  readonly capabilities = capabilities
  readonly facts = {}
  readonly #queue = new EventQueue<AgentEvent>(queueBytes)
  readonly #enough = new AbortController()
  readonly #done: Promise<void>

  constructor(followed: Followed) {
    super()
    const follower = new FileFollower(followed, {
      room: () => this.#queue.room(),
      text: (text, bytes, place) => this.#emit('file', text, bytes, place),
      note: (sentence, place) => this.#emit('log', `${sentence}\n`, 0, place),
    })
    this.#done = this.#follow(follower)
  }

  events(): AsyncIterable<AgentEvent> {
    return this.#queue
  }

  async stop(): Promise<readonly number[]> {
    this.#enough.abort()
    this.#queue.release()
    await this.#done
    return []
  }

  prompt(): Promise<void> {
    return Promise.reject(new Error('Nothing reaches whoever writes a file.'))
  }

  keys(): Promise<void> {
    return this.prompt()
  }

  resize(): void {
    // There is no terminal.
  }

  async #follow(follower: FileFollower): Promise<void> {
    await follower.follow(this.#enough.signal)
    this.#queue.push({ t: 'exit', exit: { code: 0, signal: null } })
    this.#queue.end()
  }

  #emit(source: 'file' | 'log', text: string, bytes: number, place: FilePlace | undefined): void {
    this.#queue.push({ t: 'output', source, text, bytes, place }, 200 + bytes * 2)
  }
}
