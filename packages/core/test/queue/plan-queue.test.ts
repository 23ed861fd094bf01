import { expectedWait, type Machine, planQueue, type Waiting } from '@hotline/core/queue/plan-queue'
import { describe, expect, it } from 'vitest'

const minuteMs = 60_000

function waits(session: string, more: Partial<Waiting> = {}): Waiting {
  return { session, project: 'p', agent: 'demo', runner: null, priority: 'normal', sinceMs: 0, ...more }
}

function machine(runner: string, sessionsMax: number, more: Partial<Machine> = {}): Machine {
  return { runner, sessionsMax, agents: new Map([['demo', undefined]]), ...more }
}

function plan(
  waiting: readonly Waiting[],
  machines: readonly Machine[],
  more: Partial<Parameters<typeof planQueue>[1]> = {},
): Record<string, [string | undefined, number | undefined]> {
  const planned = planQueue(waiting, { machines, busy: [], projectMax: () => undefined, ...more })
  return Object.fromEntries(planned.map(({ session, why, position }) => [session, [why, position]]))
}

describe('the order in which sessions begin', () => {
  it('[SQ1] is that in which they came, and a step of priority is worth ten minutes of it', () => {
    const waiting = [
      waits('low', { priority: 'low', sinceMs: 0 }),
      waits('first', { sinceMs: minuteMs }),
      waits('urgent', { priority: 'urgent', sinceMs: 15 * minuteMs }),
      waits('high', { priority: 'high', sinceMs: 12 * minuteMs }),
    ]
    const order = planQueue(waiting, { machines: [machine('m', 1)], busy: [], projectMax: () => undefined })
    expect(order.map(({ session }) => session)).toEqual(['urgent', 'first', 'high', 'low'])
    // What waits for long enough is not overtaken by anything that comes now.
    const late = waits('late', { priority: 'urgent', sinceMs: 31 * minuteMs })
    expect(planQueue([...waiting, late], { machines: [], busy: [], projectMax: () => undefined }).at(-1)?.session).toBe(
      'late',
    )
  })

  it('[SQ2] keeps within what a machine takes, and of one agent, and what a project may', () => {
    const three = [waits('a', { sinceMs: 1 }), waits('b', { sinceMs: 2 }), waits('c', { sinceMs: 3 })]
    expect(plan(three, [machine('m', 2)])).toEqual({ a: [undefined, 1], b: [undefined, 2], c: ['machine_full', 3] })
    const busy = [{ runner: 'm', project: 'p', agent: 'demo', count: 1 }]
    expect(plan(three, [machine('m', 2)], { busy })).toMatchObject({ a: [undefined, 1], b: ['machine_full', 2] })
    const one = machine('m', 9, { agents: new Map([['demo', 1]]) })
    expect(plan(three, [one])).toMatchObject({ a: [undefined, 1], b: ['agent_full', 2], c: ['agent_full', 3] })
    expect(plan(three, [machine('m', 9)], { projectMax: () => 1 })).toMatchObject({ b: ['project_full', 2] })
    expect(plan(three, [machine('m', 1), machine('n', 1)])).toMatchObject({ b: [undefined, 2], c: ['machine_full', 3] })
  })

  it('[SQ6] one that asks for labels begins only where all of them are, and keeps no place from others', () => {
    const waiting = [
      waits('gpu', { labels: ['gpu', 'linux'], sinceMs: 1 }),
      waits('named', { labels: ['gpu'], runner: 'm', sinceMs: 2 }),
      waits('any', { sinceMs: 3 }),
    ]
    const linux = machine('m', 1, { labels: ['linux'] })
    expect(plan(waiting, [linux])).toEqual({
      gpu: ['no_machine', undefined],
      named: ['no_machine', undefined],
      any: [undefined, 1],
    })
    const both = [linux, machine('n', 1, { labels: ['linux', 'gpu', 'fast'] })]
    const [first] = planQueue(waiting, { machines: both, busy: [], projectMax: () => undefined })
    expect(first).toMatchObject({ session: 'gpu', admitted: ['n'], places: 1 })
  })

  it('[SQ2] what waits for one place stops nobody who wants another', () => {
    const waiting = [
      waits('a', { sinceMs: 1 }),
      waits('b', { sinceMs: 2 }),
      waits('other project', { project: 'q', sinceMs: 3 }),
      waits('other machine', { runner: 'n', sinceMs: 4 }),
    ]
    const machines = [machine('m', 2), machine('n', 1)]
    const got = plan(waiting, machines, { projectMax: (project) => (project === 'p' ? 1 : undefined) })
    expect(got).toMatchObject({ a: [undefined, 1], b: ['project_full', 2], 'other project': [undefined, 2] })
    expect(got['other machine']).toEqual(['project_full', 3])
  })

  it('[SQ3] has no place for what no machine could begin', () => {
    expect(plan([waits('a')], [])).toEqual({ a: ['no_machine', undefined] })
    expect(plan([waits('a', { agent: 'claude' })], [machine('m', 1)])).toEqual({ a: ['no_machine', undefined] })
    expect(plan([waits('a', { runner: 'n' })], [machine('m', 1)])).toEqual({ a: ['no_machine', undefined] })
    expect(plan([waits('a')], [machine('m', 1, { projects: ['q'] })])).toEqual({ a: ['no_machine', undefined] })
    // One that has not said yet what it can do may take anything.
    expect(plan([waits('a', { agent: 'claude' })], [machine('m', 1, { agents: undefined })])).toEqual({
      a: [undefined, 1],
    })
  })
})

describe('how long a session will probably wait', () => {
  const durations = [1, 2, 3, 4, 5].map((minutes) => minutes * minuteMs)

  it('[SQ4] follows from how long others were at work, with the quartiles, and from its position', () => {
    expect(expectedWait({ position: 1, places: 1 }, durations)).toEqual({ lowS: 120, likelyS: 180, highS: 240, of: 5 })
    expect(expectedWait({ position: 3, places: 2 }, durations)).toEqual({ lowS: 180, likelyS: 270, highS: 360, of: 5 })
  })

  it('[SQ4] is not said where too little was measured, or where nothing could begin it', () => {
    expect(expectedWait({ position: 1, places: 1 }, durations.slice(1))).toBeUndefined()
    expect(expectedWait({ position: undefined, places: 0 }, durations)).toBeUndefined()
  })
})
