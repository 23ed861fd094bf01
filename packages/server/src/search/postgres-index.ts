import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Actor } from '@hotline/protocol/actor'
import type { SearchKind } from '@hotline/protocol/search'
import { answered, postgresError } from '../log/postgres/postgres-errors.ts'
import { openPool, type PostgresClient, type PostgresPool, withClient } from '../log/postgres/postgres-pool.ts'
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

const text = 'TEXT COLLATE "C"'
const tables = ['search_pieces', 'search_streams', 'search_version']

/** `words` holds what `tokensOf` gives: no dictionary of the server's own has a part in it. */
const schema = [
  `CREATE TABLE search_version (version INTEGER NOT NULL)`,
  `INSERT INTO search_version VALUES (${indexVersion})`,
  `CREATE TABLE search_streams (
    no BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream ${text} NOT NULL UNIQUE,
    epoch ${text} NOT NULL,
    seq BIGINT NOT NULL,
    project ${text} NOT NULL,
    task ${text},
    agent ${text}
  )`,
  `CREATE TABLE search_pieces (
    id BIGINT PRIMARY KEY,
    no BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    part INTEGER NOT NULL,
    subject ${text},
    kind ${text} NOT NULL,
    is_output BOOLEAN NOT NULL,
    actor_kind ${text} NOT NULL,
    actor ${text} NOT NULL,
    text TEXT NOT NULL,
    words TSVECTOR NOT NULL,
    UNIQUE (no, seq, part)
  )`,
  `CREATE INDEX search_pieces_by_subject ON search_pieces (no, subject, seq) WHERE subject IS NOT NULL`,
  `CREATE INDEX search_pieces_of_output ON search_pieces (no, seq) WHERE is_output`,
  // What is written waits in no list of its own, which every search would have to read.
  `CREATE INDEX search_pieces_by_words ON search_pieces USING GIN (words) WITH (fastupdate = off)`,
]

/** Pieces that go in one statement, which the server would end where it took too long. */
const chunkPieces = 1_000

/** Any number but those of other locks; the same for every server that makes this index. */
const schemaLock = 4_680_002

interface StreamRow {
  no: number
  stream: string
  epoch: string
  seq: number
  project: string
  task: string | null
  agent: string | null
}

interface PieceRow extends Omit<StreamRow, 'no' | 'epoch'> {
  id: number
  subject: string | null
  kind: string
  actor_kind: string
  actor: string
  text: string
}

/** The index in tables beside those of the log, by `tsvector`. Tables of another version are thrown away. */
export class PostgresIndex implements SearchIndex {
  readonly #pool: PostgresPool

  private constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  /** Throws `StoreUnavailable` where the database cannot be had. */
  static async open(url: string): Promise<PostgresIndex> {
    const index = new PostgresIndex(openPool(url))
    try {
      await index.#transact(makeTables)
      return index
    } catch (error) {
      await index[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What is damaged there is not ours to mend. */
  mend(): Promise<void> {
    return Promise.resolve()
  }

  async position(stream: string): Promise<StreamPlace | undefined> {
    const [row] = await this.#transact((client) =>
      all<StreamRow>(client, 'SELECT * FROM search_streams WHERE stream = $1', [stream]),
    )
    return row && { epoch: row.epoch, seq: row.seq, about: aboutOf(row) }
  }

  async eraseSome({ stream, epoch, after, changes }: Stretch): Promise<boolean> {
    return await this.#transact(async (client) => {
      const [row] = await all<StreamRow>(client, 'SELECT * FROM search_streams WHERE stream = $1', [stream])
      if (row?.seq !== after || row.epoch !== epoch) return false
      for (const change of changes) if ('erase' in change && (await eraseSome(client, row.no, change))) return true
      return false
    })
  }

  async index({ stream, epoch, after, upTo, about, changes }: Stretch): Promise<void> {
    const { project, task, agent } = about
    await this.#transact(async (client) => {
      // Whoever is at the same stretch waits here, and finds it taken.
      await all(
        client,
        `INSERT INTO search_streams (stream, epoch, seq, project, task, agent) VALUES ($1, $2, 0, $3, $4, $5)
          ON CONFLICT (stream) DO NOTHING`,
        [stream, epoch, project, task ?? null, agent ?? null],
      )
      const [row] = await all<StreamRow>(client, 'SELECT * FROM search_streams WHERE stream = $1 FOR UPDATE', [stream])
      if (row?.seq !== after || row.epoch !== epoch) {
        // A row of this very transaction says nothing that is true.
        if (row?.seq === 0) await all(client, 'DELETE FROM search_streams WHERE no = $1', [row.no])
        return
      }
      let pieces: Piece[] = []
      for (const change of changes) {
        if ('seq' in change) pieces.push(change)
        else {
          await put(client, row, pieces)
          pieces = []
          for (let isLeft = true; isLeft;) isLeft = await eraseSome(client, row.no, change)
        }
      }
      await put(client, row, pieces)
      await all(client, 'UPDATE search_streams SET seq = $2 WHERE no = $1', [row.no, upTo])
    })
  }

  async find(query: IndexQuery): Promise<readonly FoundPiece[]> {
    const words = matchText(query)
    if (words === undefined) return []
    const { projects, authors, agent, sinceMs, untilMs, upTo, limit } = query
    const values: unknown[] = [words, projects, limit]
    const where = ['p.words @@ $1::tsquery', 's.project = ANY($2::text[])']
    const add = (value: unknown, condition: (place: string) => string): void => {
      values.push(value)
      where.push(condition(`$${values.length}`))
    }
    if (authors) add(authors, (at) => `(p.actor = ANY(${at}::text[]) OR p.actor_kind = ANY(${at}::text[]))`)
    if (agent !== undefined) add(agent, (at) => `s.agent = ${at}`)
    if (sinceMs !== undefined) add(sinceMs * placesPerMs, (at) => `p.id >= ${at}`)
    if (untilMs !== undefined) add(untilMs * placesPerMs, (at) => `p.id < ${at}`)
    if (upTo !== undefined) add(upTo, (at) => `p.id <= ${at}`)
    const rows = await this.#transact((client) =>
      all<PieceRow>(
        client,
        `SELECT p.id, s.stream, p.seq, p.subject, p.kind, p.actor_kind, p.actor, p.text, s.project, s.task, s.agent
          FROM search_pieces p JOIN search_streams s USING (no)
          WHERE ${where.join(' AND ')} ORDER BY p.id DESC LIMIT $3`,
        values,
      ),
    )
    return rows.map(foundOf)
  }

  async forget(stream: string): Promise<void> {
    for (let isLeft = true; isLeft; await nextTurn()) {
      isLeft = await this.#transact(async (client) => {
        const gone = await all(
          client,
          `DELETE FROM search_pieces WHERE id IN (
            SELECT id FROM search_pieces JOIN search_streams USING (no) WHERE stream = $1 LIMIT ${chunkPieces}) RETURNING 1`,
          [stream],
        )
        if (gone.length === 0) await all(client, 'DELETE FROM search_streams WHERE stream = $1', [stream])
        return gone.length > 0
      })
    }
  }

  async streams(after: string, limit: number): Promise<readonly string[]> {
    const rows = await this.#transact((client) =>
      all<StreamRow>(client, 'SELECT stream FROM search_streams WHERE stream > $1 ORDER BY stream LIMIT $2', [
        after,
        limit,
      ]),
    )
    return rows.map(({ stream }) => stream)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end()
  }

  async #transact<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    try {
      return await withClient(this.#pool, async (client) => {
        await all(client, 'BEGIN')
        try {
          const answer = await work(client)
          await all(client, 'COMMIT')
          return answer
        } catch (error) {
          await all(client, 'ROLLBACK')
          throw error
        }
      })
    } catch (error) {
      throw postgresError(error)
    }
  }
}

async function all<R extends object>(
  client: PostgresClient,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  const { rows } = await answered(client.query<R>(sql, [...values]))
  return rows
}

/** Servers that start together take turns. */
async function makeTables(client: PostgresClient): Promise<void> {
  await all(client, `SELECT pg_advisory_xact_lock(${schemaLock})`)
  const [known] = await all<{ is: boolean }>(client, `SELECT to_regclass('search_version') IS NOT NULL AS is`)
  if (known?.is === true) {
    const [row] = await all<{ version: number }>(client, 'SELECT version FROM search_version')
    if (row?.version === indexVersion) return
  }
  await all(client, `DROP TABLE IF EXISTS ${tables.join(', ')}`)
  for (const statement of schema) await all(client, statement)
}

async function put(client: PostgresClient, row: StreamRow, pieces: readonly Piece[]): Promise<void> {
  if (pieces.length === 0) return
  const ids = await placesFor(client, pieces)
  await all(
    client,
    `INSERT INTO search_pieces (id, no, seq, part, subject, kind, is_output, actor_kind, actor, text, words)
      SELECT id, $1, seq, part, subject, kind, is_output, actor_kind, actor, text, words::tsvector
      FROM unnest($2::bigint[], $3::bigint[], $4::int[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[],
        $10::text[], $11::text[]) AS new (id, seq, part, subject, kind, is_output, actor_kind, actor, text, words)`,
    [
      row.no,
      ids,
      pieces.map(({ seq }) => seq),
      pieces.map(({ part }) => part),
      pieces.map(({ subject }) => subject ?? null),
      pieces.map(({ kind }) => kind),
      pieces.map(({ isOutput }) => isOutput),
      pieces.map(({ actor }) => actor.kind),
      pieces.map(({ actor }) => actor.id),
      pieces.map((piece) => piece.text),
      pieces.map((piece) => vectorOf(row, piece)),
    ],
  )
}

/** Answers whether there was any. Each of its conditions has an index: what stays is not gone through. */
async function eraseSome(
  client: PostgresClient,
  no: number,
  { erase: { subject, kind, upTo } }: Erasure,
): Promise<boolean> {
  const gone = await all(
    client,
    `DELETE FROM search_pieces WHERE id IN (
      SELECT id FROM search_pieces WHERE no = $1 AND seq <= $2 ${subject === undefined ? '' : 'AND subject = $3'}
        ${kind === undefined ? '' : 'AND is_output'} LIMIT ${chunkPieces}) RETURNING 1`,
    [no, upTo, ...(subject === undefined ? [] : [subject])],
  )
  return gone.length > 0
}

/** For each the next free place in its millisecond, or in the first one after it that has one. */
async function placesFor(client: PostgresClient, pieces: readonly Piece[]): Promise<readonly number[]> {
  const next = new Map<number, number>()
  const look = async (times: readonly number[]): Promise<void> => {
    const rows = await all<{ ms: number; last: number | null }>(
      client,
      `SELECT ms, (SELECT max(id) FROM search_pieces WHERE id BETWEEN ms * ${placesPerMs} AND ms * ${placesPerMs} + ${placesPerMs - 1}) AS last
        FROM unnest($1::bigint[]) AS ms`,
      [times],
    )
    for (const { ms, last } of rows) next.set(ms, last === null ? ms * placesPerMs : last + 1)
  }
  await look([...new Set(pieces.map(({ atMs }) => atMs))])
  const ids: number[] = []
  for (const { atMs } of pieces) {
    let ms = atMs
    while (next.get(ms) === (ms + 1) * placesPerMs) {
      ms += 1
      if (!next.has(ms)) await look([ms])
    }
    const id = next.get(ms) ?? ms * placesPerMs
    ids.push(id)
    next.set(ms, id + 1)
  }
  return ids
}

/** Words with their places, and facets, which begin as no word of a text does. */
function vectorOf(row: StreamRow, { kind, text: said }: Piece): string {
  const places = new Map<string, number[]>()
  for (const [at, { word }] of tokensOf(said).entries()) {
    const known = places.get(word)
    if (known) known.push(at + 1)
    else places.set(word, [at + 1])
  }
  return [
    ...[...places].map(([word, at]) => `${quoted(word)}:${at.join(',')}`),
    ...facetsOf(row.stream, aboutOf(row), kind).map(facet),
  ].join(' ')
}

/** As `tsquery` is written, of quoted words alone; undefined where nothing is looked for. */
function matchText(query: IndexQuery): string | undefined {
  const { terms, projects } = query
  if (terms.all.length === 0 || projects.length === 0) return undefined
  return [
    ...terms.all.map(phrase),
    ...facetGroups(query).map((group) => `(${group.map(facet).join(' | ')})`),
    ...terms.none.map((term) => `!${phrase(term)}`),
  ].join(' & ')
}

function phrase({ words, isBegun }: Term): string {
  return `(${words.map(quoted).join(' <-> ')}${isBegun ? ':*' : ''})`
}

function facet(name: string): string {
  return quoted(`=${name}`)
}

function quoted(word: string): string {
  return `'${word.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

function aboutOf({ project, task, agent }: Pick<StreamRow, 'project' | 'task' | 'agent'>): About {
  return { project, task: task ?? undefined, agent: agent ?? undefined }
}

function foundOf(row: PieceRow): FoundPiece {
  const { id, stream, seq, subject, kind, actor_kind: actorKind, actor, text: said } = row
  return {
    id,
    stream,
    seq,
    atMs: Math.floor(id / placesPerMs),
    subject: subject ?? undefined,
    kind: kind as SearchKind,
    actor: { kind: actorKind as Actor['kind'], id: actor },
    text: said,
    ...aboutOf(row),
  }
}
