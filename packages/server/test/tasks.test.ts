import type { TaskState } from '@hotline/core/task/state'
import type { HandRunner } from '@hotline/testing/hand-runner'
import type { LogBench, OpenLogBench } from '@hotline/testing/log-bench'
import { person } from '@hotline/testing/middle'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, describe, expect, test } from 'vitest'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { watchTasks } from '../src/scheduler/task-watch.ts'
import { begin, dana, hold, type Life, liveOn, prove } from './exchange-life.ts'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const stores: readonly [string, OpenLogBench][] = [
  ['SQLite', openSqliteBench],
  ['PostgreSQL', postgresBenches(postgres)],
]

function watch(life: Life, { lists }: LogBench): Disposable {
  const { exchange, bus } = life
  const ids = systemIds(() => systemClock.wallMs())
  return watchTasks({ exchange, lists, bus, clock: systemClock, ids, fault: (error) => life.faults.push(error) })
}

async function stateOf(life: Life, task: string): Promise<TaskState | undefined> {
  const state = await life.stateOf(`task:${task}`)
  return state?.kind === 'task' ? state : undefined
}

const comesTo = (life: Life, task: string, wanted: Partial<TaskState>): Promise<unknown> =>
  waitFor(
    async () => {
      const state = await stateOf(life, task)
      return Object.entries(wanted).every(([name, value]) => state?.[name as keyof TaskState] === value)
    },
    { what: `the card to be ${JSON.stringify(wanted)}` },
  )

const order = async ({ lists }: LogBench, column: TaskState['column']): Promise<string[]> =>
  (await lists.tasks({ project: 'p1', column, limit: 100 })).tasks.map(({ task }) => task)

/** A project of dana, three cards in it, and a session of the first that a runner holds. */
async function scene(life: Life): Promise<HandRunner> {
  await begin([life])
  for (const task of ['t1', 't2', 't3']) {
    await life.send(dana, `task:${task}`, 'task.create', { project: 'p1', title: `Card ${task}` })
  }
  const started = await life.send(dana, 'session:s3', 'session.start', {
    project: 'p1',
    task: 't1',
    agent: 'demo',
    prompt: 'Do it',
  })
  expect(started).toMatchObject({ ok: true })
  return hold([life], 's3')
}

describe.each(stores)('cards in %s', (_, open) => {
  test('[TK2] they stand in the order that people gave them, also over a restart', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await scene(life)
    const move = (task: string, after: string | null): ReturnType<Life['send']> =>
      life.send(dana, `task:${task}`, 'task.move', { to: 'todo', after })
    expect(await order(bench, 'todo')).toEqual(['t1', 't2', 't3'])
    await move('t3', null)
    await move('t1', 't2')
    expect(await order(bench, 'todo')).toEqual(['t3', 't2', 't1'])
    await move('t2', 't1')
    expect(await order(bench, 'todo')).toEqual(['t3', 't1', 't2'])
    expect(await move('t2', 's1')).toMatchObject({ ok: false, problem: { code: 'not_found' } })
    // Into the same gap again and again.
    for (let round = 0; round < 30; round += 1) await move(round % 2 === 0 ? 't2' : 't1', 't3')
    expect(await order(bench, 'todo')).toEqual(['t3', 't1', 't2'])
    await bench.reopen()
    expect(await order(bench, 'todo')).toEqual(['t3', 't1', 't2'])
    expect(life.faults).toEqual([])
  })

  test('[TK3] a card goes with its session, and knows it after a restart as well', async () => {
    await using bench = await open()
    const first = liveOn(bench)
    const begun = watch(first, bench)
    const hand = await scene(first)
    await comesTo(first, 't1', { column: 'in_progress' })
    await hand.report(
      { type: 'turn.started', data: { turn: 'u1' } },
      { type: 'turn.ended', data: { turn: 'u1', end: 'end' }, body: {} },
    )
    begun[Symbol.dispose]()
    // Nobody watches while it goes on.
    await first.send(dana, 'session:s3', 'session.complete', {})
    await hand.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'completed', reason: 'goal_reached' },
      body: {},
    })
    expect((await bench.lists.untoldSessions(10)).map(({ session }) => session)).toEqual(['s3'])
    expect((await stateOf(first, 't1'))?.column).toBe('in_progress')

    await bench.reopen()
    const second = liveOn(bench, first.nowMs())
    const again = watch(second, bench)
    await comesTo(second, 't1', { column: 'done' })
    expect(await bench.lists.untoldSessions(10)).toEqual([])
    expect(await stateOf(second, 't1')).toMatchObject({
      sessions: [{ session: 's3', agent: 'demo', phase: 'completed' }],
    })
    // Each line of the board is in the project's stream, and the fold of all of it is what was kept.
    expect(await prove(bench, ['task:t1', 'session:s3', 'project:p1'])).toMatchObject({ faults: [] })
    expect([...first.faults, ...second.faults]).toEqual([])
    again[Symbol.dispose]()
  })

  test('[TK1] a session belongs to a card of its own project alone', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await scene(life)
    await life.send(systemPrincipal, 'project:p2', 'project.create', { name: 'Two' })
    await life.send(systemPrincipal, 'project:p2', 'member.add', { account: 'eli', role: 'owner' })
    const eli = person('eli')
    const start = (who: typeof dana, session: string, project: string, task: string): ReturnType<Life['send']> =>
      life.send(who, `session:${session}`, 'session.start', { project, task, agent: 'demo' })
    const refused = { ok: false, problem: { code: 'not_found' } }
    expect(await start(eli, 's4', 'p2', 't1')).toMatchObject(refused)
    expect(await start(dana, 's5', 'p1', 'none')).toMatchObject(refused)
    await life.send(dana, 'task:t2', 'task.remove', {})
    expect(await start(dana, 's6', 'p1', 't2')).toMatchObject(refused)
    expect(await life.mayRead(eli, 'task:t1')).toBe(false)
    expect(await life.mayRead(dana, 'task:t1')).toBe(true)
    const moved = await life.send(eli, 'task:t1', 'task.move', { to: 'done' })
    expect(moved).toMatchObject(refused)
    // A card that is gone is not on the board, and what becomes of its session is in its history.
    expect(await order(bench, 'todo')).toEqual(['t1', 't3'])
  })
})
