import type { SessionState } from '@hotline/core/session/state'
import type { Report } from '@hotline/protocol/commands/agent'
import { QueueStatus } from '@hotline/protocol/asks'
import type { LogBench, OpenLogBench } from '@hotline/testing/log-bench'
import { machine } from '@hotline/testing/middle'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import { queueStatus } from '../src/session/queue-status.ts'
import { asking, begin, hold, liveOn, prove, stream } from './exchange-life.ts'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const stores: readonly [string, OpenLogBench][] = [
  ['SQLite', openSqliteBench],
  ['PostgreSQL', postgresBenches(postgres)],
]

const printing = (text: string): Report => ({
  type: 'output.appended',
  data: { source: 'stdout', encoding: 'utf8', bytes: text.length },
  body: { text },
})

const withdrawn = (approval: string): Report => ({
  type: 'approval.cancelled',
  data: { approval, reason: 'agent_withdrew' },
})

/** Bytes of the row that each commit of the session writes anew. */
async function stateBytes(bench: LogBench): Promise<number> {
  const [row] = await bench.sql(
    `SELECT state FROM states WHERE no = (SELECT no FROM streams WHERE stream = '${stream}')`,
  )
  return Buffer.byteLength(String(row?.['state']))
}

async function typesIn(bench: LogBench, of: string): Promise<readonly { type: string; text: string }[]> {
  const range = { after: 0, upTo: 10_000, limit: 10_000, maxBytes: Number.MAX_SAFE_INTEGER }
  const events = await bench.store.read(of, range)
  return events.map(({ bytes }) => {
    const { type, body } = JSON.parse(Buffer.from(bytes).toString()) as { type: string; body?: { text?: string } }
    return { type, text: body?.text ?? '' }
  })
}

const named = (of: readonly { approval: string }[] = []): readonly string[] => of.map(({ approval }) => approval)
const openIn = (state: SessionState): readonly string[] =>
  named(state.approvals.filter(({ outcome }) => outcome === undefined))

describe.each(stores)('the queue of approvals in %s', (_, open) => {
  test('[AQ1] [AQ6] of a thousand requests in a burst five are open; what a commit writes stays small, and the output of others goes on', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    const other = await hold([life], 's2')
    const before = await stateBytes(bench)
    const fence = (await life.state()).lease?.fence ?? 0
    const wanted = Array.from({ length: 1_006 }, (__, at) => `a${at + 1}`)
    // A report for each, as from an agent that asks for one thing after the other, with the other session's output between.
    const outcomes = []
    for (let at = 0; at < wanted.length; at += 100) {
      const burst = wanted.slice(at, at + 100)
      const told = burst.map((one) => life.send(machine, stream, 'agent.report', { fence, events: [asking(one)] }))
      const printed = burst.map((one) => other.report(printing(`${one}\n`)))
      outcomes.push(...(await Promise.all(told)))
      await Promise.all(printed)
    }
    const state = await life.state()
    expect(openIn(state)).toEqual(wanted.slice(0, 5))
    expect(named(state.waiting)).toEqual(wanted.slice(5, 1_005))
    expect(outcomes.every(({ ok }) => ok)).toBe(true)
    const dropped = outcomes.map((one) => (one.ok ? one.accepted.dropped : 'refused'))
    expect(dropped.flatMap((one, at) => (one ? [[wanted[at], one]] : []))).toEqual([
      ['a1006', [{ index: 0, code: 'queue_full' }]],
    ])
    const types = (await typesIn(bench, stream)).map(({ type }) => type)
    expect(types.filter((type) => type === 'approval.requested')).toHaveLength(1_005)
    expect(types.filter((type) => type === 'approval.refused')).toHaveLength(1)
    const said = (await typesIn(bench, 'session:s2')).filter(({ type }) => type === 'output.appended')
    expect(said.map(({ text }) => text).join('')).toBe(wanted.map((one) => `${one}\n`).join(''))
    // Of each that waits its place in the log and no more, so that it costs a commit little.
    expect((await stateBytes(bench)) - before).toBeLessThan(1_000 * 5 + 5 * 600)
    expect(await prove(bench)).toMatchObject({ faults: [] })
    expect(life.faults).toEqual([])
  })

  test('[AQ5] what is open and what waits, and in which order, outlasts a restart', async () => {
    await using bench = await open()
    const first = liveOn(bench)
    const lives = [first]
    const asker = await begin(lives)
    await asker.report(...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(asking))
    const before = await first.state()
    expect([openIn(before), named(before.waiting)]).toEqual([
      ['a', 'b', 'c', 'd', 'e'],
      ['f', 'g', 'h'],
    ])

    await bench.reopen()
    const second = liveOn(bench)
    lives.push(second)
    expect(await second.state()).toEqual(JSON.parse(JSON.stringify(before)))
    const waiting = before.waiting?.[1] ?? { approval: '', digest: '' }
    expect(await second.answer({ approval: waiting.approval, digest: waiting.digest })).toMatchObject({
      problem: { code: 'invalid_transition', place: 2 },
    })
    const [oldest] = before.approvals
    expect(await second.answer({ approval: 'a', digest: oldest?.digest ?? '' })).toMatchObject({ ok: true })
    await asker.report({ type: 'approval.cancelled', data: { approval: 'g', reason: 'agent_withdrew' } })
    const after = await second.state()
    expect([openIn(after), named(after.waiting)]).toEqual([['b', 'c', 'd', 'e', 'f'], ['h']])
    expect(await prove(bench)).toMatchObject({ faults: [] })

    await bench.reopen()
    const third = liveOn(bench)
    expect(await third.state()).toEqual(JSON.parse(JSON.stringify(after)))
    expect([...first.faults, ...second.faults, ...third.faults]).toEqual([])
  })

  test('[AQ5] a damaged request among those that wait decides nothing, by name', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    const asker = await begin([life])
    await asker.report(...['a', 'b', 'c', 'd', 'e', 'f'].map(asking))
    const seq = (await life.state()).waiting?.[0]?.seq ?? 0
    await bench.sql(
      `DELETE FROM events WHERE no = (SELECT no FROM streams WHERE stream = '${stream}') AND seq = ${seq}`,
    )
    await bench.reopen()
    await expect(liveOn(bench).state()).rejects.toThrow(`damaged at ${stream} event ${seq}`)
  })

  test('[AQ7] how many wait for people and for agents is known over all and by session, the oldest first', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    const lives = [life]
    const asker = await begin(lives)
    const status = async (): Promise<QueueStatus> => QueueStatus.parse(await queueStatus(bench.lists, ['p1']))
    expect(await status()).toEqual({ open: 0, waiting: 0, pending: 0, processing: 0, oldestAt: null, sessions: [] })
    await asker.report(...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(asking))
    const { approvals } = await life.state()
    life.pass(60_000)
    const other = await hold(lives, 's2')
    const late = await other.ask({ tool: 'run', title: 'Late', input: 'late' })
    const oldestAt = approvals[0]?.requestedAt
    const counts = { open: 6, waiting: 2, pending: 8, processing: 0, oldestAt }
    expect(await status()).toMatchObject({
      ...counts,
      sessions: [
        { session: 's1', project: 'p1', open: 5, waiting: 2, pending: 7, oldestAt },
        { session: 's2', open: 1, waiting: 0, pending: 1 },
      ],
    })
    // Answered, and on its way until the agent has it.
    await life.answer({ approval: 'a', digest: approvals[0]?.digest ?? '' })
    expect(await status()).toMatchObject({ open: 6, waiting: 1, pending: 7, processing: 1 })
    // Also where nothing else is asked.
    await asker.report(...['b', 'c', 'd', 'e', 'f', 'g'].map(withdrawn))
    await other.report(withdrawn(late.approval))
    expect(await status()).toMatchObject({
      pending: 0,
      processing: 1,
      oldestAt: null,
      sessions: [{ session: 's1', pending: 0, processing: 1, oldestAt: null }],
    })
    await asker.report({ type: 'approval.dispatched', data: { approval: 'a' } })
    expect(await status()).toMatchObject({ pending: 0, processing: 0, sessions: [] })
    expect(await queueStatus(bench.lists, ['p2'])).toMatchObject({ pending: 0, sessions: [] })
  })
})
