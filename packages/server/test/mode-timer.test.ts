import { join } from 'node:path'
import { handClock } from '@hotline/testing/hand-clock'
import { takeByHand } from '@hotline/testing/hand-runner'
import { machine, type Middle, openMiddle } from '@hotline/testing/middle'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../src/log/open-database.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { startModeTimer } from '../src/scheduler/mode-timer.ts'

const minute = 60_000

let middle: Middle
beforeEach(async () => {
  middle = await openMiddle()
})
afterEach(() => middle.close())

async function handsFree(session: string, minutes: number): Promise<void> {
  const stream = `session:${session}`
  await middle.send(systemPrincipal, stream, 'session.start', { project: 'p1', agent: 'demo' })
  await takeByHand(session, { command: (to, type, data) => middle.send(machine, to, type, data) })
  expect(await middle.send(systemPrincipal, stream, 'policy.set_mode', { mode: 'hands_free', minutes })).toMatchObject({
    ok: true,
  })
}

async function modeOf(session: string): Promise<string | undefined> {
  const state = (await middle.exchange.snapshot(`session:${session}`))?.state
  return state?.kind === 'session' ? state.policyMode?.mode : undefined
}

function start(clock = handClock()) {
  const { exchange, lists, bus } = middle
  const faults: unknown[] = []
  const ids = systemIds(() => clock.wallMs())
  const timer = startModeTimer({ exchange, lists, bus, clock, ids, fault: (error) => faults.push(error) })
  return { clock, timer, faults }
}

test('[PO14] hands-free that was said before a restart, and after it, ends on time', async () => {
  await handsFree('before', 30)
  const { clock, timer, faults } = start()
  await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
  await handsFree('after', 60)
  for (let passed = 0; passed < 29; passed += 1) {
    clock.advance(minute)
    await waitFor(() => clock.pending > 0, { what: 'the timer to wait again' })
  }
  expect(await modeOf('before')).toBe('hands_free')
  clock.advance(2 * minute)
  await waitFor(async () => (await modeOf('before')) === 'ask', { what: 'the end in the log' })
  expect(await modeOf('after')).toBe('hands_free')
  timer[Symbol.dispose]()
  expect(faults).toEqual([])
})

test('[PO14] where the clock is set back, it ends when its minutes have passed, and after sleep at once', async () => {
  await handsFree('set-back', 30)
  const { clock, timer, faults } = start()
  await waitFor(() => clock.pending > 0, { what: 'the timer to wait' })
  clock.setBack(60 * minute)
  clock.advance(20 * minute)
  await waitFor(() => clock.pending > 0, { what: 'the timer to wait again' })
  expect(await modeOf('set-back')).toBe('hands_free')
  clock.advance(11 * minute)
  await waitFor(async () => (await modeOf('set-back')) === 'ask', { what: 'the end in the log' })
  await handsFree('asleep', 30)
  await waitFor(() => clock.pending > 0, { what: 'the timer to wait for it' })
  clock.setBack(-3 * 60 * minute)
  clock.advance(10_000)
  await waitFor(async () => (await modeOf('asleep')) === 'ask', { what: 'the end after sleep' })
  timer[Symbol.dispose]()
  expect(faults).toEqual([])
})

test('[PO14] the list has what is not asked, and an older list gets it with its next word', async () => {
  await handsFree('listed', 30)
  expect((await middle.lists.sessionsWithMode()).map(({ session }) => session)).toEqual(['listed'])
  await middle.send(systemPrincipal, 'session:listed', 'policy.set_mode', { mode: 'ask' })
  expect(await middle.lists.sessionsWithMode()).toEqual([])
  // The column is there after another start, too.
  const again = { clock: systemClock, ids: systemIds(() => 0) }
  await using other = await openDatabase({ kind: 'sqlite', dir: join(middle.dir, 'other') }, again)
  expect(await other.lists.sessionsWithMode()).toEqual([])
})
