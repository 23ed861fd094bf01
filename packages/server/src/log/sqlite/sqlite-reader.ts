import { chainSeed } from '../chain-hasher.ts'
import { eraseBodies } from '../erase-bodies.ts'
import type { StoredBody } from '../erase-bodies.ts'
import { type EndRow, serveEnds } from '../serve-ends.ts'
import type {
  ChainPage,
  CommandKey,
  ErasedBodies,
  KnownCommand,
  ReadRange,
  StoredEvent,
  StreamHead,
  StreamSubject,
  SubjectEnds,
} from '../log-store.ts'
import { storableText } from '../row-statements.ts'
import { ChainWalk, unpackRow } from '../stored-row.ts'
import type { PackedRow, StoredRow } from '../stored-row.ts'
import { streamHead, type StreamRow } from '../stream-row.ts'
import { verifyChain } from '../verify-chain.ts'
import { place, placeOf, seqMax } from './event-place.ts'
import type { SqliteFile } from './sqlite-file.ts'

/** Joining gives text, which the cast turns back into the same bytes. */
const columns = `e.seq, e.type, e.subject,
  length(e.header) AS headerBytes, length(e.salt) AS saltBytes, length(e.body) AS bodyBytes, length(e.digest) AS digestBytes,
  CAST(e.header || ifnull(e.salt, x'') || ifnull(e.body, x'') || ifnull(e.digest, x'') || e.hash AS BLOB) AS packed`
const selectStream =
  'SELECT s.no, s.epoch, s.head, s.hash, s.generation, t.state FROM streams s LEFT JOIN states t ON t.no = s.no WHERE s.stream = ?'
const selectHash = `SELECT hash FROM events WHERE place = ${place}`
/** After one position and up to another: number, position, number, position. */
const between = `place > ${place} AND place <= ${place}`
const selectRange = `SELECT ${columns} FROM events e WHERE ${between} ORDER BY place LIMIT ?`
/** The index is named, because without statistics the planner walks the whole stream to spare itself the sorting. */
const selectSubjects = `SELECT ${columns}, p.hash AS previous FROM events e INDEXED BY events_by_subject
  LEFT JOIN events p ON p.place = e.place - 1
  WHERE e.no = ? AND e.subject IN (SELECT value FROM json_each(?)) AND e.place > ${place}
  ORDER BY e.place LIMIT ?`
const selectAt = `SELECT ${columns}, p.hash AS previous FROM events e
  LEFT JOIN events p ON p.place = e.place - 1
  WHERE e.place IN (SELECT ${placeOf('value')} FROM json_each(?)) ORDER BY e.place`
/** The order of the tables is forced, and both ends are looked up by the index: it ends with the place. */
const end = (which: 'min' | 'max'): string =>
  `(SELECT ${which}(place) FROM events INDEXED BY events_by_subject WHERE no = s.no AND subject = w.value ->> 1)`
const selectEnds = `SELECT w.key AS at, s.epoch, s.head, ${columns}, p.hash AS previous
  FROM json_each(?) w
  CROSS JOIN streams s ON s.stream = w.value ->> 0
  CROSS JOIN events e ON e.place IN (${end('min')}, ${end('max')})
  LEFT JOIN events p ON p.place = e.place - 1
  ORDER BY w.key, e.place`
const selectStreams = 'SELECT stream FROM streams WHERE stream > ? ORDER BY stream LIMIT ?'
const selectNo = 'SELECT no FROM streams WHERE stream = ?'
const selectCommand = 'SELECT body_hash AS bodyHash, answer FROM commands WHERE no = ? AND principal = ? AND id = ?'
const selectBodies = `SELECT seq, salt, body FROM events WHERE ${between} AND body IS NOT NULL ORDER BY place LIMIT ?`
const selectBodiesOf = `SELECT seq, salt, body FROM events INDEXED BY events_by_subject
  WHERE no = ? AND subject = ? AND ${between} AND body IS NOT NULL ORDER BY place LIMIT ?`
const selectBodiesAt = `SELECT seq, salt, body FROM events
  WHERE place IN (SELECT ${placeOf('value')} FROM json_each(?)) AND ${between} AND body IS NOT NULL ORDER BY place LIMIT ?`
const eraseBody = `UPDATE events SET salt = NULL, body = NULL, digest = ? WHERE place = ${place}`

/** What reading needs of a file; erasing begins and commits. */
type OpenFile = Pick<SqliteFile, 'statement' | 'begin' | 'commit'>

/** What is read from the file, and the erasing of bodies. Every method throws what SQLite throws. */
export class SqliteReader {
  readonly #file: OpenFile

  constructor(file: OpenFile) {
    this.#file = file
  }

  head(stream: string): StreamHead | undefined {
    const row = this.#stream(stream)
    return row && streamHead(stream, row)
  }

  read(stream: string, range: ReadRange): readonly StoredEvent[] {
    const row = this.#stream(stream)
    const upTo = Math.min(range.upTo ?? Number.MAX_SAFE_INTEGER, row?.head ?? 0)
    if (row === undefined || range.after >= upTo) return []
    const walk = this.#walkFrom(stream, row, range.after)
    return walk.servePage(this.#rows(row.no, range.after, upTo, range.limit), range.maxBytes)
  }

  readSubjects(stream: string, subjects: readonly string[], after: number, limit: number): readonly StoredEvent[] {
    const row = this.#stream(stream)
    if (row === undefined || subjects.length === 0) return []
    const wanted = JSON.stringify(subjects.map(storableText))
    return this.#serve(stream, row, this.#file.statement(selectSubjects).all(row.no, wanted, row.no, after, limit))
  }

  readAt(stream: string, seqs: readonly number[]): readonly StoredEvent[] {
    const row = this.#stream(stream)
    const wanted = seqs.filter((seq) => seq > 0 && seq <= seqMax)
    if (row === undefined || wanted.length === 0) return []
    return this.#serve(stream, row, this.#file.statement(selectAt).all(row.no, JSON.stringify(wanted)))
  }

  readEnds(of: readonly StreamSubject[]): readonly (SubjectEnds | undefined)[] {
    if (of.length === 0) return []
    const wanted = JSON.stringify(of.map(({ stream, subject }) => [stream, storableText(subject)]))
    const found = this.#file.statement(selectEnds).all(wanted) as unknown as (PackedRow &
      Omit<EndRow, keyof StoredRow>)[]
    return serveEnds(
      of,
      found.map(({ at, epoch, head, previous, ...row }) => ({ at, epoch, head, previous, ...unpackRow(row) })),
    )
  }

  findCommands(stream: string, keys: readonly CommandKey[]): readonly (KnownCommand | undefined)[] {
    const no = this.#file.statement(selectNo).get(stream)?.['no']
    if (no === undefined) return keys.map(() => undefined)
    const select = this.#file.statement(selectCommand)
    return keys.map(
      ({ principal, id }) =>
        select.get(no, storableText(principal), storableText(id)) as unknown as KnownCommand | undefined,
    )
  }

  erase(stream: string, what: ErasedBodies): Promise<number> {
    const row = this.#stream(stream)
    if (row === undefined) return Promise.resolve(0)
    const { no } = row
    const upTo = Math.min(what.upTo, seqMax)
    const [sql, subject] =
      what.seqs !== undefined
        ? [selectBodiesAt, [no, JSON.stringify(what.seqs)]]
        : what.subject === undefined
          ? [selectBodies, []]
          : [selectBodiesOf, [no, storableText(what.subject)]]
    return eraseBodies({
      bodies: async (after, limit) =>
        this.#file.statement(sql).all(...subject, no, after, no, upTo, limit) as unknown as StoredBody[],
      replace: async (digests) => {
        this.#file.begin()
        const update = this.#file.statement(eraseBody)
        for (const { seq, digest } of digests) update.run(digest, no, seq)
        this.#file.commit()
      },
    })
  }

  readChain(stream: string, after: number, limit: number): ChainPage | undefined {
    const row = this.#stream(stream)
    if (row === undefined) return undefined
    const { epoch, head, hash, no } = row
    return { epoch, head, hash, rows: [...this.#rows(no, after, seqMax, limit)] }
  }

  streams(after: string, limit: number): readonly string[] {
    const rows = this.#file.statement(selectStreams).all(after, limit)
    return rows.map(({ stream }) => String(stream))
  }

  verify(stream: string): Promise<{ seq: number; reason: string } | undefined> {
    return verifyChain(stream, {
      end: async () => this.#stream(stream),
      rows: async (after, limit) => {
        const row = this.#stream(stream)
        return row === undefined ? [] : [...this.#rows(row.no, after, seqMax, limit)]
      },
    })
  }

  #stream(stream: string): StreamRow | undefined {
    return this.#file.statement(selectStream).get(stream) as unknown as StreamRow | undefined
  }

  #walkFrom(stream: string, row: StreamRow, seq: number): ChainWalk {
    const before = seq > 0 ? this.#file.statement(selectHash).get(row.no, seq) : undefined
    const hash = (before?.['hash'] as Uint8Array | undefined) ?? chainSeed(stream, row.epoch)
    return new ChainWalk({ stream, epoch: row.epoch, seq, hash })
  }

  /** Rows from anywhere in the stream, each with the hash of the one before it. */
  #serve(stream: string, row: StreamRow, found: readonly object[]): readonly StoredEvent[] {
    const seed = chainSeed(stream, row.epoch)
    const walk = new ChainWalk({ stream, epoch: row.epoch, seq: 0, hash: seed })
    return (found as readonly (PackedRow & { previous: Uint8Array | null })[]).map((next) => {
      walk.moveTo(next.seq - 1, next.previous ?? seed)
      return walk.serve(unpackRow(next))
    })
  }

  *#rows(no: number, after: number, upTo: number, limit: number): Iterable<StoredRow> {
    const rows = this.#file.statement(selectRange).iterate(no, after, no, upTo, limit)
    for (const row of rows as unknown as Iterable<PackedRow>) yield unpackRow(row)
  }
}
