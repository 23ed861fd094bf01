import type { AccountState } from '@hotline/core/account/state'
import { snoozeOf } from '@hotline/core/account/state'
import type { OpenLogBench } from '@hotline/testing/log-bench'
import { person } from '@hotline/testing/middle'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import type { Principal } from '../src/access/principal.ts'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { asking, begin, dana, type Life, liveOn, prove, stream } from './exchange-life.ts'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const stores: readonly [string, OpenLogBench][] = [
  ['SQLite', openSqliteBench],
  ['PostgreSQL', postgresBenches(postgres)],
]
const eli = person('eli')
const minuteMs = 60_000

const own = ({ id }: Principal): string => `account:${id}`
const ask = (of: string) => ({ session: 's1', ask: of })

async function ownState(life: Life, who: Principal): Promise<AccountState | undefined> {
  const state = await life.stateOf(own(who))
  return state?.kind === 'account' ? state : undefined
}

/** Puts it aside for so many minutes; answers for how many it is, or the code of the refusal. */
async function putAside(life: Life, who: Principal, of: string, minutes: number): Promise<number | string> {
  const until = new Date(life.nowMs() + minutes * minuteMs).toISOString()
  const outcome = await life.send(who, own(who), 'ask.snooze', { ...ask(of), until })
  if (!outcome.ok) return outcome.problem.code
  return (Date.parse(outcome.accepted.until ?? '') - life.nowMs()) / minuteMs
}

const isAside = async (life: Life, who: Principal, of: string): Promise<boolean> =>
  snoozeOf(await ownState(life, who), ask(of), new Date(life.nowMs()).toISOString()) !== undefined

describe.each(stores)('what is put aside in %s', (_, open) => {
  test('[SN1] [SN4] it is one person’s own, survives a restart, and comes back at its time', async () => {
    await using bench = await open()
    const first = liveOn(bench)
    const lives = [first]
    const asker = await begin(lives)
    await first.send(systemPrincipal, 'project:p1', 'member.add', { account: 'eli', role: 'viewer' })
    await asker.report(asking('a'), { type: 'question.asked', data: { question: 'q' }, body: { text: 'Which?' } })
    const before = (await first.state()).approvals
    expect(await putAside(first, dana, 'a', 60)).toBe(60)
    expect(await putAside(first, eli, 'q', 15)).toBe(15)

    await bench.reopen()
    const second = liveOn(bench, first.nowMs())
    lives.push(second)
    expect([await isAside(second, dana, 'a'), await isAside(second, eli, 'a')]).toEqual([true, false])
    expect([await isAside(second, dana, 'q'), await isAside(second, eli, 'q')]).toEqual([false, true])
    // The request and its time are as they were.
    expect((await second.state()).approvals).toEqual(JSON.parse(JSON.stringify(before)))
    second.pass(15 * minuteMs)
    expect([await isAside(second, dana, 'a'), await isAside(second, eli, 'q')]).toEqual([true, false])
    second.pass(45 * minuteMs)
    expect(await isAside(second, dana, 'a')).toBe(false)
    expect(await prove(bench, [stream, own(dana), own(eli)])).toMatchObject({ faults: [] })
    expect([...first.faults, ...second.faults]).toEqual([])
  })

  test('[SN2] its time goes on, stands while the session is paused, and is never slept over', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    const asker = await begin([life])
    await asker.report(asking('a'))
    // As long as a request waits without a word about it: a day.
    expect(await putAside(life, dana, 'a', 7 * 24 * 60)).toBe(24 * 60 - 10)
    life.pass(23.75 * 60 * minuteMs)
    expect(await putAside(life, dana, 'a', 60)).toBe(7.5)
    await life.send(dana, stream, 'session.pause', {})
    await asker.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'paused', reason: 'requested' },
      body: {},
    })
    expect((await life.state()).status).toBe('paused')
    life.pass(600 * minuteMs)
    expect(await putAside(life, dana, 'a', 60)).toBe(7.5)
    const [asked] = (await life.state()).approvals
    expect([asked?.approval, asked?.outcome]).toEqual(['a', undefined])
  })

  test('[SN3] [SN4] only a person, only in their own stream, only of what they may read and is open', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    const asker = await begin([life])
    await asker.report(asking('a'), asking('b'))
    const until = new Date(life.nowMs() + minuteMs).toISOString()
    const sent = async (who: Principal, to: string, of = 'a', session = 's1') => {
      const outcome = await life.send(who, to, 'ask.snooze', { session, ask: of, until })
      return outcome.ok ? 'ok' : outcome.problem.code
    }
    const service: Principal = { ...dana, kind: 'service', id: 'k1', account: 'dana' }
    const limited: Principal = { ...dana, projects: ['other'] }
    expect(await sent(service, 'account:k1')).toBe('forbidden')
    expect(await sent(service, own(dana))).toBe('forbidden')
    expect(await sent(eli, own(dana))).toBe('not_found')
    expect(await sent(eli, own(eli))).toBe('not_found')
    expect(await sent(limited, own(dana))).toBe('not_found')
    expect(await sent({ ...dana, scopes: ['write'] }, own(dana))).toBe('forbidden')
    expect(await sent(dana, own(dana), 'a', 'nowhere')).toBe('not_found')
    expect(await sent(dana, own(dana), 'never')).toBe('already_resolved')
    expect(await ownState(life, dana)).toBeUndefined()
    expect(await sent(dana, own(dana))).toBe('ok')
    for (const [who, may] of [
      [dana, true],
      [eli, false],
      [service, false],
      [limited, false],
    ] as const) {
      expect([who.id, await life.mayRead(who, own(dana))]).toEqual([who.id, may])
    }
    // Answered by anybody it is open for nobody, and a second one is not touched by it.
    const [asked] = (await life.state()).approvals
    await life.answer({ approval: 'a', digest: asked?.digest ?? '' }, 'deny')
    expect(await sent(dana, own(dana))).toBe('already_resolved')
    expect(await sent(dana, own(dana), 'b')).toBe('ok')
    expect(life.faults).toEqual([])
  })
})
