import type { OpenLogBench } from '@hotline/testing/log-bench'
import { person } from '@hotline/testing/middle'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import { limits } from '@hotline/protocol/limits'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { begin, dana, liveOn, prove, stream } from './exchange-life.ts'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const stores: readonly [string, OpenLogBench][] = [
  ['SQLite', openSqliteBench],
  ['PostgreSQL', postgresBenches(postgres)],
]
const eli = person('eli')
const vera = person('vera')

describe.each(stores)('messages that commands are about, in %s', (_, open) => {
  test('[M9] a sign counts once, also of many at once and after a restart, under a message of many pieces', async () => {
    await using bench = await open()
    const first = liveOn(bench)
    const lives = [first]
    const runner = await begin(lives)
    for (const [account, role] of [
      ['eli', 'operator'],
      ['vera', 'viewer'],
    ])
      await first.send(systemPrincipal, 'project:p1', 'member.add', { account, role })
    const piece = { type: 'message.delta' as const, data: { message: 'm1' }, body: { text: 'a' } }
    for (let at = 0; at <= limits.pageEvents; at += limits.reportEvents)
      await runner.report(...Array.from({ length: limits.reportEvents }, () => piece))
    const sign = { message: 'm1', sign: '👍', on: true }
    const react = (life: typeof first, who = dana, data: object = sign) => life.send(who, stream, 'message.react', data)
    await Promise.all(Array.from({ length: 20 }, () => react(first)))
    await react(first, eli)
    const told = async (): Promise<unknown[]> =>
      (await bench.store.read(stream, { after: 0, limit: 10_000, maxBytes: 1e9 })).flatMap(({ type, bytes }) => {
        if (type !== 'message.reacted') return []
        const { actor, data } = JSON.parse(new TextDecoder().decode(bytes)) as {
          actor: { id: string }
          data: { on: boolean }
        }
        return [[actor.id, data.on]]
      })
    expect(await told()).toEqual([
      ['dana', true],
      ['eli', true],
    ])
    await bench.reopen()
    const second = liveOn(bench, first.nowMs() + 1)
    lives.push(second)
    expect(await react(second)).toMatchObject({ ok: true })
    expect(await react(second, dana, { ...sign, on: false })).toMatchObject({ ok: true })
    expect(await told()).toEqual([
      ['dana', true],
      ['eli', true],
      ['dana', false],
    ])
    expect(await react(second, vera)).toMatchObject({ ok: false, problem: { code: 'forbidden' } })
    expect(await react(second, person('nobody'))).toMatchObject({ ok: false, problem: { code: 'not_found' } })
    expect(await react(second, dana, { ...sign, message: 'other' })).toMatchObject({ problem: { code: 'not_found' } })
    expect([first.faults, second.faults]).toEqual([[], []])
    expect(await prove(bench)).toMatchObject({ faults: [] })
  })
})
