import { setImmediate as turn } from 'node:timers/promises'
import type { Exit } from '@hotline/protocol/events/session'
import type {
  ByteSink,
  ByteSource,
  HeldProcess,
  HeldTerminal,
  HeldTree,
  Standstill,
  TerminalSize,
} from '../process/holder.ts'
import type { Attachment, Replay } from '../process/lasting.ts'
import type { KeptFacts, PastInput, ProcessState, TreeCall } from './frames.ts'
import type { KeeperLink } from './keeper-link.ts'
import { Past } from './past.ts'
import { RawReader } from './raw-spool.ts'

/** Bytes that are read of a file at once. */
const pieceBytes = 16 * 1024

/** A conversation that has grown past this cannot be gone through once more: what was read of it is released from then on. */
const rebuildBytes = 64 * 1024 * 1024

/** It is told so often how far was read. */
const readBytes = 128 * 1024

/** It is told so often what is not needed any more. */
const releaseBytes = 512 * 1024

/** How a process ended that nobody has seen end. */
const unseen: Exit = { code: null, signal: null }

/** What a kept process needs of the one who found it. */
export interface KeptPorts {
  link: KeeperLink
  /** Where the keeper writes what it prints. */
  folder: string
  facts: KeptFacts
  /** Where to begin. */
  from: { out: number; err: number; cut?: number | undefined }
  /** What went into it, to be gone through once more. */
  past: PastInput[]
  /** Its output is needed from the start, in case it has to be taken up again. */
  isWhole: boolean
  /** Resolves when nothing is left of the processes of a keeper that is gone. */
  lost: Promise<void>
}

/** A process in the hands of a keeper, as the runner works with it: either with three pipes or with a terminal. */
export class KeptProcess {
  readonly pid: number
  readonly startedAt: string
  readonly exited: Promise<Exit>
  readonly stdin: ByteSink
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  readonly past: Past
  readonly #ports: KeptPorts
  readonly #caughtUp = Promise.withResolvers<void>()
  /** What was there when it was found: so far is the past. */
  readonly #presentAt: number
  #state: ProcessState
  #changed: (() => void)[] = []
  #fed: number
  #handled: number
  #released = { out: 0, err: 0 }
  readonly #readTo = { out: 0, err: 0 }
  #toldRead = 0
  #hear: ((bytes: Uint8Array) => void) | undefined
  #isPaused = false
  #noted: unknown
  #goOn: () => void = () => undefined
  #ending: Promise<readonly number[]> | undefined

  constructor(ports: KeptPorts) {
    this.#ports = ports
    const { facts, from, link, past, lost } = ports
    this.pid = facts.pid
    this.startedAt = facts.startedAt
    this.#state = facts
    this.#fed = from.out
    this.#handled = from.out
    this.#presentAt = facts.out
    this.past = new Past(past)
    link.watch(facts.p, (state) => {
      this.#state = state
      this.#wake()
    })
    const exit = Promise.withResolvers<Exit>()
    const look = (): void => {
      if (this.#state.exit) exit.resolve(this.#state.exit)
      else this.#changed.push(look)
    }
    look()
    void link.closed.then(async () => {
      this.#wake()
      await lost
      exit.resolve(this.#state.exit ?? unseen)
    })
    this.exited = exit.promise
    this.stdin = this.#openInput()
    this.stdout = this.#openSource('out', from.out)
    this.stderr = this.#openSource('err', from.err)
  }

  /** As a process with pipes. */
  get asProcess(): HeldProcess {
    const { pid, startedAt, exited, stdin, stdout, stderr, past } = this
    const { from } = this.#ports
    const isPast = (): boolean => this.#isPast
    return {
      pid,
      startedAt,
      from,
      // Whoever goes through its past hears of its end behind that.
      exited: this.#caughtUp.promise.then(() => exited),
      stdin,
      stdout,
      stderr,
      get isPast() {
        return !past.isEmpty || isPast()
      },
      handled: () => {
        this.#handled = this.#fed
      },
      end: (graceMs) => this.end(graceMs),
      ...this.#tree,
    }
  }

  /** As a process with a terminal. */
  get asTerminal(): HeldTerminal {
    const { pid, startedAt, exited } = this
    const { from } = this.#ports
    // Its end is told after its last byte.
    const read = Promise.withResolvers<void>()
    return {
      pid,
      startedAt,
      from,
      exited: Promise.all([exited, read.promise]).then(([exit]) => exit),
      write: (bytes) => this.stdin.write(bytes, () => undefined),
      resize: (size: TerminalSize) => this.#tell({ do: 'resize', p: this.#state.p, size }),
      pause: () => {
        this.#isPaused = true
      },
      resume: () => {
        this.#isPaused = false
        this.#goOn()
      },
      onBytes: (hear) => {
        this.#hear = hear
        void this.#pump().then(read.resolve)
      },
      end: (graceMs) => this.end(graceMs),
      ...this.#tree,
    }
  }

  end(graceMs: number): Promise<readonly number[]> {
    this.#ending ??= this.#end(graceMs)
    return this.#ending
  }

  /**
   * Of a conversation that will be gone through again it goes ahead: what was noted is done then. Of any other process it goes
   * with what is written next, so that there is never one without the other.
   */
  note(note: unknown): void {
    const alone = (): void => this.#tell({ do: 'note', p: this.#state.p, at: this.#handled, note })
    if (this.#ports.isWhole) return alone()
    this.#noted = note
    queueMicrotask(() => {
      if (this.#noted === note) alone()
      this.#noted = undefined
    })
  }

  release({ out = 0, err = 0 }: { out?: number; err?: number }): void {
    const before = this.#released
    const now = { out: Math.max(out, before.out), err: Math.max(err, before.err) }
    if (now.out - before.out + (now.err - before.err) < releaseBytes) return
    this.#released = now
    this.#tell({ do: 'release', p: this.#state.p, ...now })
  }

  async forget(): Promise<void> {
    await this.#ports.link
      .request({ do: 'forget', p: this.#state.p })
      .catch(() => 'a keeper that is gone has forgotten')
  }

  async replay(through: Replay): ReturnType<Attachment['replay']> {
    this.past.begin(through)
    await Promise.race([this.#caughtUp.promise, this.past.failed])
    await through.idle()
  }

  get #tree(): HeldTree {
    const { link, facts } = this.#ports
    const { p, reach } = facts
    const ask = (what: TreeCall): Promise<unknown> => link.request({ do: 'tree', p, what })
    const gone = { done: false, reason: 'The keeper of the agent is gone.' } as const
    return {
      reach,
      freeze: () => ask('freeze').catch(() => gone) as Promise<Standstill>,
      thaw: () => ask('thaw').catch(() => gone) as Promise<Standstill>,
      sample: () => ask('sample').catch(() => undefined) as ReturnType<HeldTree['sample']>,
    }
  }

  get #isPast(): boolean {
    return this.#fed < this.#presentAt
  }

  async #end(graceMs: number): Promise<readonly number[]> {
    try {
      const left = await this.#ports.link.request({ do: 'end', p: this.#state.p, graceMs })
      return left as readonly number[]
    } catch {
      await this.#ports.lost
      return []
    }
  }

  #tell(request: Parameters<KeeperLink['request']>[0]): void {
    this.#ports.link.request(request).catch(() => 'its end is told otherwise')
  }

  #wake(): void {
    const waiting = this.#changed
    this.#changed = []
    for (const resolve of waiting) resolve()
  }

  #openInput(): ByteSink {
    const { link, facts } = this.#ports
    const { p } = facts
    let waiting = 0
    let isOpen = true
    // What was said before its end is said again, and it can be said.
    const isPast = (): boolean => !this.past.isEmpty
    const isWritable = (): boolean => isOpen && (isPast() || (!link.isClosed && this.#state.exit === undefined))
    return {
      get writable() {
        return isWritable()
      },
      get writableLength() {
        return waiting
      },
      write: (given, done) => {
        const bytes = Buffer.from(given)
        if (this.past.repeats(bytes)) return void setImmediate(done)
        if (!isWritable()) return void setImmediate(done, new Error('closed'))
        waiting += bytes.length
        const settle = (error?: Error): void => {
          waiting -= bytes.length
          if (error) isOpen = false
          done(error)
        }
        const note = this.#noted
        this.#noted = undefined
        const data = bytes.toString('base64')
        link.request({ do: 'write', p, at: this.#fed, data, ...(note === undefined ? {} : { note }) }).then(
          () => settle(),
          (error: unknown) => settle(error instanceof Error ? error : new Error(String(error))),
        )
      },
      end: () => {
        isOpen = false
        this.#tell({ do: 'close', p })
      },
      destroy: () => {
        isOpen = false
      },
    }
  }

  #openSource(name: 'out' | 'err', from: number): ByteSource {
    const stop = new AbortController()
    const bytes = this.#read(name, from, stop.signal)
    return {
      [Symbol.asyncIterator]: () => bytes[Symbol.asyncIterator](),
      destroy: () => {
        stop.abort()
        this.#wake()
      },
    }
  }

  async *#read(name: 'out' | 'err', from: number, stop: AbortSignal): AsyncGenerator<Buffer> {
    const reader = new RawReader(this.#ports.folder, name)
    try {
      for (let at = from; !stop.aborted;) {
        if (name === 'out') await this.#advance(at)
        const end = Math.min(this.#total(name, reader), name === 'out' ? this.#limit(at) : Number.POSITIVE_INFINITY)
        if (end > at) {
          const piece = reader.read(at, Math.min(pieceBytes, end - at))
          if (piece.length === 0) return
          at += piece.length
          if (name === 'out') this.#fed = at
          this.#wasRead(name, at)
          yield piece
          // A file is always there to be read, and one flood must not keep the others waiting.
          if (piece.length === pieceBytes) await turn()
        } else if (this.#hasEnded(name) && (name === 'err' || this.past.isEmpty)) return
        else await this.#change()
      }
    } finally {
      reader[Symbol.dispose]()
      if (name === 'out') this.#caughtUp.resolve()
    }
  }

  /** So far it need not wait for us. */
  #wasRead(name: 'out' | 'err', at: number): void {
    this.#readTo[name] = at
    const sum = this.#readTo.out + this.#readTo.err
    if (sum - this.#toldRead < readBytes) return
    this.#toldRead = sum
    this.#tell({ do: 'read', p: this.#state.p, ...this.#readTo })
  }

  /** What was given out before is dealt with: the reader has asked for more. */
  async #advance(at: number): Promise<void> {
    this.#handled = at
    await this.past.gate(at)
    if (this.past.isEmpty && at >= this.#presentAt) this.#caughtUp.resolve()
    if (this.#ports.isWhole && at > rebuildBytes) this.release({ out: at })
  }

  #limit(at: number): number {
    const { cut = 0 } = this.#ports.from
    return at < cut ? Math.min(cut, this.past.limit) : this.past.limit
  }

  #total(name: 'out' | 'err', reader: RawReader): number {
    // What it has written and could not tell any more is there as well.
    return this.#ports.link.isClosed ? reader.size : this.#state[name]
  }

  #hasEnded(name: 'out' | 'err'): boolean {
    return this.#ports.link.isClosed || (name === 'out' ? this.#state.outEnded : this.#state.errEnded)
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve))
  }

  async #pump(): Promise<void> {
    for await (const piece of this.stdout) {
      this.#hear?.(piece)
      while (this.#isPaused) {
        await new Promise<void>((resolve) => {
          this.#goOn = resolve
        })
      }
    }
  }
}
