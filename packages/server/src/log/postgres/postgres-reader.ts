import type { QueryResultRow } from 'pg'
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
import { ChainWalk } from '../stored-row.ts'
import type { StoredRow } from '../stored-row.ts'
import { streamHead, type StreamRow } from '../stream-row.ts'
import { verifyChain } from '../verify-chain.ts'
import { answered, postgresError } from './postgres-errors.ts'
import { withClient } from './postgres-pool.ts'
import type { PostgresPool } from './postgres-pool.ts'

/** Where a page of a chain ends that has not ended before. */
const chainPageBytes = 4 * 1024 * 1024

const columns = 'e.seq, e.type, e.subject, e.header, e.salt, e.body, e.digest, e.hash'

/** By the names under which the server keeps them prepared. */
const queries = {
  stream: `SELECT s.no, s.epoch, s.head, s.hash, s.generation, t.state
    FROM streams s LEFT JOIN states t USING (no) WHERE s.stream = $1`,
  names: 'SELECT stream FROM streams WHERE stream > $1 ORDER BY stream LIMIT $2',
  hash: 'SELECT hash FROM events WHERE no = $1 AND seq = $2',
  // Stops when the sum of bytes before a row reaches the limit, so a page of large events is not sent whole.
  range: `SELECT ${columns} FROM (
      SELECT w.*, sum(length(header) + coalesce(length(body), 0)) OVER (ORDER BY seq) AS grown FROM (
        SELECT * FROM events WHERE no = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4
      ) w
    ) e WHERE e.grown - length(e.header) - coalesce(length(e.body), 0) < $5 ORDER BY e.seq`,
  subjects: `SELECT ${columns}, p.hash AS previous FROM events e
    LEFT JOIN events p ON p.no = e.no AND p.seq = e.seq - 1
    WHERE e.no = $1 AND e.subject = ANY ($2::text[]) AND e.seq > $3 ORDER BY e.seq LIMIT $4`,
  at: `SELECT ${columns}, p.hash AS previous FROM events e
    LEFT JOIN events p ON p.no = e.no AND p.seq = e.seq - 1
    WHERE e.no = $1 AND e.seq = ANY ($2::bigint[]) ORDER BY e.seq`,
  ends: `SELECT (k.at - 1)::int AS at, s.epoch, s.head, ${columns}, p.hash AS previous
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (stream, subject, at)
    JOIN streams s ON s.stream = k.stream
    CROSS JOIN LATERAL (
      (SELECT seq FROM events WHERE no = s.no AND subject = k.subject ORDER BY seq LIMIT 1)
      UNION (SELECT seq FROM events WHERE no = s.no AND subject = k.subject ORDER BY seq DESC LIMIT 1)
    ) n
    JOIN events e ON e.no = s.no AND e.seq = n.seq
    LEFT JOIN events p ON p.no = s.no AND p.seq = n.seq - 1
    ORDER BY k.at, n.seq`,
  // LIMIT, so that each is looked up by its key, whatever the planner believes of the size of the table.
  commands: `SELECT k.at, c.body_hash AS "bodyHash", c.answer
    FROM streams s CROSS JOIN unnest($2::text[], $3::text[]) WITH ORDINALITY AS k (principal, id, at)
    CROSS JOIN LATERAL (
      SELECT body_hash, answer FROM commands WHERE no = s.no AND principal = k.principal AND id = k.id LIMIT 1
    ) c WHERE s.stream = $1`,
  bodies: `SELECT seq, salt, body FROM events
    WHERE no = $1 AND ($2::text IS NULL OR subject = $2) AND body IS NOT NULL AND seq > $3 AND seq <= $4
    ORDER BY seq LIMIT $5`,
  bodiesAt: `SELECT seq, salt, body FROM events
    WHERE no = $1 AND seq = ANY ($2::bigint[]) AND body IS NOT NULL AND seq > $3 AND seq <= $4
    ORDER BY seq LIMIT $5`,
  erase: `UPDATE events e SET salt = NULL, body = NULL, digest = d.digest
    FROM unnest($2::bigint[], $3::bytea[]) AS d (seq, digest) WHERE e.no = $1 AND e.seq = d.seq`,
} as const

/** What is read from the database, and the erasing of bodies. Rejects with `StoreUnavailable` while it is away. */
export class PostgresReader {
  readonly #pool: PostgresPool

  constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  async head(stream: string): Promise<StreamHead | undefined> {
    const row = await this.#stream(stream)
    return row && streamHead(stream, row)
  }

  async read(stream: string, range: ReadRange): Promise<readonly StoredEvent[]> {
    const row = await this.#stream(stream)
    const upTo = Math.min(range.upTo ?? Number.MAX_SAFE_INTEGER, row?.head ?? 0)
    if (row === undefined || range.after >= upTo) return []
    const before = range.after > 0 ? await this.#rows<{ hash: Uint8Array }>('hash', [row.no, range.after]) : []
    const hash = before[0]?.hash ?? chainSeed(stream, row.epoch)
    const walk = new ChainWalk({ stream, epoch: row.epoch, seq: range.after, hash })
    return walk.servePage(await this.#events(row.no, range.after, upTo, range.limit, range.maxBytes), range.maxBytes)
  }

  async readSubjects(
    stream: string,
    subjects: readonly string[],
    after: number,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    const row = await this.#stream(stream)
    if (row === undefined || subjects.length === 0) return []
    return this.#serve(stream, row, 'subjects', [subjects.map(storableText), after, limit])
  }

  async readAt(stream: string, seqs: readonly number[]): Promise<readonly StoredEvent[]> {
    const row = await this.#stream(stream)
    return row === undefined || seqs.length === 0 ? [] : this.#serve(stream, row, 'at', [seqs])
  }

  async readEnds(of: readonly StreamSubject[]): Promise<readonly (SubjectEnds | undefined)[]> {
    if (of.length === 0) return []
    const streams = of.map(({ stream }) => stream)
    return serveEnds(of, await this.#rows<EndRow>('ends', [streams, of.map(({ subject }) => storableText(subject))]))
  }

  async findCommands(stream: string, keys: readonly CommandKey[]): Promise<readonly (KnownCommand | undefined)[]> {
    if (keys.length === 0) return []
    const principals = keys.map(({ principal }) => storableText(principal))
    const ids = keys.map(({ id }) => storableText(id))
    const rows = await this.#rows<KnownCommand & { at: number }>('commands', [stream, principals, ids])
    const found = new Map(rows.map(({ at, bodyHash, answer }) => [at, { bodyHash, answer }]))
    return keys.map((_, index) => found.get(index + 1))
  }

  async erase(stream: string, what: ErasedBodies): Promise<number> {
    const row = await this.#stream(stream)
    if (row === undefined) return 0
    const subject = what.subject === undefined ? null : storableText(what.subject)
    return eraseBodies({
      bodies: (after, limit) =>
        what.seqs === undefined
          ? this.#rows<StoredBody>('bodies', [row.no, subject, after, what.upTo, limit])
          : this.#rows<StoredBody>('bodiesAt', [row.no, what.seqs, after, what.upTo, limit]),
      replace: async (digests) => {
        const seqs = digests.map(({ seq }) => seq)
        await this.#rows('erase', [row.no, seqs, digests.map(({ digest }) => digest)])
      },
    })
  }

  async readChain(stream: string, after: number, limit: number): Promise<ChainPage | undefined> {
    const row = await this.#stream(stream)
    if (row === undefined) return undefined
    const { epoch, head, hash, no } = row
    return { epoch, head, hash, rows: await this.#events(no, after, Number.MAX_SAFE_INTEGER, limit, chainPageBytes) }
  }

  async streams(after: string, limit: number): Promise<readonly string[]> {
    const rows = await this.#rows<{ stream: string }>('names', [after, limit])
    return rows.map(({ stream }) => stream)
  }

  verify(stream: string): Promise<{ seq: number; reason: string } | undefined> {
    return verifyChain(stream, {
      end: () => this.#stream(stream),
      rows: async (after, limit) => {
        const row = await this.#stream(stream)
        if (row === undefined) return []
        return this.#events(row.no, after, Number.MAX_SAFE_INTEGER, limit, Number.MAX_SAFE_INTEGER)
      },
    })
  }

  async #stream(stream: string): Promise<StreamRow | undefined> {
    const rows = await this.#rows<StreamRow>('stream', [stream])
    return rows[0]
  }

  /** Rows from anywhere in the stream, each with the hash of the one before it. */
  async #serve(
    stream: string,
    row: StreamRow,
    query: 'subjects' | 'at',
    values: readonly unknown[],
  ): Promise<readonly StoredEvent[]> {
    const seed = chainSeed(stream, row.epoch)
    const found = await this.#rows<StoredRow & { previous: Uint8Array | null }>(query, [row.no, ...values])
    const walk = new ChainWalk({ stream, epoch: row.epoch, seq: 0, hash: seed })
    return found.map((next) => {
      walk.moveTo(next.seq - 1, next.previous ?? seed)
      return walk.serve(next)
    })
  }

  #events(no: number, after: number, upTo: number, limit: number, maxBytes: number): Promise<readonly StoredRow[]> {
    return this.#rows<StoredRow>('range', [no, after, upTo, limit, maxBytes])
  }

  async #rows<T extends QueryResultRow>(query: keyof typeof queries, values: unknown[]): Promise<readonly T[]> {
    try {
      return await withClient(this.#pool, async (client) => {
        const { rows } = await answered(client.query<T>({ name: query, text: queries[query], values }))
        return rows
      })
    } catch (error) {
      throw postgresError(error)
    }
  }
}
