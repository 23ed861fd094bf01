import { isSignedBy, SignedHead } from './signed-head.ts'
import { splitLines } from './split-lines.ts'

/** A file of heads cannot be used; the message says why. */
export class HeadsRefused extends Error {
  override readonly name = 'HeadsRefused'
}

/** Signed heads that were kept elsewhere, each of them checked with the key. They say what a log must still hold. */
export class HeadBook {
  readonly #heads = new Map<string, Map<number, SignedHead[]>>()
  readonly #last = new Map<string, SignedHead>()

  /** Reads lines of JSON. Throws `HeadsRefused` for one that is no head, or that the holder of the key has not signed. */
  static async read(bytes: AsyncIterable<Uint8Array>, key: string): Promise<HeadBook> {
    const book = new HeadBook()
    let at = 0
    for await (const line of splitLines(bytes)) {
      at += 1
      const head = SignedHead.safeParse(readJson(line))
      if (!head.success) throw new HeadsRefused(`Line ${at} of the heads is no signed head.`)
      if (!isSignedBy(head.data, key)) throw new HeadsRefused(`Line ${at} of the heads was not signed with this key.`)
      book.#add(head.data)
    }
    return book
  }

  streams(): Iterable<string> {
    return this.#heads.keys()
  }

  /** Every head of a stream, oldest first. */
  of(stream: string): readonly SignedHead[] {
    const heads = [...(this.#heads.get(stream)?.values() ?? [])].flat()
    return heads.toSorted((a, b) => a.seq - b.seq)
  }

  /** How many heads name this event. */
  countAt(stream: string, seq: number): number {
    return this.#heads.get(stream)?.get(seq)?.length ?? 0
  }

  /** Why an event is not the one that was signed; undefined where it is, or where none was. */
  differs(
    { stream, epoch }: { stream: string; epoch: string },
    event: { seq: number; hash: string },
  ): string | undefined {
    for (const head of this.#heads.get(stream)?.get(event.seq) ?? []) {
      if (head.hash === event.hash && head.epoch === epoch) continue
      return `it is not the event that was signed at ${head.at}: the log was changed and its chain made anew`
    }
    return undefined
  }

  /** Why a stream that ends at this position ends too early; undefined where nothing later was signed. */
  beyond(stream: string, end: number): string | undefined {
    const last = this.#last.get(stream)
    if (!last || last.seq <= end) return undefined
    return `the end was cut off: event ${last.seq} was signed at ${last.at}`
  }

  #add(head: SignedHead): void {
    const ofStream = this.#heads.get(head.stream) ?? new Map<number, SignedHead[]>()
    this.#heads.set(head.stream, ofStream.set(head.seq, [...(ofStream.get(head.seq) ?? []), head]))
    if (head.seq >= (this.#last.get(head.stream)?.seq ?? 0)) this.#last.set(head.stream, head)
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
