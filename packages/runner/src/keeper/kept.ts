import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Exit } from '@hotline/protocol/events/session'
import type { HeldProcess, HeldTerminal } from '../process/holder.ts'
import type { KeptFacts, PastInput, ProcessState, StartRequest } from './frames.ts'
import { RawSpool } from './raw-spool.ts'

/** A disk that is full, or fails, is tried again after this; until then the process waits. */
const retryMs = 500

/** Of a process whose inputs are not needed from the start, so many bytes of records are kept at least. */
const lastInputBytes = 256 * 1024

/** A piece at a time is read of a program, so that one that prints fast does not stand between the others and us. */
interface Stream {
  readonly spool: RawSpool
  hasEnded: boolean
  /** So far it was read. */
  readTo: number
  /** Resolves when there may be room again. */
  wake: () => void
}

/** One process in the hands of the keeper: what it prints goes to the disk, and what goes into it is recorded before. */
export class Kept implements Disposable {
  readonly p: string
  readonly held: HeldProcess | HeldTerminal
  readonly #request: StartRequest
  readonly #folder: string
  readonly #changed: (state: ProcessState) => void
  readonly #out: Stream
  readonly #err: Stream
  readonly #input: RawSpool
  #exit: Exit | undefined
  #isTold = true

  constructor(
    p: string,
    folder: string,
    request: StartRequest,
    held: HeldProcess | HeldTerminal,
    changed: (state: ProcessState) => void,
  ) {
    this.p = p
    this.held = held
    this.#request = request
    this.#folder = folder
    this.#changed = changed
    const stream = (name: string): Stream => ({
      spool: new RawSpool(folder, name),
      hasEnded: false,
      readTo: 0,
      wake: () => undefined,
    })
    this.#out = stream('out')
    this.#err = stream('err')
    this.#input = new RawSpool(folder, 'in')
    if ('stdout' in held) {
      void this.#read(this.#out, held.stdout)
      void this.#read(this.#err, held.stderr)
    } else this.#readTerminal(held)
    void held.exited.then((exit) => this.#ended(exit))
  }

  get facts(): KeptFacts {
    const { session } = this.#request.spec
    const { pid, startedAt, reach } = this.held
    const { memo, size } = this.#request
    return { ...this.state, session, memo, pid, startedAt, isTerminal: size !== undefined, reach }
  }

  get state(): ProcessState {
    const { spool: out, hasEnded: outEnded } = this.#out
    const { spool: err, hasEnded: errEnded } = this.#err
    return { p: this.p, out: out.size, err: err.size, outEnded, errEnded, exit: this.#exit }
  }

  /** Recorded first: what was recorded goes into the process as long as there is one. Resolves when the kernel has it. */
  write(at: number, data: string, note: unknown): Promise<void> {
    this.#record({ at, data, ...(note === undefined ? {} : { note }) })
    const bytes = Buffer.from(data, 'base64')
    const { held } = this
    if ('write' in held) {
      held.write(bytes)
      return Promise.resolve()
    }
    if (!held.stdin.writable) return Promise.reject(new Error('closed'))
    return new Promise((resolve, reject) => {
      held.stdin.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
  }

  note(at: number, note: unknown): void {
    this.#record({ at, note })
  }

  wasRead(out: number, err: number): void {
    for (const [stream, to] of [[this.#out, out] as const, [this.#err, err] as const]) {
      stream.readTo = Math.max(stream.readTo, to)
      stream.wake()
    }
  }

  release(out: number, err: number): void {
    this.#out.spool.release(out)
    this.#err.spool.release(err)
    this.#out.wake()
    this.#err.wake()
  }

  /** Removes all that is on the disk of it. */
  [Symbol.dispose](): void {
    for (const spool of [this.#out.spool, this.#err.spool, this.#input]) spool[Symbol.dispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #record(input: PastInput): void {
    this.#input.append(Buffer.from(`${JSON.stringify(input)}\n`))
    if (this.#request.inputs === 'last') this.#input.release(this.#input.size - lastInputBytes)
  }

  async #read(stream: Stream, source: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const chunk of source) {
        await this.#keep(stream, chunk)
        await this.#room(stream)
      }
    } catch {
      // It was cut off: what came before it is kept.
    }
    stream.hasEnded = true
    this.#tell()
  }

  #readTerminal(terminal: HeldTerminal): void {
    let keeping = Promise.resolve()
    let isPaused = false
    const hold = (): void => {
      if (!isPaused) terminal.pause()
      isPaused = true
    }
    const take = async (bytes: Uint8Array): Promise<void> => {
      await this.#keep(this.#out, bytes, hold)
      if (this.#isFull(this.#out)) hold()
      await this.#room(this.#out)
      if (isPaused) terminal.resume()
      isPaused = false
    }
    this.#err.hasEnded = true
    terminal.onBytes((bytes) => {
      keeping = keeping.then(() => take(bytes))
    })
    // Its end comes after its last byte.
    void terminal.exited.then(async () => {
      await keeping
      this.#out.hasEnded = true
      this.#tell()
    })
  }

  async #keep({ spool }: Stream, bytes: Uint8Array, hold: () => void = () => undefined): Promise<void> {
    for (;;) {
      try {
        spool.append(bytes)
        return this.#tell()
      } catch {
        hold()
        await pause(retryMs)
      }
    }
  }

  async #room(stream: Stream): Promise<void> {
    while (this.#isFull(stream)) {
      await new Promise<void>((resolve) => {
        stream.wake = resolve
      })
    }
  }

  #isFull({ spool, readTo }: Stream): boolean {
    const { unreleasedBytes, unreadBytes = unreleasedBytes } = this.#request
    return spool.unreleased > unreleasedBytes || spool.size - readTo > unreadBytes
  }

  #ended(exit: Exit): void {
    this.#exit = exit
    this.#tell()
  }

  /** What changes in one turn of the loop is told once. */
  #tell(): void {
    if (!this.#isTold) return
    this.#isTold = false
    setImmediate(() => {
      this.#isTold = true
      this.#changed(this.state)
    })
  }
}
