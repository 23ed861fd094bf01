import { UsageGroup, UsagePage, type UsageRow } from '@hotline/protocol/usage'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Lists } from '../../log/lists.ts'
import type { UsageSum } from '../../log/usage-list.ts'
import type { Clock } from '../../machine/clock.ts'
import { nothingHere } from '../../session/outcome.ts'
import type { RegisterRoute } from '../route.ts'
import { Decimal, projectsOf } from './sessions.ts'

const dayMs = 24 * 60 * 60 * 1_000
/** As many days as are shown where nobody says another time. */
const usualDays = 30
const rowsMax = 500
const Day = z.iso.date()

/** What agents used up: tokens and cost, as they told it. */
export function registerUsageRoutes(route: RegisterRoute, { lists, clock }: { lists: Lists; clock: Clock }): void {
  route({
    method: 'GET',
    url: '/api/usage',
    summary: 'Tokens and cost by session, agent, person, project or day',
    permission: 'read',
    refuses: ['not_found'],
    answer: UsagePage,
    query: z.strictObject({
      by: UsageGroup.default('session'),
      project: Id.optional(),
      from: Day.optional(),
      to: Day.optional(),
      limit: Decimal.pipe(z.int().min(1).max(rowsMax)).default(100),
    }),
    handle: async ({ principal, query: { by, project, limit, ...days } }) => {
      const mine = await projectsOf(principal, lists)
      if (project !== undefined && !mine.includes(project)) return { problem: nothingHere() }
      const { to = dayOf(clock.wallMs()) } = days
      const { from = dayOf(Date.parse(to) - (usualDays - 1) * dayMs) } = days
      const sums = await lists.usage({ projects: project === undefined ? mine : [project], by, from, to })
      const rows = rowsOf(sums).toSorted(by === 'day' ? byKey : byUse)
      const shown = rows.slice(0, limit)
      const named = await Promise.all(shown.map(async (row) => ({ ...row, name: await nameOf(by, row.key, lists) })))
      return { value: { from, to, rows: named, more: rows.length - shown.length } }
    },
  })
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** One row for each key, with a cost for each currency. */
function rowsOf(sums: readonly UsageSum[]): readonly Omit<UsageRow, 'name'>[] {
  const rows = new Map<string | null, Omit<UsageRow, 'name'>>()
  for (const { key, currency, sessions, input, output, cost } of sums) {
    const row = rows.get(key) ?? { key, sessions: 0, inputTokens: 0, outputTokens: 0, costs: [] }
    rows.set(key, {
      key,
      sessions: row.sessions + sessions,
      inputTokens: row.inputTokens + input,
      outputTokens: row.outputTokens + output,
      costs: currency === null || cost === null ? row.costs : [...row.costs, { amount: cost, currency }],
    })
  }
  return [...rows.values()]
}

type Row = Omit<UsageRow, 'name'>

function byKey(a: Row, b: Row): number {
  return (a.key ?? '').localeCompare(b.key ?? '')
}

function byUse(a: Row, b: Row): number {
  const costOf = ({ costs }: Row): number => Math.max(0, ...costs.map(({ amount }) => amount))
  const tokensOf = ({ inputTokens, outputTokens }: Row): number => inputTokens + outputTokens
  return costOf(b) - costOf(a) || tokensOf(b) - tokensOf(a) || byKey(a, b)
}

async function nameOf(by: UsageGroup, key: string | null, lists: Lists): Promise<string | null> {
  if (key === null) return null
  switch (by) {
    case 'session':
      return (await lists.session(key))?.title ?? null
    case 'person':
      return (await lists.account(key))?.name ?? (await lists.key(key))?.name ?? null
    case 'project':
      return (await lists.project(key))?.name ?? null
    case 'agent':
    case 'day':
      return null
  }
}
