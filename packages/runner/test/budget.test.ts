import { readdirSync, statfsSync } from 'node:fs'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { readUse } from '../src/process/process-table.ts'
import { openBench } from './bench.ts'
import { openPlace } from './place.ts'

const ask = (number: number): Step => ({
  do: 'ask',
  title: `Call ${number}`,
  kind: 'execute',
  input: { command: `echo ${number}` },
})

test('[T56] an agent in a loop is held at the call that is over its budget, says which and why, and goes on with more', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const prompt = scriptPrompt([1, 2, 3, 4, 5].map(ask))
  const session = world.start('demo', { cwd, prompt, budget: { toolCalls: 3 } })
  for (let number = 1; number <= 3; number += 1) {
    await world.until(session, `call ${number}`, ({ counts }) => counts.approvals === number)
    world.decide(session, await world.ask(session), 'allow')
  }
  await world.until(session, 'a pause', ({ status, counts }) => status === 'paused' && counts.approvals === 4)
  const state = world.state(session)
  expect(state).toMatchObject({
    reason: 'budget_spent',
    paused: { kind: 'held' },
    exhausted: { budget: 'toolCalls', used: 3, limit: 3 },
    warned: ['toolCalls'],
  })
  const ofBudget = world.types(session).filter((type) => type.startsWith('budget.'))
  expect(ofBudget).toEqual(['budget.warned', 'budget.exhausted'])
  // What is decided meanwhile waits, and nobody lets it go on without giving it more.
  world.decide(session, await world.ask(session), 'allow')
  expect(() => world.send(session, 'session.resume', {})).toThrow('3 of 3 tool calls')
  expect(world.events(session, 'approval.dispatched')).toHaveLength(3)
  world.send(session, 'session.set_budget', { budget: { toolCalls: 10 } })
  await world.until(session, 'the next call', ({ status, counts }) => status === 'active' && counts.approvals === 5)
  world.decide(session, await world.ask(session), 'allow')
  await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.state(session)).toMatchObject({ exhausted: undefined, warned: undefined })
})

test('[T56] an agent that asks nobody is stopped with everything that it started, and one that is ended is gone', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const call: readonly Step[] = [
    { do: 'tool', title: 'again', kind: 'execute', input: { command: 'x' }, output: 'no' },
    { do: 'wait', ms: 400 },
  ]
  await bench.script(Array.from({ length: 40 }, () => call).flat())
  const session = world.start('scripted', { cwd, prompt: 'loop', budget: { toolCalls: 2 } })
  await world.until(session, 'a pause', ({ status }) => status === 'paused')
  const { pid = 0, paused, exhausted } = world.state(session)
  expect(paused).toMatchObject({ kind: 'frozen' })
  expect(exhausted).toEqual({ budget: 'toolCalls', used: 2, limit: 2 })
  const { steps } = world.state(session).counts
  expect(steps).toBeLessThan(40)
  const before = readUse(pid)?.cpuMs
  const until = performance.now() + 600
  await waitFor(() => performance.now() > until, { what: 'time to pass' })
  expect(world.state(session).counts.steps).toBe(steps)
  expect(readUse(pid)?.cpuMs).toBe(before)
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => status === 'aborted')
})

test('[T56] a program that works for longer than its budget, or prints more, is stopped, and goes on with more', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const busy = ['/bin/sh', '-c', 'while :; do sleep 0.05; echo tick; done']
  const timed = world.start('pipe', { cwd, command: busy, budget: { timeMs: 1_000 } })
  const printing = world.start('pipe', { cwd, command: ['/bin/sh', '-c', 'yes'], budget: { outputBytes: 300_000 } })
  for (const session of [timed, printing]) {
    await world.until(session, 'a pause', ({ status }) => status === 'paused')
    expect(world.state(session)).toMatchObject({ reason: 'budget_spent', paused: { kind: 'frozen' } })
  }
  expect(world.state(timed).exhausted).toMatchObject({ budget: 'timeMs', limit: 1_000 })
  expect(world.state(timed).spent?.timeMs).toBeGreaterThan(500)
  expect(world.state(printing).exhausted).toMatchObject({ budget: 'outputBytes', limit: 300_000 })
  const printed = world.printed(timed, 'stdout').length
  world.send(timed, 'session.set_budget', { budget: { timeMs: null } })
  await world.until(timed, 'more output', () => world.printed(timed, 'stdout').length > printed + 10)
  expect(world.state(timed)).toMatchObject({ status: 'active', budget: undefined, exhausted: undefined })
})

test('[T53] an agent that fills the disk is stopped where its folder takes up what it may, and goes on with more', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const filling = 'i=0; while :; do i=$((i+1)); head -c 200000 /dev/zero | tr "\\0" x > f$i; sleep 0.02; done'
  const command = ['/bin/sh', '-c', filling]
  const session = world.start('pipe', { cwd, command, unasked: true, budget: { diskBytes: 4_000_000 } })
  await world.until(session, 'a pause', ({ status }) => status === 'paused')
  const { exhausted, warned, spent } = world.state(session)
  expect(exhausted).toMatchObject({ budget: 'diskBytes', limit: 4_000_000 })
  expect(warned).toEqual(['diskBytes'])
  expect(spent?.diskBytes).toBe(exhausted?.used)
  const files = readdirSync(cwd).length
  expect(files).toBeGreaterThanOrEqual(15)
  expect(() => world.send(session, 'session.resume', {})).toThrow('of 4 MB of disk')
  world.send(session, 'session.set_budget', { budget: { diskBytes: null } })
  await waitFor(() => readdirSync(cwd).length > files + 2, { what: 'more files' })
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => status === 'aborted')
})

test('[T53] on a machine whose disk is nearly full nothing is started, and people are told why', async () => {
  await using bench = await openBench({ diskReserveBytes: Number.MAX_SAFE_INTEGER })
  const { world, cwd } = bench
  const session = world.start('pipe', { cwd, command: ['sleep', '1000'], unasked: true })
  await world.until(session, 'the end', ({ status }) => status === 'failed')
  const note = world.events(session, 'session.state_changed').at(-1)?.body?.note
  expect(note).toMatch(/^The disk of ".+" has only \d+ MB left, and nothing is started below \d+ MB/)
})

test('[T53] where little is left on the disk a session is told so when it starts', async () => {
  await using temp = await openTempDir('hotline-room-')
  const { bavail, bsize } = statfsSync(temp.path)
  await using bench = await openBench({ diskReserveBytes: Math.floor((bavail * bsize) / 1.5) })
  const { world, cwd } = bench
  const session = world.start('pipe', { cwd, command: ['sleep', '1000'], unasked: true })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  await waitFor(() => /^The disk of ".+" has only \d+ MB left/.test(world.printed(session, 'log')), {
    what: 'word of it',
  })
})

test('[R108] the same call five times in a row is told of, and nothing is done by itself', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const call = (command: string): Step => ({ do: 'tool', title: 'Run it', kind: 'execute', input: { command } })
  const times = (count: number, command: string): Step[] => Array.from({ length: count }, () => call(command))
  await bench.script([...times(4, 'a'), call('b'), ...times(11, 'a')])
  const session = world.start('scripted', { cwd, prompt: 'go' })
  await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  const told = (of: string): unknown[] =>
    world.events(of, 'loop.noticed').map(({ data, body }) => [data.times, body?.title])
  expect(told(session)).toEqual([
    [5, 'Run it'],
    [10, 'Run it'],
  ])
  expect(world.state(session).status).toBe('active')
  // Somebody asks for it once more: that is no loop.
  await bench.script(times(4, 'a'))
  const another = world.start('scripted', { cwd, prompt: 'go' })
  await world.until(another, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  world.send(another, 'message.send', { text: 'once more' })
  await world.until(another, 'the end of the turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.state(another).counts.steps).toBe(8)
  expect(told(another)).toEqual([])
})

test('[R106] what an agent has used is not forgotten with its runner, whether it lives on or is taken up again', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd } = place
  const prompt = scriptPrompt([1, 2, 3, 4].map(ask))
  const session = world.start('demo', { cwd, prompt, budget: { toolCalls: 2 } })
  world.decide(session, await world.ask(session), 'allow')
  await world.until(session, 'the second call', ({ counts }) => counts.approvals === 2)
  await place.kill()
  await place.start()
  world.decide(session, await world.ask(session), 'allow')
  await world.until(session, 'a pause', ({ status }) => status === 'paused')
  expect(world.state(session)).toMatchObject({ counts: { steps: 3 }, exhausted: { used: 2, limit: 2 } })
  // Killed while it is held: the next life knows why, and lets it go on when there is more.
  await place.kill()
  world.decide(session, await world.ask(session), 'allow')
  world.send(session, 'session.set_budget', { budget: { toolCalls: 9 } })
  await place.start()
  await world.until(session, 'the last call', ({ status, counts }) => status === 'active' && counts.approvals === 4)
  world.decide(session, await world.ask(session), 'allow')
  await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'budget.exhausted')).toHaveLength(1)
})
