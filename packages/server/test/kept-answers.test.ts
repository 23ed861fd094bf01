import { inputDigest } from '@hotline/core/approval-digest'
import type { LogBench, OpenLogBench } from '@hotline/testing/log-bench'
import { sha256 } from '@hotline/testing/sha256'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { begin, dana, liveOn, prove, stream } from './exchange-life.ts'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const request = { tool: 'run', title: 'List', input: 'ls' }
const ofStream = `no = (SELECT no FROM streams WHERE stream = '${stream}')`

async function keptOf(bench: LogBench): Promise<{ resolved: unknown[] }> {
  const [row] = await bench.sql(`SELECT state FROM states WHERE ${ofStream}`)
  return JSON.parse(String(row?.['state'])) as { resolved: unknown[] }
}

const stores: readonly [string, OpenLogBench, number][] = [
  ['SQLite', openSqliteBench, 5],
  ['PostgreSQL', postgresBenches(postgres), 3],
]

describe.each(stores)('answered approvals in %s', (_, open, olderSchema) => {
  test('[P12] are kept by their places in the log, and after a restart whoever is late is told what they were told before', async () => {
    await using bench = await open()
    const first = liveOn(bench)
    const lives = [first]
    const runner = await begin(lives)
    const early = await runner.ask(request)
    await first.answer(early)
    const folder = { ...request, input: 'the settings of a folder' }
    const digest = inputDigest(folder, sha256) ?? ''
    const trusted = await runner.ask(folder, { trusts: digest })
    await first.answer(trusted)
    for (let at = 0; at < 46; at += 1) await first.answer(await runner.ask(request), at % 2 ? 'allow' : 'deny')
    const allowed = await runner.ask(request)
    await first.answer(allowed)
    const withdrawn = await runner.ask(request)
    await runner.report({ type: 'approval.cancelled', data: { approval: withdrawn.approval, reason: 'turn_ended' } })
    const late = await runner.ask(request, { expiresAt: new Date(Date.now() + 60_000).toISOString() })
    first.pass(120_000)
    await first.send(systemPrincipal, stream, 'approval.expire', { approval: late.approval })
    const told = await Promise.all([allowed, withdrawn, late, trusted, early].map((one) => first.answer(one)))
    expect(told.map((one) => (one.ok ? 'ok' : one.problem.code))).toEqual([
      'already_resolved',
      'approval_expired',
      'approval_expired',
      'already_resolved',
      'not_found',
    ])
    const before = await first.state()
    expect(before.resolved).toHaveLength(50)
    expect(await keptOf(bench)).toMatchObject({
      resolved: before.resolved.map((one) => (one.approval === trusted.approval ? { trusts: { digest } } : one.seq)),
    })
    expect(await prove(bench)).toMatchObject({ faults: [] })

    await bench.reopen()
    const second = liveOn(bench)
    expect(await second.state()).toEqual(JSON.parse(JSON.stringify(before)))
    expect(await Promise.all([allowed, withdrawn, late, trusted, early].map((one) => second.answer(one)))).toEqual(told)
    lives.push(second)
    await expect(runner.ask(request, { approval: allowed.approval })).rejects.toThrow('already_exists')
    expect([...first.faults, ...second.faults]).toEqual([])
  })

  test('[P12] [L14] that an earlier Hotline kept whole are read, told and proven, and go as others come', async () => {
    await using bench = await open()
    const first = liveOn(bench)
    const lives = [first]
    const runner = await begin(lives)
    const asked = [await runner.ask(request), await runner.ask(request)]
    for (const one of asked) await first.answer(one)
    const told = await Promise.all(asked.map((one) => first.answer(one)))
    const { resolved } = await first.state()
    const older = resolved.map(({ seq: _seq, ...one }) => one)
    await bench.sql(
      `UPDATE states SET state = $1 WHERE ${ofStream}`,
      JSON.stringify({ ...(await keptOf(bench)), resolved: older }),
    )
    // What later steps have brought.
    await bench.sql('DROP TABLE attachments')
    await bench.sql('DROP TABLE webhook_letters')
    await bench.sql('DROP TABLE webhook_cursors')
    await bench.sql('DROP TABLE second_factors')
    await bench.sql('DROP TABLE usage_days')
    await bench.sql('DROP TABLE deliveries')
    await bench.sql('DROP TABLE audit')
    await bench.sql('DROP INDEX sessions_with_mode')
    await bench.sql('DROP INDEX sessions_with_answers')
    await bench.sql('DROP INDEX sessions_untold')
    await bench.sql('DROP INDEX sessions_by_task')
    for (const column of ['policy_mode', 'waiting_approvals', 'answers_under_way', 'oldest_approval_at', 'untold']) {
      await bench.sql(`ALTER TABLE sessions DROP COLUMN ${column}`)
    }
    await bench.sql('DROP INDEX tasks_by_place')
    for (const column of ['position', 'priority', 'labels', 'assignee', 'sessions']) {
      await bench.sql(`ALTER TABLE tasks DROP COLUMN ${column}`)
    }
    await bench.sql('CREATE INDEX tasks_by_project ON tasks (project, created_at, task)')
    await bench.sql(`UPDATE schema_version SET version = ${olderSchema}`)

    await bench.reopen()
    const second = liveOn(bench)
    expect((await second.state()).resolved).toEqual(older)
    expect(await Promise.all(asked.map((one) => second.answer(one)))).toEqual(told)
    expect(await prove(bench)).toMatchObject({ faults: [] })
    lives.push(second)
    const next = await runner.ask(request)
    expect(await second.answer(next)).toMatchObject({ ok: true })
    const kept = await keptOf(bench)
    expect(kept.resolved).toEqual([...older, (await second.state()).resolved[2]?.seq])
    expect(kept.resolved[2]).toBeTypeOf('number')
    expect(await prove(bench)).toMatchObject({ faults: [] })
    expect(second.faults).toEqual([])
  })

  test('[P12] [L30] whose event is damaged decide nothing, by name, and other sessions go on', async () => {
    await using bench = await open()
    const first = liveOn(bench)
    const lives = [first]
    const runner = await begin(lives)
    const asked = await runner.ask(request)
    await first.answer(asked)
    const [answered] = (await first.state()).resolved
    const seq = answered?.seq ?? 0
    await bench.sql(`UPDATE events SET header = $1 WHERE ${ofStream} AND seq = ${seq}`, Buffer.from('{}'))

    await bench.reopen()
    const second = liveOn(bench)
    await expect(second.answer(asked)).rejects.toThrow(`damaged at ${stream} event ${seq}`)
    await bench.sql(`DELETE FROM events WHERE ${ofStream} AND seq = ${seq}`)
    await expect(second.answer(asked)).rejects.toThrow(`damaged at ${stream} event ${seq}`)
    expect(await second.send(dana, 'session:s2', 'session.rename', { title: 'Goes on' })).toMatchObject({ ok: true })
  })
})
