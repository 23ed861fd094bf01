import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../machine/clock.ts'
import type { Ids } from '../../machine/ids.ts'
import { noFailpoints } from '../failpoints.ts'
import type { Failpoints } from '../failpoints.ts'
import { ChainHasher } from '../chain-hasher.ts'
import { HeadCache } from '../head-cache.ts'
import type { HeadEntry } from '../head-cache.ts'
import type { LogObserver } from '../log-observer.ts'
import type { Append } from '../log-store.ts'
import { appendedOf } from '../plan-group.ts'
import type { PlanMeans } from '../plan-group.ts'
import { rowStatements } from '../row-statements.ts'
import type { RowStatement } from '../row-statements.ts'
import { describeError } from '../store-unavailable.ts'
import type { RowChange } from '../tables.ts'
import { answered, ConnectionLost, postgresError, postgresTrouble, sqlState } from './postgres-errors.ts'
import { kyselyOver, withClient } from './postgres-pool.ts'
import type { PostgresClient, PostgresPool } from './postgres-pool.ts'
import { prepareBatch } from './prepare-batch.ts'
import type { Outcome, Prepared } from './prepare-batch.ts'
import { createQuery, headsQuery } from './write-statement.ts'

/** What writing to PostgreSQL needs. */
export interface BatchWriterOptions {
  pool: PostgresPool
  clock: Clock
  ids: Ids
  failpoints: Failpoints
  observer?: LogObserver | undefined
}

/** How long a broken connection is made again before the append is refused. */
const reconnectMs = 10_000
const firstPauseMs = 50
const longestPauseMs = 1_000

/** The first is told apart by the heads that somebody else moved; from the second on, their rows are held. */
const maxAttempts = 20

const outcomeUnknown =
  'the connection broke during the commit and could not be made again: whether it was written is not known'

/**
 * Writes groups to PostgreSQL, as many as wait in one transaction. Heads are remembered; one that another node has moved is
 * found by the statement itself, and then the groups are planned again on rows that are held.
 */
export class BatchWriter {
  readonly #options: BatchWriterOptions
  readonly #heads = new HeadCache()
  readonly #means: PlanMeans
  readonly #rowStatement: (change: RowChange) => RowStatement

  constructor(options: BatchWriterOptions) {
    this.#options = options
    this.#means = { ids: options.ids, hasher: new ChainHasher() }
    this.#rowStatement = rowStatements(kyselyOver(options.pool))
  }

  /** Answers one outcome for each group, in their order. Never rejects. */
  async write(groups: readonly (readonly Append[])[]): Promise<readonly Outcome[]> {
    try {
      this.#options.failpoints.hit('before_write')
      return await this.#attempts(groups)
    } catch (error) {
      return this.#failed(groups, error)
    }
  }

  async #failed(groups: readonly (readonly Append[])[], error: unknown): Promise<readonly Outcome[]> {
    for (const { stream } of groups.flat()) this.#heads.delete(stream)
    const trouble = postgresTrouble(error)
    if ((trouble === 'bug' || trouble === 'exists') && groups.length > 1) {
      // One of them cannot be written, or meets a row that exists. Alone, each fails or succeeds for itself.
      const outcomes: Outcome[] = []
      for (const group of groups) outcomes.push(...(await this.write([group])))
      return outcomes
    }
    return groups.map(() => {
      if (trouble === 'bug') return postgresError(error)
      if (trouble === 'exists') return { ok: false, reason: 'conflict', what: tableOf(error) }
      const refusal = { ok: false, reason: 'unavailable', detail: describeError(error) } as const
      return trouble === 'unknown' ? { ...refusal, outcome: 'unknown' } : refusal
    })
  }

  async #attempts(groups: readonly (readonly Append[])[]): Promise<readonly Outcome[]> {
    const streams = [...new Set(groups.flat().map(({ stream }) => stream))]
    for (let attempt = 1; ; attempt += 1) {
      try {
        const done = attempt === 1 ? await this.#tryRemembered(groups, streams) : await this.#tryHeld(groups, streams)
        if (done !== undefined) return done
      } catch (error) {
        const trouble = postgresTrouble(error)
        if ((trouble !== 'moved' && trouble !== 'again') || attempt === maxAttempts) throw error
      }
      for (const stream of streams) this.#heads.delete(stream)
    }
  }

  /** From the heads that are remembered; undefined where they may be too old to refuse a group on them. */
  async #tryRemembered(
    groups: readonly (readonly Append[])[],
    streams: readonly string[],
  ): Promise<readonly Outcome[] | undefined> {
    const heads = new Map<string, HeadEntry>()
    for (const stream of streams) {
      const known = this.#heads.get(stream)
      if (known !== undefined) heads.set(stream, known)
    }
    const unknown = streams.filter((stream) => !heads.has(stream))
    if (unknown.length > 0) {
      const looked = await withClient(this.#options.pool, (client) => readHeads(client, unknown, 'look'))
      for (const [stream, head] of looked) heads.set(stream, head)
    }
    const prepared = this.#prepare(groups, heads)
    const refused = prepared.outcomes.some((outcome) => outcome !== undefined && !(outcome instanceof Error))
    if (refused && unknown.length < streams.length) return undefined
    return prepared.writing.moves.length === 0 ? prepared.outcomes.map(settled) : this.#commit(prepared, 0)
  }

  /** From heads that are read in the same transaction, with their rows held. */
  async #tryHeld(groups: readonly (readonly Append[])[], streams: readonly string[]): Promise<readonly Outcome[]> {
    let prepared: Prepared | undefined
    try {
      return await withClient(this.#options.pool, async (client) => {
        await answered(client.query('BEGIN'))
        prepared = this.#prepare(groups, await readHeads(client, streams, 'hold'))
        return this.#send(client, prepared, 'begun')
      })
    } catch (error) {
      if (prepared === undefined || postgresTrouble(error) !== 'unknown') throw error
      return this.#commit(prepared, 1)
    }
  }

  /**
   * Sends a transaction, again if the connection breaks; `sent` says how often that was done already. The statement
   * compares the heads, so it cannot happen twice: if they have moved when it is sent again, the event at our position tells
   * whether it was us.
   */
  async #commit(prepared: Prepared, sentBefore: number): Promise<readonly Outcome[]> {
    const { clock, pool } = this.#options
    const deadlineMs = clock.monotonicMs() + reconnectMs
    let sent = sentBefore
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return await withClient(pool, (client) => {
          sent += 1
          return this.#send(client, prepared, 'fresh')
        })
      } catch (error) {
        const trouble = postgresTrouble(error)
        if (trouble === 'moved' && sent > 1 && (await this.#wasCommitted(prepared, deadlineMs))) {
          return this.#committed(prepared)
        }
        // What was never sent was never written: whoever waits is told at once.
        if (trouble !== 'unknown' || sent === 0) throw error
        if (clock.monotonicMs() > deadlineMs) throw new ConnectionLost(outcomeUnknown, { cause: error })
        await pause(pauseMs)
      }
    }
  }

  async #wasCommitted(prepared: Prepared, deadlineMs: number): Promise<boolean> {
    const move = prepared.writing.moves.find(({ before, after }) => after.head > before.head)
    if (move === undefined) return false
    for (;;) {
      try {
        const { rows } = await withClient(this.#options.pool, (client) =>
          answered(
            client.query<{ hash: Uint8Array }>(
              'SELECT e.hash FROM events e JOIN streams s ON s.no = e.no WHERE s.stream = $1 AND s.epoch = $2 AND e.seq = $3',
              [move.stream, move.after.epoch, move.after.head],
            ),
          ),
        )
        return rows[0] !== undefined && Buffer.compare(rows[0].hash, move.after.hash) === 0
      } catch (error) {
        if (postgresTrouble(error) !== 'unknown' || this.#options.clock.monotonicMs() > deadlineMs) throw error
        await pause(longestPauseMs)
      }
    }
  }

  #prepare(groups: readonly (readonly Append[])[], heads: ReadonlyMap<string, HeadEntry>): Prepared {
    return prepareBatch(groups, heads, this.#means, this.#rowStatement)
  }

  async #send(client: PostgresClient, prepared: Prepared, state: 'fresh' | 'begun'): Promise<readonly Outcome[]> {
    const { writing, rows } = prepared
    const { clock, failpoints } = this.#options
    const startedMs = clock.monotonicMs()
    if (writing.moves.length === 0) {
      if (state === 'begun') await answered(client.query('ROLLBACK'))
      return prepared.outcomes.map(settled)
    }
    const single = state === 'fresh' && rows.length === 0 && writing.moves.length === 1 && writing.created.length === 0
    if (single && failpoints === noFailpoints) {
      await answered(client.query(writing.write))
      this.#options.observer?.committed(clock.monotonicMs() - startedMs)
      return this.#committed(prepared)
    }
    // All statements go out at once. After the first that fails the server refuses the others, and COMMIT rolls back.
    const answers: Promise<unknown>[] = []
    if (state === 'fresh') answers.push(client.query('BEGIN'))
    if (writing.created.length > 0) answers.push(client.query(createQuery(writing.created)))
    if (writing.moves.length > 1)
      answers.push(
        client.query(
          headsQuery(
            writing.moves.map(({ stream }) => stream),
            'hold',
          ),
        ),
      )
    answers.push(client.query(writing.write))
    for (const { sql, parameters } of rows) answers.push(client.query(sql, [...parameters]))
    if (failpoints !== noFailpoints) {
      await allAnswered(answers.splice(0), client)
      failpoints.hit('after_write_before_sync')
    }
    answers.push(client.query('COMMIT'))
    await allAnswered(answers, client)
    this.#options.observer?.committed(clock.monotonicMs() - startedMs)
    return this.#committed(prepared)
  }

  #committed({ outcomes, planned, writing }: Prepared): readonly Outcome[] {
    for (const { stream, after } of writing.moves) this.#heads.set(stream, after)
    return outcomes.map((outcome, at) => outcome ?? { ok: true, appended: (planned[at] ?? []).map(appendedOf) })
  }
}

async function readHeads(
  client: PostgresClient,
  streams: readonly string[],
  hold: 'hold' | 'look',
): Promise<Map<string, HeadEntry>> {
  const { rows } = await answered(client.query<HeadEntry & { stream: string }>(headsQuery(streams, hold)))
  return new Map(rows.map(({ stream, ...head }) => [stream, head]))
}

/** Waits for all, and throws the error that came first; those after it only say that the transaction has failed. */
async function allAnswered(answers: readonly Promise<unknown>[], client: PostgresClient): Promise<void> {
  const results = await Promise.allSettled(answers.map(answered))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed === undefined) return
  if (sqlState(failed.reason) !== undefined) await answered(client.query('ROLLBACK'))
  throw failed.reason
}

/** A group that was refused when it was planned. */
function settled(outcome: Outcome | undefined): Outcome {
  return outcome ?? { ok: true, appended: [] }
}

function tableOf(error: unknown): string {
  return error instanceof Error && 'table' in error ? String(error.table) : 'row'
}
