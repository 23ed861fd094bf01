import type { ChildProcess } from 'node:child_process'
import { endOf, type ShadowGit } from './git.ts'

/** Reads contents out of the store, one after the other, with one process for all of them. */
export class BlobReader {
  readonly #child: ChildProcess
  readonly #over: Promise<never>
  readonly #ended: Promise<void>
  #buffer: Buffer = Buffer.alloc(0)
  #heard = Promise.withResolvers<void>()

  constructor(git: ShadowGit) {
    this.#child = git.start(['cat-file', '--batch'])
    this.#child.stdout?.on('data', (part: Buffer) => {
      this.#buffer = this.#buffer.length === 0 ? part : Buffer.concat([this.#buffer, part])
      this.#heard.resolve()
    })
    this.#child.stdin?.on('error', () => undefined)
    this.#ended = endOf(this.#child, 'cat-file')
    this.#over = this.#ended.then(() => {
      throw new Error('git ended too early')
    })
    this.#over.catch(() => undefined)
  }

  /** Throws where the store does not have it. */
  async read(oid: string): Promise<Buffer> {
    this.#child.stdin?.write(`${oid}\n`)
    const header = await this.#take((buffer) => buffer.indexOf(10) + 1)
    const size = /^[0-9a-f]{40} blob (\d+)$/.exec(header.toString().trim())?.[1]
    if (size === undefined) throw new Error(`the store does not have ${oid}`)
    const content = await this.#take((buffer) => (buffer.length > Number(size) ? Number(size) + 1 : 0))
    return content.subarray(0, Number(size))
  }

  async close(): Promise<void> {
    this.#child.stdin?.end()
    await this.#ended.catch(() => undefined)
  }

  /** Waits until as much is there as `length` wants; 0: not yet. */
  async #take(length: (buffer: Buffer) => number): Promise<Buffer> {
    for (;;) {
      const bytes = length(this.#buffer)
      if (bytes > 0) {
        const taken = this.#buffer.subarray(0, bytes)
        this.#buffer = this.#buffer.subarray(bytes)
        return taken
      }
      await Promise.race([this.#heard.promise, this.#over])
      this.#heard = Promise.withResolvers()
    }
  }
}
