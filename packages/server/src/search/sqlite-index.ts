import { rmSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { Actor } from '@hotline/protocol/actor'
import type { SearchKind } from '@hotline/protocol/search'
import { touchPrivately } from '../log/sqlite/owner-lock.ts'
import { sqliteTrouble } from '../log/sqlite/sqlite-errors.ts'
import { describeError, StoreUnavailable } from '../log/store-unavailable.ts'
import {
  type About,
  type Erasure,
  facetGroups,
  facetsOf,
  type FoundPiece,
  type IndexQuery,
  indexVersion,
  type Piece,
  placesPerMs,
  type SearchIndex,
  type StreamPlace,
  type Stretch,
} from './search-index.ts'
import type { Term } from './terms.ts'
import { tokensOf } from './tokens.ts'

/**
 * `words` keeps no text of its own. Its words come from `tokensOf`, parted by spaces, so that the tokenizer has nothing left to
 * do: `ascii` parts at spaces and takes every sign beyond ASCII as part of a word. What is erased is taken out at once.
 */
const schema = `
  CREATE TABLE streams (
    no INTEGER PRIMARY KEY,
    stream TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    project TEXT NOT NULL,
    task TEXT,
    agent TEXT
  ) STRICT;
  CREATE TABLE pieces (
    id INTEGER PRIMARY KEY,
    no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    part INTEGER NOT NULL,
    subject TEXT,
    kind TEXT NOT NULL,
    is_output INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX pieces_by_place ON pieces (no, seq, part);
  CREATE INDEX pieces_by_subject ON pieces (no, subject, seq) WHERE subject IS NOT NULL;
  CREATE INDEX pieces_of_output ON pieces (no, seq) WHERE is_output = 1;
  CREATE VIRTUAL TABLE words USING fts5(said, facets, content = '', columnsize = 0, tokenize = 'ascii');
  INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
  PRAGMA user_version = ${indexVersion};
`

const cacheKiB = 8 * 1024
/** What goes in one transaction, and at once on the event loop; others work between two. */
const chunkPieces = 50
const chunkChars = 64 * 1024
/** Queries have many shapes; when there are more, all are dropped. */
const maxStatements = 200
const fewPieces = 256

interface PieceRow {
  id: number
  stream: string
  seq: number
  subject: string | null
  kind: string
  actor_kind: string
  actor: string
  text: string
  project: string
  task: string | null
  agent: string | null
}

type StreamRow = Pick<PieceRow, 'stream' | 'seq' | 'project' | 'task' | 'agent'> & { no: number; epoch: string }

/** The index in a file of its own, by FTS5. A file that is damaged, or of another version, is thrown away. */
export class SqliteIndex implements SearchIndex {
  readonly #statements = new Map<string, StatementSync>()
  readonly #path: string
  #opened: DatabaseSync | undefined
  #isDamaged = false

  constructor(path: string) {
    this.#path = path
  }

  mend(): Promise<void> {
    if (this.#isDamaged) {
      this.#close()
      removeFile(this.#path)
      this.#isDamaged = false
    }
    return Promise.resolve()
  }

  position(stream: string): Promise<StreamPlace | undefined> {
    return this.#guarded(() => {
      const row = this.#stream(stream)
      return row && { epoch: row.epoch, seq: row.seq, about: aboutOf(row) }
    })
  }

  eraseSome({ stream, epoch, after, changes }: Stretch): Promise<boolean> {
    return this.#guarded(() =>
      this.#transact(() => {
        const row = this.#stream(stream)
        if (row?.seq !== after || row.epoch !== epoch) return false
        return changes.some((change) => 'erase' in change && this.#eraseSome(row, change))
      }),
    )
  }

  index({ stream, epoch, after, upTo, about, changes }: Stretch): Promise<void> {
    return this.#guarded(() => {
      this.#transact(() => {
        const known = this.#stream(stream)
        if ((known?.seq ?? 0) !== after || (known !== undefined && known.epoch !== epoch)) return
        const { project, task, agent } = about
        this.#run(
          `INSERT INTO streams (stream, epoch, seq, project, task, agent) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq`,
          [stream, epoch, upTo, project, task ?? null, agent ?? null],
        )
        const row = this.#stream(stream)
        if (row) for (const change of changes) this.#change(row, change)
      })
      if (changes.some((change) => 'erase' in change)) this.#emptyLog()
    })
  }

  find(query: IndexQuery): Promise<readonly FoundPiece[]> {
    const words = matchWords(query)
    if (words === undefined) return Promise.resolve([])
    const { projects, session, task, kind, authors, agent, sinceMs, untilMs, upTo, limit } = query
    const where = [`s.project IN (${marks(projects)})`]
    const values: SQLInputValue[] = [...projects]
    const add = (condition: string, ...more: readonly SQLInputValue[]): void => {
      where.push(condition)
      values.push(...more)
    }
    if (session !== undefined) add('s.stream = ?', `session:${session}`)
    if (task !== undefined) add('s.task = ?', task)
    if (kind !== undefined) add('p.kind = ?', kind)
    if (authors) add(`(p.actor IN (${marks(authors)}) OR p.actor_kind IN (${marks(authors)}))`, ...authors, ...authors)
    if (agent !== undefined) add('s.agent = ?', agent)
    if (sinceMs !== undefined) add('words.rowid >= ?', sinceMs * placesPerMs)
    if (untilMs !== undefined) add('words.rowid < ?', untilMs * placesPerMs)
    if (upTo !== undefined) add('words.rowid <= ?', upTo)
    return this.#guarded(() =>
      this.#all<PieceRow>(
        `SELECT p.id, s.stream, p.seq, p.subject, p.kind, p.actor_kind, p.actor, p.text, s.project, s.task, s.agent
          FROM words CROSS JOIN pieces p ON p.id = words.rowid CROSS JOIN streams s ON s.no = p.no
          WHERE words MATCH ? AND ${where.join(' AND ')} ORDER BY words.rowid DESC LIMIT ?`,
        [this.#isFew(words) ? words : matchAll(words, query), ...values, limit],
      ).map(foundOf),
    )
  }

  async forget(stream: string): Promise<void> {
    for (let isLeft = true; isLeft; await nextTurn()) isLeft = await this.#guarded(() => this.#forgetSome(stream))
    await this.#guarded(() => this.#emptyLog())
  }

  streams(after: string, limit: number): Promise<readonly string[]> {
    return this.#guarded(() =>
      this.#all<{ stream: string }>('SELECT stream FROM streams WHERE stream > ? ORDER BY stream LIMIT ?', [
        after,
        limit,
      ]).map(({ stream }) => stream),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#close()
    return Promise.resolve()
  }

  /** What was erased is in the write-ahead log until that is emptied. */
  #emptyLog(): void {
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** So few have these words that each can be looked at: to go through the lists of all facets beside them takes longer. */
  #isFew(words: string): boolean {
    const rows = this.#all('SELECT 1 FROM words WHERE words MATCH ? LIMIT ?', [words, fewPieces + 1])
    return rows.length <= fewPieces
  }

  #close(): void {
    this.#statements.clear()
    this.#opened?.close()
    this.#opened = undefined
  }

  get #db(): DatabaseSync {
    if (this.#isDamaged) throw new StoreUnavailable(`${this.#path} is damaged, and is made anew`)
    this.#opened ??= openFile(this.#path)
    return this.#opened
  }

  #stream(stream: string): StreamRow | undefined {
    return this.#all<StreamRow>('SELECT * FROM streams WHERE stream = ?', [stream])[0]
  }

  #forgetSome(stream: string): boolean {
    return this.#transact(() => {
      const row = this.#stream(stream)
      if (!row) return false
      const isLeft = this.#eraseSome(row, { erase: { subject: undefined, upTo: Number.MAX_SAFE_INTEGER } })
      if (!isLeft) this.#run('DELETE FROM streams WHERE no = ?', [row.no])
      return isLeft
    })
  }

  #change(row: StreamRow, change: Piece | Erasure): void {
    if (!('erase' in change)) return this.#put(row, change)
    for (let isLeft = true; isLeft;) isLeft = this.#eraseSome(row, change)
  }

  #put(row: StreamRow, { seq, part, atMs, subject, kind, isOutput, actor, text }: Piece): void {
    const id = this.#placeAt(atMs)
    this.#run(
      `INSERT INTO pieces (id, no, seq, part, subject, kind, is_output, actor_kind, actor, text)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [id, row.no, seq, part, subject ?? null, kind, Number(isOutput), actor.kind, actor.id, text],
    )
    this.#run('INSERT INTO words (rowid, said, facets) VALUES (?, ?, ?)', [id, ...wordsOf(row, kind, text)])
  }

  /** Answers whether there was any. Each of its conditions has an index: what stays is not gone through. */
  #eraseSome(row: StreamRow, { erase: { subject, kind, upTo } }: Erasure): boolean {
    const values = subject === undefined ? [] : [subject]
    const found = this.#statement(
      `SELECT id, kind, text FROM pieces WHERE no = ? AND seq <= ? ${subject === undefined ? '' : 'AND subject = ?'}
        ${kind === undefined ? '' : 'AND is_output = 1'} LIMIT ${chunkPieces}`,
    ).iterate(row.no, upTo, ...values)
    const rows: PieceRow[] = []
    let chars = 0
    for (const piece of found as Iterable<unknown> as Iterable<PieceRow>) {
      rows.push(piece)
      chars += piece.text.length
      if (chars >= chunkChars) break
    }
    for (const piece of rows) this.#drop(row, piece)
    return rows.length > 0
  }

  /** An index without text of its own is told what to take out. */
  #drop(row: StreamRow, { id, kind, text }: PieceRow): void {
    this.#run(`INSERT INTO words (words, rowid, said, facets) VALUES ('delete', ?, ?, ?)`, [
      id,
      ...wordsOf(row, kind as SearchKind, text),
    ])
    this.#run('DELETE FROM pieces WHERE id = ?', [id])
  }

  #placeAt(atMs: number): number {
    for (let ms = atMs; ; ms += 1) {
      const first = ms * placesPerMs
      const [row] = this.#all<{ last: number | null }>('SELECT max(id) AS last FROM pieces WHERE id BETWEEN ? AND ?', [
        first,
        first + placesPerMs - 1,
      ])
      const next = row?.last == null ? first : row.last + 1
      if (next < first + placesPerMs) return next
    }
  }

  #transact<T>(work: () => T): T {
    this.#run('BEGIN IMMEDIATE', [])
    try {
      const answer = work()
      this.#run('COMMIT', [])
      return answer
    } catch (error) {
      if (this.#db.isTransaction) this.#run('ROLLBACK', [])
      throw error
    }
  }

  #run(sql: string, values: readonly SQLInputValue[]): void {
    this.#statement(sql).run(...values)
  }

  #all<R>(sql: string, values: readonly SQLInputValue[]): R[] {
    return this.#statement(sql).all(...values) as R[]
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql)
    if (this.#statements.size >= maxStatements) this.#statements.clear()
    this.#statements.set(sql, statement)
    return statement
  }

  async #guarded<T>(work: () => T): Promise<T> {
    await Promise.resolve()
    try {
      return work()
    } catch (error) {
      if (sqliteTrouble(error) === 'damaged') this.#isDamaged = true
      throw new StoreUnavailable(`the search index: ${describeError(error)}`, { cause: error })
    }
  }
}

/** Opens the file, or a new one where there is none that can be used. */
function openFile(path: string): DatabaseSync {
  touchPrivately(path)
  try {
    const db = connect(path)
    if (isCurrent(db)) return db
    db.close()
  } catch {
    // Whatever it is, it is not the index.
  }
  removeFile(path)
  touchPrivately(path)
  const db = connect(path)
  db.exec(`BEGIN; ${schema} COMMIT`)
  return db
}

function connect(path: string): DatabaseSync {
  const db = new DatabaseSync(path)
  try {
    // What a crash of the machine loses is read from the log again.
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA secure_delete = ON;
      PRAGMA trusted_schema = OFF;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -${cacheKiB};
    `)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function isCurrent(db: DatabaseSync): boolean {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() ?? {}
  return version === indexVersion
}

function removeFile(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
}

function wordsOf(row: StreamRow, kind: SearchKind, text: string): [string, string] {
  const words = tokensOf(text).map(({ word }) => word)
  return [words.join(' '), facetsOf(row.stream, aboutOf(row), kind).join(' ')]
}

/** In the language of FTS5, of letters and digits in quotes alone; undefined where nothing is looked for. */
function matchWords({ terms: { all, none }, projects }: IndexQuery): string | undefined {
  if (all.length === 0 || projects.length === 0) return undefined
  const words = `{said} : (${all.map(phrase).join(' AND ')})`
  return none.length === 0 ? words : `(${words} NOT {said} : (${none.map(phrase).join(' OR ')}))`
}

/** With the facets: what is common elsewhere is not gone through. */
function matchAll(words: string, query: IndexQuery): string {
  const facets = facetGroups(query).map((group) => `{facets} : (${group.map(quoted).join(' OR ')})`)
  return [words, ...facets].join(' AND ')
}

function phrase({ words, isBegun }: Term): string {
  return `${quoted(words.join(' '))}${isBegun ? ' *' : ''}`
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}

function aboutOf({ project, task, agent }: Pick<StreamRow, 'project' | 'task' | 'agent'>): About {
  return { project, task: task ?? undefined, agent: agent ?? undefined }
}

function foundOf(row: PieceRow): FoundPiece {
  const { id, stream, seq, subject, kind, actor_kind: actorKind, actor, text } = row
  return {
    id,
    stream,
    seq,
    atMs: Math.floor(id / placesPerMs),
    subject: subject ?? undefined,
    kind: kind as SearchKind,
    actor: { kind: actorKind as Actor['kind'], id: actor },
    text,
    ...aboutOf(row),
  }
}
