import { join } from 'node:path'
import { handClock } from '@hotline/testing/hand-clock'
import { takeByHand } from '@hotline/testing/hand-runner'
import { machine, type Middle, openMiddle, person } from '@hotline/testing/middle'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemIds } from '../src/machine/ids.ts'
import { startApprovalTimer, systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { AwakeWatch } from '../src/scheduler/awake-watch.ts'

const minute = 60_000
const hour = 60 * minute

let middle: Middle
beforeEach(async () => {
  middle = await openMiddle()
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

/** A life of the timer, and its clock. */
function start(clock = handClock()) {
  const { exchange, lists, bus, dir } = middle
  const faults: unknown[] = []
  const fault = (error: unknown): unknown => faults.push(error)
  const awake = new AwakeWatch(join(dir, 'awake'), clock)
  const ids = systemIds(() => clock.wallMs())
  const timer = startApprovalTimer({ exchange, lists, bus, clock, ids, fault, awake })
  return { clock, timer, faults }
}

test('[P10] a machine that slept gives back the time in which nobody could answer, and ten minutes at least', async () => {
  await asking('long')
  const { clock, timer, faults } = start()
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
  const first = start()
  await waitFor(() => first.clock.pending > 0, { what: 'the timer to wait' })
  first.timer[Symbol.dispose]()
  const before = await deadline('one')
  const soon = start()
  await waitFor(() => soon.clock.pending > 0, { what: 'the timer to wait' })
  expect(await deadline('one')).toBe(before)
  soon.timer[Symbol.dispose]()
  const late = handClock()
  late.advance(hour + 5 * minute)
  const second = start(late)
  await waitFor(async () => (await deadline('one')) > before, { what: 'the time to be given back' })
  expect((await deadline('one')) - late.wallMs()).toBeGreaterThanOrEqual(10 * minute)
  second.timer[Symbol.dispose]()
})

test('[P9] more time that a person gives is what the timer keeps to', async () => {
  const approval = await asking('two')
  await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'approver' })
  await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'olga', role: 'operator' })
  const until = new Date(Date.now() + 5 * hour).toISOString()
  const refused = await middle.send(person('olga'), 'session:two', 'approval.extend', { approval, until })
  expect(refused).toMatchObject({ ok: false, problem: { code: 'forbidden' } })
  expect(await middle.send(person('dana'), 'session:two', 'approval.extend', { approval, until })).toMatchObject({
    ok: true,
  })
  const clock = handClock()
  const { timer } = start(clock)
  for (let passed = 0; passed < 2 * hour; passed += minute / 2) {
    await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
    clock.advance(minute / 2)
  }
  expect((await stateOf('two')).resolved).toEqual([])
  expect(new Date(await deadline('two')).toISOString()).toBe(until)
  timer[Symbol.dispose]()
})
