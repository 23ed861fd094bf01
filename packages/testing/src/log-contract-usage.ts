import type { UsageGroup } from '@hotline/protocol/usage'
import type { RowChange } from '@hotline/server/log/tables'
import { describe, expect, test } from 'vitest'
import { accepted, agentEvent, freely, type LogBench, type OpenLogBench } from './log-bench.ts'

interface Told {
  session: string
  day: string
  input: number
  output?: number
  cost?: number
  project?: string
  starter?: string | null
  currency?: string
}

/** A session tells what it has used until now, again and again; of a day its last word is kept. */
const told: readonly Told[] = [
  { session: 'a', day: '2026-01-01', input: 60, output: 6, cost: 0.5 },
  { session: 'a', day: '2026-01-01', input: 100, output: 10, cost: 1 },
  { session: 'a', day: '2026-01-03', input: 150, output: 10, cost: 1.25 },
  // It counts anew.
  { session: 'a', day: '2026-01-05', input: 40, output: 4, cost: 1.5 },
  { session: 'b', day: '2026-01-03', input: 7, starter: 'bob' },
  { session: 'c', day: '2026-01-03', input: 1_000, cost: 2, currency: 'EUR', starter: null },
  { session: 'd', day: '2026-01-03', input: 5, project: 'p2' },
]

async function openFilled(open: OpenLogBench): Promise<LogBench> {
  const bench = await open()
  for (const { session, day, input, output = 0, cost, project = 'p1', starter = 'ada', currency = 'USD' } of told) {
    const put = {
      session,
      day,
      project,
      agent: session === 'b' ? 'codex' : 'claude',
      starter,
      input_tokens: input,
      output_tokens: output,
      cost: cost ?? null,
      currency: cost === undefined ? null : currency,
    }
    const rows: RowChange[] = [{ table: 'usage_days', put }]
    accepted(await bench.store.append([{ ...freely(`session:${session}`, agentEvent('x')), rows }]))
  }
  return bench
}

/** What sessions used, day by day and added up. */
export function usageContract(open: OpenLogBench): void {
  describe('usage', () => {
    const sums = async (by: UsageGroup, from: string, to: string, projects = ['p1']): Promise<unknown[]> => {
      await using bench = await openFilled(open)
      const found = await bench.lists.usage({ by, from: `2026-01-${from}`, to: `2026-01-${to}`, projects })
      return found
        .map(({ key, currency, sessions, input, output, cost }) => [key, currency, sessions, input, output, cost])
        .toSorted((one, other) => String(one).localeCompare(String(other)))
    }

    test('[US1] a day has what was used on it, and every sum is that of its days', async () => {
      expect(await sums('day', '01', '31')).toEqual(
        [
          ['2026-01-01', 'USD', 1, 100, 10, 1],
          ['2026-01-03', 'EUR', 1, 1_000, 0, 2],
          ['2026-01-03', null, 1, 7, 0, null],
          ['2026-01-03', 'USD', 1, 50, 0, 0.25],
          ['2026-01-05', 'USD', 1, 40, 4, 0.25],
        ].toSorted((one, other) => String(one).localeCompare(String(other))),
      )
    })

    test('[US1] a time that begins later leaves out what was used before it, one that ends earlier what came after', async () => {
      expect(await sums('session', '02', '04')).toEqual([
        ['a', 'USD', 1, 50, 0, 0.25],
        ['b', null, 1, 7, 0, null],
        ['c', 'EUR', 1, 1_000, 0, 2],
      ])
      expect(await sums('session', '06', '31')).toEqual([])
    })

    test('[US1] by person, agent and project, of those projects alone that are asked for', async () => {
      expect(await sums('person', '01', '31')).toEqual(
        [
          ['ada', 'USD', 1, 190, 14, 1.5],
          ['bob', null, 1, 7, 0, null],
          [null, 'EUR', 1, 1_000, 0, 2],
        ].toSorted((one, other) => String(one).localeCompare(String(other))),
      )
      expect(await sums('agent', '01', '01')).toEqual([['claude', 'USD', 1, 100, 10, 1]])
      expect(await sums('project', '01', '31', ['p2'])).toEqual([['p2', null, 1, 5, 0, null]])
      expect(await sums('project', '01', '31', [])).toEqual([])
    })
  })
}
