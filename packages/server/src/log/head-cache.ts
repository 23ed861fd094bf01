/** What a store remembers of a stream between two appends. */
export interface HeadEntry {
  no: number
  epoch: string
  head: number
  hash: Uint8Array
  generation: number
}

/** About 200 bytes each. A stream that is not here costs one more look into the database. */
const maxHeads = 10_000

/** The heads of the streams that were used last. */
export class HeadCache {
  readonly #heads = new Map<string, HeadEntry>()

  get(stream: string): HeadEntry | undefined {
    const entry = this.#heads.get(stream)
    if (entry === undefined) return undefined
    // A Map keeps the order of insertion: what was used last stands last.
    this.#heads.delete(stream)
    this.#heads.set(stream, entry)
    return entry
  }

  set(stream: string, entry: HeadEntry): void {
    this.#heads.delete(stream)
    this.#heads.set(stream, entry)
    if (this.#heads.size <= maxHeads) return
    const oldest = this.#heads.keys().next()
    if (oldest.done !== true) this.#heads.delete(oldest.value)
  }

  delete(stream: string): void {
    this.#heads.delete(stream)
  }

  clear(): void {
    this.#heads.clear()
  }
}
