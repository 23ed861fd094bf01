import { join } from 'node:path'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { takeByHand } from '@hotline/testing/hand-runner'
import { machine, type Middle, openMiddle, person } from '@hotline/testing/middle'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Lists } from '../src/log/lists.ts'
import { systemIds } from '../src/machine/ids.ts'
import { startApprovalTimer, systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { AwakeWatch } from '../src/scheduler/awake-watch.ts'

const minute = 60_000
const hour = 60 * minute

let clock: HandClock
let middle: Middle
beforeEach(async () => {
  clock = handClock()
  middle = await openMiddle(clock)
})
afterEach(() => middle.close())

/** A session whose agent asks; approvals have an hour. */
async function asking(session: string): Promise<string> {
  await middle.send(systemPrincipal, `session:${session}`, 'session.start', {
    project: 'p1',
    agent: 'demo',
    approvalTimeoutMs: hour,
  })
  const runner = await takeByHand(session, {
    command: (stream, type, data) => middle.send(machine, stream, type, data),
  })
  const { approval } = await runner.ask({ tool: 'run', title: 'List', input: 'ls' })
  return approval
}

async function stateOf(session: string) {
  const state = (await middle.exchange.snapshot(`session:${session}`))?.state
  if (state?.kind !== 'session') throw new Error('no session')
  return state
}

const deadline = async (session: string): Promise<number> =>
  Date.parse((await stateOf(session)).approvals[0]?.expiresAt ?? '')

/** A life of the timer. */
function start({ lists }: { lists: Lists } = middle) {
  const { exchange, bus, dir } = middle
  const faults: unknown[] = []
  const fault = (error: unknown): unknown => faults.push(error)
  const awake = new AwakeWatch(join(dir, 'awake'), clock)
  const ids = systemIds(() => clock.wallMs())
  const timer = startApprovalTimer({ exchange, lists, bus, clock, ids, fault, awake })
  return { timer, faults }
}

test('[P10] a machine that slept gives back the time in which nobody could answer, and ten minutes at least', async () => {
  await asking('long')
  const { timer, faults } = start()
  const before = await deadline('long')
  await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
  // Its timers stand while it sleeps, and the wall goes on: it wakes up after the deadline.
  clock.setBack(-3 * hour)
  clock.advance(10_000)
  await waitFor(async () => (await deadline('long')) > before, { what: 'the time to be given back' })
  expect(await deadline('long')).toBeGreaterThanOrEqual(before + 3 * hour)
  expect((await stateOf('long')).resolved).toEqual([])
  timer[Symbol.dispose]()
  expect(faults).toEqual([])
})

test('[P10] the same holds for a server that was not running, and not for a restart of seconds', async () => {
  await asking('one')
  const before = await deadline('one')
  const live = async (): Promise<void> => {
    const { timer } = start()
    await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
    timer[Symbol.dispose]()
  }
  await live()
  clock.setBack(-5_000)
  await live()
  expect(await deadline('one')).toBe(before)
  clock.setBack(-(hour + 5 * minute))
  await live()
  expect((await deadline('one')) - clock.wallMs()).toBeGreaterThanOrEqual(10 * minute)
})

test('[P10] a machine that falls asleep while the server looks, between two of its steps, loses nobody their time', async () => {
  const approval = await asking('long')
  const read = Promise.withResolvers<undefined>()
  const isRead = Promise.withResolvers<undefined>()
  const slow: Lists = Object.assign(Object.create(middle.lists) as Lists, {
    approvals: async (...of: Parameters<Lists['approvals']>) => {
      isRead.resolve(undefined)
      await read.promise
      return middle.lists.approvals(...of)
    },
  })
  const { timer, faults } = start({ lists: slow })
  await isRead.promise
  clock.setBack(-3 * hour)
  // Who comes first, before any timer, waits for it as well.
  const caughtUp = timer.caughtUp()
  read.resolve(undefined)
  await caughtUp
  expect((await stateOf('long')).resolved).toEqual([])
  expect((await deadline('long')) - clock.wallMs()).toBeGreaterThanOrEqual(10 * minute)
  expect((await stateOf('long')).approvals.map((one) => one.approval)).toEqual([approval])
  timer[Symbol.dispose]()
  expect(faults).toEqual([])
})

test('[P3] many whose time is over at one moment are all closed in it', async () => {
  const sessions = Array.from({ length: 120 }, (_, index) => `s${index}`)
  for (const session of sessions) await asking(session)
  const { timer, faults } = start()
  await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
  for (let passed = 0; passed < hour; passed += minute / 2) {
    clock.advance(minute / 2)
    await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
  }
  await waitFor(
    async () => {
      // No time passes: what waits for none is called.
      clock.advance(0)
      return (await middle.lists.approvals('all', 1)).length === 0
    },
    { what: 'all to be closed' },
  )
  timer[Symbol.dispose]()
  expect(faults).toEqual([])
})

test('[P3] what begins together is looked at once, after those who are told of it in the same turn', async () => {
  const happened: string[] = []
  const approvals: Lists['approvals'] = (...asked) => {
    happened.push('looked')
    return middle.lists.approvals(...asked)
  }
  const { timer, faults } = start({ lists: { ...middle.lists, approvals } })
  await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
  happened.length = 0
  const begun = { seq: 1, type: 'approval.requested', subject: undefined, bytes: new Uint8Array(), headBytes: 0 }
  setImmediate(() => happened.push('told'))
  for (const stream of ['session:a', 'session:b']) {
    middle.bus.publish([{ stream, epoch: 'e', head: 1, events: [begun] }])
  }
  await waitFor(() => happened.includes('looked'), { what: 'a look' })
  await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
  expect(happened).toEqual(['told', 'looked'])
  timer[Symbol.dispose]()
  expect(faults).toEqual([])
})

test('[P9] more time that a person gives is what the timer keeps to', async () => {
  const approval = await asking('two')
  await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'approver' })
  await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'olga', role: 'operator' })
  const until = new Date(clock.wallMs() + 5 * hour).toISOString()
  const refused = await middle.send(person('olga'), 'session:two', 'approval.extend', { approval, until })
  expect(refused).toMatchObject({ ok: false, problem: { code: 'forbidden' } })
  expect(await middle.send(person('dana'), 'session:two', 'approval.extend', { approval, until })).toMatchObject({
    ok: true,
  })
  const { timer } = start()
  for (let passed = 0; passed < 2 * hour; passed += minute / 2) {
    await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
    clock.advance(minute / 2)
  }
  expect((await stateOf('two')).resolved).toEqual([])
  expect(new Date(await deadline('two')).toISOString()).toBe(until)
  timer[Symbol.dispose]()
})
