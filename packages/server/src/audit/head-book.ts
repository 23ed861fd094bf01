import { believedKeys, isSignedByBoth, KeyChange } from './key-change.ts'
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

  /**
   * Reads lines of JSON, with the key that somebody has kept: the one that signs now or one from before, where the lines say how
   * one came after the other. Throws `HeadsRefused` for a line that is none, one that no believed key has signed, and one that a
   * key signed after it was withdrawn.
   */
  static async read(bytes: AsyncIterable<Uint8Array>, key: string): Promise<HeadBook> {
    const heads: { at: number; head: SignedHead }[] = []
    const changes: KeyChange[] = []
    let at = 0
    for await (const line of splitLines(bytes)) {
      at += 1
      const value = readJson(line)
      const head = SignedHead.safeParse(value)
      const change = head.success ? undefined : KeyChange.safeParse(value)
      if (head.success) heads.push({ at, head: head.data })
      else if (change?.success !== true) throw new HeadsRefused(`Line ${at} of the heads is no signed head.`)
      else if (!isSignedByBoth(change.data))
        throw new HeadsRefused(`Line ${at} of the heads was not signed by both keys.`)
      else changes.push(change.data)
    }
    const believed = believedKeys(key, changes)
    if ('doubtful' in believed) {
      throw new HeadsRefused(
        `Two keys are said to come after ${believed.doubtful}: somebody else has had it, or an older copy of it was put back.`,
      )
    }
    const book = new HeadBook()
    for (const one of heads) {
      refuseUnlessSigned(one, believed.until)
      book.#add(one.head)
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

function refuseUnlessSigned(
  { at, head }: { at: number; head: SignedHead },
  until: ReadonlyMap<string, string | undefined>,
): void {
  if (!until.has(head.key) || !isSignedBy(head, head.key)) {
    throw new HeadsRefused(`Line ${at} of the heads was not signed with this key, nor with one that it leads to.`)
  }
  const withdrawn = until.get(head.key)
  if (withdrawn === undefined || Date.parse(head.at) <= Date.parse(withdrawn)) return
  throw new HeadsRefused(
    `Line ${at} of the heads (${head.stream} event ${head.seq}) was signed at ${head.at} with a key that was withdrawn at ${withdrawn}.`,
  )
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
