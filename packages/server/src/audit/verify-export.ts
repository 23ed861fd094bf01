import type { z } from 'zod'
import { chainSeed } from '../log/chain-hasher.ts'
import { brokenHeader, ChainWalk, type StoredRow } from '../log/stored-row.ts'
import { EventLine, FirstLine, LastLine, StreamLine } from './chain-lines.ts'
import type { HeadBook } from './head-book.ts'
import { splitLines } from './split-lines.ts'

/** The first of a stream that does not hold, and why. */
export interface ChainFault {
  stream: string
  /** The position of the event; 0 where it is the stream as a whole. */
  seq: number
  what: string
}

/** What was found: how much of it holds, and what does not. */
export interface ChainProof {
  /** What it is a proof of: one stream, or `all`. */
  of: string
  streams: number
  /** Those that hold. */
  events: number
  /** Signed heads that were met by the events that they name. */
  heads: number
  faults: readonly ChainFault[]
}

/**
 * Goes over an export, line by line, without a server and without memory of what was before. Names the first event of each
 * stream that does not hold. With signed heads it also finds what a whole chain cannot tell: that its end was cut off, or that
 * all of it was made anew.
 */
export async function verifyExport(bytes: AsyncIterable<Uint8Array>, heads?: HeadBook): Promise<ChainProof> {
  const proof = new ExportProof(heads)
  try {
    for await (const line of splitLines(bytes)) proof.take(line)
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    proof.unreadable(error.message)
  }
  return proof.end()
}

/** The state of one reading. */
class ExportProof {
  readonly #heads: HeadBook | undefined
  readonly #faults: ChainFault[] = []
  readonly #seen = new Set<string>()
  #of: string | undefined
  #stream: { line: z.infer<typeof StreamLine>; walk: ChainWalk; broken: boolean } | undefined
  #events = 0
  #counted = 0
  #headsMet = 0
  #lines = 0
  #last: z.infer<typeof LastLine> | undefined

  constructor(heads: HeadBook | undefined) {
    this.#heads = heads
  }

  take(text: string): void {
    this.#lines += 1
    if (this.#last) throw new TypeError('there is something after its end')
    const value = readExactly(text)
    if (this.#of === undefined) {
      const first = FirstLine.safeParse(value)
      if (!first.success) throw new TypeError('it does not begin as an export of a chain does')
      this.#of = first.data.of
      return undefined
    }
    const event = EventLine.safeParse(value)
    if (event.success) return this.#takeEvent(event.data)
    const stream = StreamLine.safeParse(value)
    if (stream.success) return this.#begin(stream.data)
    const last = LastLine.safeParse(value)
    if (!last.success) return this.unreadable(`line ${this.#lines} is none of an export`)
    this.#finish()
    this.#last = last.data
    return undefined
  }

  /** The line cannot be read: it stands where the next event should. */
  unreadable(what: string): void {
    const stream = this.#last === undefined ? this.#stream : undefined
    if (stream?.broken) return
    this.#fault(stream?.line.stream ?? this.#of ?? '', stream ? stream.walk.end.seq + 1 : 0, what)
    if (stream) stream.broken = true
  }

  end(): ChainProof {
    if (this.#last === undefined) {
      this.#finish()
      if (this.#faults.length === 0) this.#fault(this.#of ?? '', 0, 'the export ends before its last line')
    } else {
      const { streams, events } = this.#last.end
      if (streams !== this.#seen.size || events !== this.#counted) {
        const what = `it says that it holds ${streams} streams and ${events} events, and holds ${this.#seen.size} and ${this.#counted}`
        this.#fault(this.#of ?? '', 0, what)
      }
    }
    const of = this.#of ?? ''
    for (const stream of this.#heads?.streams() ?? []) {
      if (this.#seen.has(stream) || (of !== 'all' && of !== stream)) continue
      this.#fault(stream, 1, 'there is a signed head of this stream, and none of its events')
    }
    return {
      of,
      streams: this.#seen.size,
      events: this.#events,
      heads: this.#headsMet,
      faults: this.#faults,
    }
  }

  #begin(line: z.infer<typeof StreamLine>): void {
    this.#finish()
    const { stream, epoch } = line
    const walk = new ChainWalk({ stream, epoch, seq: 0, hash: chainSeed(stream, epoch) })
    const isWanted = !this.#seen.has(stream) && (this.#of === 'all' || this.#of === stream)
    this.#stream = { line, walk, broken: !isWanted }
    if (!isWanted)
      this.#fault(stream, 1, this.#seen.has(stream) ? 'it is there twice' : `this is an export of ${this.#of}`)
    this.#seen.add(stream)
  }

  #takeEvent(line: z.infer<typeof EventLine>): void {
    this.#counted += 1
    const stream = this.#stream
    if (!stream) return this.unreadable('there is an event before the first stream')
    if (stream.broken) return undefined
    const expected = stream.walk.end.seq + 1
    const row = rowOf(line)
    const step = stream.walk.step(row)
    const why = 'broken' in step ? step.broken : brokenHeader(stream.line.stream, row)
    const rebuilt = why === undefined ? this.#heads?.differs(stream.line, { seq: row.seq, hash: line.hash }) : undefined
    const broken = why ?? rebuilt
    if (broken === undefined) {
      this.#events += 1
      this.#headsMet += this.#heads?.countAt(stream.line.stream, row.seq) ?? 0
      return undefined
    }
    stream.broken = true
    return this.#fault(stream.line.stream, expected, broken)
  }

  #finish(): void {
    const stream = this.#stream
    if (!stream || stream.broken) return
    stream.broken = true
    const { seq, hash } = stream.walk.end
    const { stream: name, head } = stream.line
    if (seq < head) return this.#fault(name, seq + 1, `event ${seq + 1} is missing`)
    if (seq > head) return this.#fault(name, head + 1, 'the head of the stream lies before its last event')
    if (Buffer.from(hash).toString('hex') !== stream.line.hash)
      return this.#fault(name, head, 'the head of the stream has another hash than its last event')
    const beyond = this.#heads?.beyond(name, seq)
    if (beyond !== undefined) this.#fault(name, seq + 1, beyond)
    return undefined
  }

  #fault(stream: string, seq: number, what: string): void {
    this.#faults.push({ stream, seq, what })
  }
}

/** A line means one thing: what would be written otherwise by us was changed by somebody else. */
function readExactly(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === text ? value : undefined
  } catch {
    return undefined
  }
}

function rowOf({ seq, header, salt, body, digest, hash }: z.infer<typeof EventLine>): StoredRow {
  const bytes = (hex: string | undefined): Uint8Array | null => (hex === undefined ? null : Buffer.from(hex, 'hex'))
  return {
    seq,
    type: '',
    subject: null,
    header: Buffer.from(header),
    salt: bytes(salt),
    body: body === undefined ? null : Buffer.from(body),
    digest: bytes(digest),
    hash: Buffer.from(hash, 'hex'),
  }
}
