import type { UsageGroup } from '@hotline/protocol/usage'
import { type Kysely, sql } from 'kysely'
import type { Tables } from './tables.ts'

/** The list of what sessions used, for both databases: one row for each day on which a session told it, `text` as in `firstLists`. */
export function usageTable(text: string, number: string, end: string): readonly string[] {
  return [
    `CREATE TABLE usage_days (
      session ${text} NOT NULL,
      day ${text} NOT NULL,
      project ${text} NOT NULL,
      agent ${text} NOT NULL,
      starter ${text},
      input_tokens ${number} NOT NULL,
      output_tokens ${number} NOT NULL,
      cost ${number},
      currency ${text},
      PRIMARY KEY (session, day)
    )${end}`,
    `CREATE INDEX usage_by_project ON usage_days (project, day)`,
  ]
}

/** Which days of which sessions, and by what they are added up. */
export interface UsageQuery {
  projects: readonly string[]
  by: UsageGroup
  /** `2026-11-23`, both included. */
  from: string
  to: string
}

/** What is used up under one key, in one currency; null where no cost was told. */
export interface UsageSum {
  key: string | null
  currency: string | null
  sessions: number
  input: number
  output: number
  cost: number | null
}

const columns: Record<UsageGroup, string> = {
  session: 'session',
  agent: 'agent',
  person: 'starter',
  project: 'project',
  day: 'day',
}

/**
 * Adds up. Agents tell what the whole session has used so far, so a day's share is what there is more than on the day before on
 * which it told; one that counts anew has used what it tells.
 */
export async function readUsage(
  db: Kysely<Tables>,
  { projects, by, from, to }: UsageQuery,
): Promise<readonly UsageSum[]> {
  if (projects.length === 0) return []
  const key = sql.ref(columns[by])
  const share = (column: string): ReturnType<typeof sql> => {
    const [now, before] = [sql.ref(column), sql.ref(`${column}_before`)]
    return sql`CASE WHEN ${before} IS NULL OR ${now} < ${before} THEN ${now} ELSE ${now} - ${before} END`
  }
  const before = (column: string): ReturnType<typeof sql> =>
    sql`lag(${sql.ref(column)}) OVER (PARTITION BY session ORDER BY day) AS ${sql.ref(`${column}_before`)}`
  const { rows } = await sql<Record<keyof UsageSum, string | number | null>>`
    SELECT ${key} AS key, currency, count(DISTINCT session) AS sessions,
      sum(${share('input_tokens')}) AS input, sum(${share('output_tokens')}) AS output, sum(${share('cost')}) AS cost
    FROM (
      SELECT usage_days.*, ${before('input_tokens')}, ${before('output_tokens')}, ${before('cost')}
      FROM usage_days WHERE project IN (${sql.join(projects)}) AND day <= ${to}
    ) AS days
    WHERE day >= ${from}
    GROUP BY ${key}, currency`.execute(db)
  // PostgreSQL adds up in more bits than a number has, and answers text.
  return rows.map(({ key: of, currency, sessions, input, output, cost }) => ({
    key: of === null ? null : String(of),
    currency: currency === null ? null : String(currency),
    sessions: Number(sessions),
    input: Number(input),
    output: Number(output),
    cost: cost === null ? null : Number(cost),
  }))
}
