import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { type HolderReach, openLocalHolder } from '../process/local-holder.ts'
import { hearLines, type KeeperAnswer, type KeeperRequest, keeperVersion } from './frames.ts'
import { Kept } from './kept.ts'
import { keeperPidFile, keptChildrenFolder, keptFolder, withSocketPath } from './places.ts'

/** A keeper that keeps nothing and hears nobody ends after this. */
const idleMs = 10_000

/** Whoever is still there when it is told to end has nobody who hears its last words. */
const quitGraceMs = 1_000

/**
 * Owns the processes of agents for the runner of a folder, which may come and go. It decides nothing, and knows nothing of
 * agents: it starts what it is told to, writes down what it prints, and passes on what goes into it. Whoever connects last
 * is its runner.
 */
export class Keeper implements AsyncDisposable {
  readonly #folder: string
  readonly #holder
  readonly #kept = new Map<string, Kept>()
  readonly #server = createServer((socket) => this.#connected(socket))
  readonly #over: () => void
  #runner: Socket | undefined
  #idle: NodeJS.Timeout | undefined
  #count = 0
  #isOver = false

  /** `over`: it has nothing to do any more, or was told to end. */
  constructor(folder: string, reach: HolderReach, over: () => void) {
    this.#folder = folder
    this.#over = over
    this.#holder = openLocalHolder({ folder: keptChildrenFolder(folder), reach })
  }

  /** Listens. Rejects with what the system says. */
  async open(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    chmodSync(this.#folder, 0o700)
    writeFileSync(keeperPidFile(this.#folder), `${process.pid}\n`, { mode: 0o600 })
    await withSocketPath(this.#folder, (path) => {
      rmSync(path, { force: true })
      return new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen(path, () => {
          chmodSync(path, 0o600)
          resolve()
        })
      })
    })
    this.#rest()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    clearTimeout(this.#idle)
    this.#server.close()
    await this.#holder[Symbol.asyncDispose]()
    for (const kept of this.#kept.values()) kept[Symbol.dispose]()
    this.#runner?.end()
  }

  #connected(socket: Socket): void {
    this.#runner?.destroy()
    this.#runner = socket
    clearTimeout(this.#idle)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (this.#runner !== socket) return
      this.#runner = undefined
      this.#rest()
    })
    const say = (answer: KeeperAnswer): void => {
      if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`)
    }
    say({ hello: keeperVersion, pid: process.pid, processes: [...this.#kept.values()].map(({ facts }) => facts) })
    hearLines(socket, (message) => {
      const { id, ...request } = message as KeeperRequest & { id: number }
      this.#serve(request).then(
        (value) => say({ id, ok: true, value }),
        (error: unknown) => say({ id, ok: false, error: error instanceof Error ? error.message : String(error) }),
      )
    })
  }

  /** What a request changes, it changes before the next one is read, but for what the system takes its time for. */
  async #serve(request: KeeperRequest): Promise<unknown> {
    switch (request.do) {
      case 'start': {
        const { spec, size } = request
        const held = size ? await this.#holder.startTerminal(spec, size) : await this.#holder.start(spec)
        this.#count += 1
        const p = `${held.pid}-${this.#count}`
        const kept = new Kept(p, keptFolder(this.#folder, p), request, held, (state) => this.#tell(state))
        this.#kept.set(p, kept)
        return kept.facts
      }
      case 'write':
        return await this.#find(request.p).write(request.at, request.data, request.note)
      case 'note':
        return this.#find(request.p).note(request.at, request.note)
      case 'close': {
        const { held } = this.#find(request.p)
        if ('stdin' in held) held.stdin.end()
        return undefined
      }
      case 'resize': {
        const { held } = this.#find(request.p)
        if ('resize' in held) held.resize(request.size)
        return undefined
      }
      case 'end':
        return await this.#find(request.p).held.end(request.graceMs)
      case 'tree': {
        const { held } = this.#find(request.p)
        const calls = { freeze: () => held.freeze(), thaw: () => held.thaw(), sample: () => held.sample() }
        return await calls[request.what]()
      }
      case 'read':
        return this.#find(request.p).wasRead(request.out, request.err)
      case 'release':
        return this.#find(request.p).release(request.out, request.err)
      case 'forget': {
        const kept = this.#kept.get(request.p)
        if (!kept) return undefined
        await kept.held.end(0)
        this.#kept.delete(request.p)
        kept[Symbol.dispose]()
        return undefined
      }
      case 'quit':
        await Promise.all([...this.#kept.values()].map(({ held }) => held.end(quitGraceMs)))
        setImmediate(this.#over)
        return undefined
      default:
        throw new Error(`This keeper does not know "${String((request as { do?: unknown }).do)}".`)
    }
  }

  #find(p: string): Kept {
    const kept = this.#kept.get(p)
    if (!kept) throw new Error('There is no such process.')
    return kept
  }

  #tell(state: unknown): void {
    const runner = this.#runner
    if (runner?.writable) runner.write(`${JSON.stringify({ state })}\n`)
  }

  #rest(): void {
    clearTimeout(this.#idle)
    if (this.#isOver) return
    this.#idle = setTimeout(() => {
      if (this.#kept.size === 0 && !this.#runner) this.#over()
    }, idleMs)
  }
}
