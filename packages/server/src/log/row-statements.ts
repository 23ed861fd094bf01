import type { CompiledQuery, Kysely } from 'kysely'
import type { RowChange, TableName, Tables } from './tables.ts'

/** The columns that tell the rows of a table apart. */
const keyColumns: Record<TableName, readonly string[]> = {
  sessions: ['session'],
  projects: ['project'],
  members: ['project', 'account'],
  tasks: ['task'],
  approvals: ['approval', 'session'],
  accounts: ['account'],
  keys: ['key'],
  facts: ['name'],
  audit: ['at', 'stream', 'seq'],
  deliveries: ['channel', 'session', 'approval'],
  second_factors: ['account'],
  usage_days: ['session', 'day'],
  webhook_cursors: ['webhook', 'stream'],
  webhook_letters: ['webhook', 'stream', 'seq'],
  attachments: ['session', 'digest', 'name', 'uploader'],
}

/** Kysely with the columns forgotten: which ones a change names is known only when it comes. */
type AnyRow = Record<string, string | number | null>
type AnyTables = Record<TableName, AnyRow>

/** A change of a row as SQL. */
export interface RowStatement {
  sql: string
  parameters: readonly (string | number | null)[]
}

/** True where the change may find that a row exists which must be new, or a name that is taken. */
export function mayConflict(change: RowChange): boolean {
  return 'insert' in change || (change.table === 'accounts' && !('drop' in change))
}

/**
 * Turns changes of lists into statements of the database behind `kysely`. Each shape (table, operation, columns) is
 * compiled once; there are as many shapes as places in the code that make changes.
 */
export function rowStatements(kysely: Kysely<Tables>): (change: RowChange) => RowStatement {
  const compiled = new Map<string, string>()
  return (change) => {
    const [operation, values, where] = partsOf(change)
    const shape = [
      change.table,
      operation,
      ...Object.keys(values),
      '?',
      ...Object.entries(where).map(([column, value]) => (value === null ? `${column} is null` : column)),
    ].join(' ')
    let sql = compiled.get(shape)
    if (sql === undefined) {
      sql = compile(kysely as unknown as Kysely<AnyTables>, change.table, operation, values, where).sql
      compiled.set(shape, sql)
    }
    const conditions = Object.values(where).filter((value) => value !== null)
    return { sql, parameters: [...Object.values(values), ...conditions].map(storable) }
  }
}

type Operation = 'insert' | 'put' | 'set' | 'drop'

function partsOf(change: RowChange): [Operation, AnyRow, AnyRow] {
  if ('insert' in change) return ['insert', { ...change.insert }, {}]
  if ('put' in change) return ['put', { ...change.put }, {}]
  if ('set' in change) return ['set', given(change.set), given(change.where)]
  return ['drop', {}, given(change.drop)]
}

/** A member that is `undefined` counts as absent. */
function given(row: object): AnyRow {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined))
}

function compile(
  kysely: Kysely<AnyTables>,
  table: TableName,
  operation: Operation,
  values: AnyRow,
  where: AnyRow,
): CompiledQuery {
  if (operation !== 'insert' && operation !== 'put' && Object.keys(where).length === 0) {
    throw new TypeError(`a change of ${table} without a condition would hit every row`)
  }
  switch (operation) {
    case 'insert':
      return kysely.insertInto(table).values(values).compile()
    case 'put':
      return kysely
        .insertInto(table)
        .values(values)
        .onConflict((conflict) =>
          conflict
            .columns([...keyColumns[table]])
            .doUpdateSet((row) =>
              Object.fromEntries(Object.keys(values).map((column) => [column, row.ref(`excluded.${column}`)])),
            ),
        )
        .compile()
    case 'set':
      return Object.entries(where)
        .reduce(
          (query, [column, value]) =>
            value === null ? query.where(column, 'is', null) : query.where(column, '=', value),
          kysely.updateTable(table).set(values),
        )
        .compile()
    case 'drop':
      return Object.entries(where)
        .reduce(
          (query, [column, value]) =>
            value === null ? query.where(column, 'is', null) : query.where(column, '=', value),
          kysely.deleteFrom(table),
        )
        .compile()
  }
}

function storable(value: string | number | null): string | number | null {
  return typeof value === 'string' ? storableText(value) : value
}

/**
 * Text as every database can hold it: PostgreSQL knows no U+0000 in text, and a lone surrogate is no Unicode. Both become
 * U+FFFD, in lists only; events are bytes and keep them.
 */
export function storableText(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole
}
