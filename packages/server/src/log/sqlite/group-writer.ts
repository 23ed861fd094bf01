import type { Ids } from '../../machine/ids.ts'
import { ChainHasher } from '../chain-hasher.ts'
import { HeadCache } from '../head-cache.ts'
import type { HeadEntry } from '../head-cache.ts'
import type { Append, AppendRefusal } from '../log-store.ts'
import { planGroup } from '../plan-group.ts'
import type { GroupPlan, PlanMeans, PlannedAppend } from '../plan-group.ts'
import { mayConflict, rowStatements, storableText } from '../row-statements.ts'
import type { RowChange } from '../tables.ts'
import { place, seqMax, streamsMax } from './event-place.ts'
import type { SqliteFile } from './sqlite-file.ts'

const selectHead = 'SELECT no, epoch, head, hash, generation FROM streams WHERE stream = ?'
const insertStream = 'INSERT INTO streams (stream, epoch, head, hash, generation) VALUES (?, ?, ?, ?, ?)'
const updateHead = 'UPDATE streams SET head = ?, hash = ?, generation = ? WHERE no = ?'
const insertEvent = `INSERT INTO events (place, type, subject, header, salt, body, hash)
  VALUES (${place}, ?, ?, ?, ?, ?, ?)`
const putState =
  'INSERT INTO states (no, seq, state) VALUES (?, ?, ?) ON CONFLICT (no) DO UPDATE SET seq = excluded.seq, state = excluded.state'
const insertCommand = 'INSERT INTO commands (no, principal, id, body_hash, answer) VALUES (?, ?, ?, ?, ?)'

/** SQLITE_CONSTRAINT_PRIMARYKEY and SQLITE_CONSTRAINT_UNIQUE; other constraints are bugs of the caller. */
const existsCodes = [1555, 2067]

/**
 * Writes groups into an open transaction. Conflicts are decided from the heads in memory, which are true because this
 * process alone writes the file; only a row or a command that exists already is found by writing, and then a savepoint
 * takes that one group back.
 */
export class GroupWriter {
  readonly #file: SqliteFile
  readonly #means: PlanMeans
  readonly #heads = new HeadCache()
  readonly #rowStatement: (change: RowChange) => { sql: string; parameters: readonly (string | number | null)[] }
  /** Heads as they will be if the open transaction commits. */
  readonly #moved = new Map<string, HeadEntry>()
  readonly #stale = new Set<string>()
  #life = 0

  constructor(file: SqliteFile, ids: Ids) {
    this.#file = file
    this.#means = { ids, hasher: new ChainHasher() }
    this.#rowStatement = rowStatements(file.kysely())
  }

  headOf(stream: string): HeadEntry | undefined {
    if (this.#life !== this.#file.life) {
      this.#heads.clear()
      this.#life = this.#file.life
    }
    const known = this.#moved.get(stream) ?? this.#heads.get(stream)
    if (known !== undefined) return known
    const stored = this.#file.statement(selectHead).get(stream) as unknown as HeadEntry | undefined
    if (stored !== undefined) this.#heads.set(stream, stored)
    return stored
  }

  /**
   * Plans and writes one group; an Error where it cannot be planned (a bug of the caller). Throws what SQLite throws; then
   * the whole transaction has to be rolled back.
   */
  write(group: readonly Append[]): readonly PlannedAppend[] | AppendRefusal | Error {
    const plan = this.#plan(group)
    if (plan instanceof Error || !plan.ok) return plan
    const careful = plan.planned.some(
      ({ append }) => (append.commands?.length ?? 0) > 0 || (append.rows?.length ?? 0) > 0,
    )
    if (careful) this.#file.statement('SAVEPOINT one_group').run()
    for (const planned of plan.planned) this.#writeStream(planned)
    const refusal = careful ? this.#writeRest(plan.planned) : undefined
    if (refusal !== undefined) this.#file.statement('ROLLBACK TO one_group').run()
    if (careful) this.#file.statement('RELEASE one_group').run()
    if (refusal !== undefined) return refusal
    for (const { append, before, after } of plan.planned) {
      this.#moved.set(append.stream, after)
      if (before !== undefined) this.#stale.add(append.stream)
    }
    return plan.planned
  }

  /** Writes the heads that moved, once for each stream; to be called before the commit. */
  flush(): void {
    const update = this.#file.statement(updateHead)
    for (const stream of this.#stale) {
      const head = this.#moved.get(stream)
      if (head !== undefined) update.run(head.head, head.hash, head.generation, head.no)
    }
  }

  committed(): void {
    for (const [stream, head] of this.#moved) this.#heads.set(stream, head)
    this.#moved.clear()
    this.#stale.clear()
  }

  /** Forgets what the open transaction would have done, and answers the heads that it would have left. */
  rolledBack(): ReadonlyMap<string, HeadEntry> {
    const intended = new Map(this.#moved)
    this.#moved.clear()
    this.#stale.clear()
    return intended
  }

  #plan(group: readonly Append[]): GroupPlan | Error {
    for (const { stream } of group) this.headOf(stream)
    try {
      return planGroup(group, (stream) => this.headOf(stream), this.#means)
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  #writeStream({ append, before, after, events }: PlannedAppend): void {
    if (after.no === 0) {
      // A group may create a stream and append to it again: then the first of the two made the row.
      after.no =
        before?.no ??
        Number(
          this.#file.statement(insertStream).run(append.stream, after.epoch, after.head, after.hash, after.generation)
            .lastInsertRowid,
        )
    }
    if (after.head > seqMax || after.no > streamsMax)
      throw new RangeError('the database has no place for another event')
    const insert = this.#file.statement(insertEvent)
    for (const event of events) {
      insert.run(
        after.no,
        event.seq,
        event.type,
        event.subject ?? null,
        event.header,
        event.salt ?? null,
        event.body ?? null,
        event.hash,
      )
    }
    if (append.state !== undefined) this.#file.statement(putState).run(after.no, after.head, append.state)
  }

  /** All commands of the group, then all rows: where both conflict, both stores name the same. */
  #writeRest(planned: readonly PlannedAppend[]): AppendRefusal | undefined {
    for (const { append, after } of planned) {
      for (const command of append.commands ?? []) {
        const values = [
          after.no,
          storableText(command.principal),
          storableText(command.id),
          command.bodyHash,
          command.answer,
        ]
        if (!this.#runUnlessExists(insertCommand, values)) return conflict('commands')
      }
    }
    for (const { append } of planned) {
      for (const change of append.rows ?? []) {
        const { sql, parameters } = this.#rowStatement(change)
        if (!mayConflict(change)) this.#file.statement(sql).run(...parameters)
        else if (!this.#runUnlessExists(sql, parameters)) return conflict(change.table)
      }
    }
    return undefined
  }

  #runUnlessExists(sql: string, parameters: readonly (string | number | null)[]): boolean {
    try {
      this.#file.statement(sql).run(...parameters)
      return true
    } catch (error) {
      if (error instanceof Error && 'errcode' in error && existsCodes.includes(Number(error.errcode))) return false
      throw error
    }
  }
}

function conflict(what: string): AppendRefusal {
  return { ok: false, reason: 'conflict', what }
}
