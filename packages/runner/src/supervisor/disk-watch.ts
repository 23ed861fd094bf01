import { execFile } from 'node:child_process'
import { findProgram } from '../process/find-program.ts'

/** The first look comes after this, and the next ones not sooner. */
const lookEveryMs = 2_000

/** To look takes time of the disk that the agent could use: of all time no more than one part in so many. */
const restParts = 20

/** A folder that takes longer to look through is not measured this time. */
const lookMaxMs = 60_000

/** What a watch of the disk works with. */
export interface DiskPorts {
  folder: string
  /** Where the program that measures is looked for. */
  path: string | undefined
  /** It has a limit, and works. */
  isWanted: () => boolean
  measured: (bytes: number) => void
}

/**
 * Measures what the folder of an agent takes up, while that matters. The system's own `du` does it: it counts blocks, so that
 * a file with holes is as small as it is, and a link counts once; and it leaves this process alone. Where there is none (Windows),
 * nothing is measured.
 */
export class DiskWatch implements Disposable {
  readonly #ports: DiskPorts
  readonly #over = new AbortController()
  readonly #program: string | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(ports: DiskPorts) {
    this.#ports = ports
    this.#program = findProgram('du', ports.path)
    this.#later(lookEveryMs)
  }

  #later(ms: number): void {
    if (this.#over.signal.aborted || this.#program === undefined) return
    this.#timer = setTimeout(() => this.#look(), ms)
    this.#timer.unref()
  }

  #look(): void {
    const { folder, isWanted, measured } = this.#ports
    if (this.#program === undefined || !isWanted()) return this.#later(lookEveryMs)
    const startedMs = performance.now()
    const { signal } = this.#over
    const how = { env: {}, signal, timeout: lookMaxMs, killSignal: 'SIGKILL' } as const
    // What it may not read it leaves out, says so by its exit code, and counts the rest.
    execFile(this.#program, ['-skx', '--', folder], how, (_error, said) => {
      const kilobytes = /^\d+/.exec(said)?.[0]
      if (kilobytes !== undefined && !signal.aborted) measured(Number(kilobytes) * 1024)
      this.#later(Math.max(lookEveryMs, (performance.now() - startedMs) * restParts))
    })
  }

  [Symbol.dispose](): void {
    this.#over.abort()
    clearTimeout(this.#timer)
  }
}
