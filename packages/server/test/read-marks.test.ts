import type { AccountState } from '@hotline/core/account/state'
import type { OpenLogBench } from '@hotline/testing/log-bench'
import { person } from '@hotline/testing/middle'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { begin, dana, type Life, liveOn, prove, stream } from './exchange-life.ts'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const stores: readonly [string, OpenLogBench][] = [
  ['SQLite', openSqliteBench],
  ['PostgreSQL', postgresBenches(postgres)],
]
const eli = person('eli')
const own = ({ id }: Principal): string => `account:${id}`

async function read(life: Life, who: Principal): Promise<AccountState['read']> {
  const state = await life.stateOf(own(who))
  return state?.kind === 'account' ? state.read : undefined
}

async function mark(life: Life, who: Principal, seq: number, to = own(who), session = 's1'): Promise<string> {
  const outcome = await life.send(who, to, 'read.mark', { session, seq })
  return outcome.ok ? 'ok' : outcome.problem.code
}

const said = (message: string) => ({
  type: 'message.completed' as const,
  data: { message, chars: 2 },
  body: { text: 'Hi' },
})

describe.each(stores)('read marks in %s', (_, open) => {
  test('[RM1] they are one person’s own, count what was said up to there, and survive a restart; the session knows nothing', async () => {
    await using bench = await open()
    const first = liveOn(bench)
    const lives = [first]
    const runner = await begin(lives)
    await first.send(systemPrincipal, 'project:p1', 'member.add', { account: 'eli', role: 'viewer' })
    await runner.report(said('m1'))
    const seq = (await bench.store.head(stream))?.head ?? 0
    await runner.report(said('m2'), { type: 'turn.started', data: { turn: 't1' } }, said('m3'))
    const head = (await bench.store.head(stream))?.head ?? 0
    expect(await mark(first, dana, seq)).toBe('ok')
    expect(await mark(first, eli, head)).toBe('ok')
    await bench.reopen()
    const second = liveOn(bench, first.nowMs() + 1)
    lives.push(second)
    expect(await read(second, dana)).toMatchObject([{ project: 'p1', session: 's1', seq, messages: 1 }])
    expect(await read(second, eli)).toMatchObject([{ project: 'p1', session: 's1', seq: head, messages: 3 }])
    expect(await mark(second, dana, head + 1)).toBe('invalid_request')
    expect((await bench.store.head(stream))?.head).toBe(head)
    expect(await prove(bench, [stream, own(dana), own(eli)])).toMatchObject({ faults: [] })
    expect([...first.faults, ...second.faults]).toEqual([])
  })

  test('[RM3] only a person, only in their own stream, only of what they may read', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    const service: Principal = { ...dana, kind: 'service', id: 'k1', account: 'dana' }
    expect(await mark(life, service, 1, 'account:k1')).toBe('forbidden')
    expect(await mark(life, service, 1, own(dana))).toBe('forbidden')
    expect(await mark(life, eli, 1, own(dana))).toBe('not_found')
    expect(await mark(life, eli, 1)).toBe('not_found')
    expect(await mark(life, { ...dana, projects: ['other'] }, 1)).toBe('not_found')
    expect(await mark(life, { ...dana, scopes: ['write'] }, 1)).toBe('forbidden')
    expect(await mark(life, dana, 1, own(dana), 'nowhere')).toBe('not_found')
    expect(await mark(life, dana, 1)).toBe('ok')
    expect(life.faults).toEqual([])
  })
})
