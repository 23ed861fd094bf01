import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import { familyMembers, familyScript, readFamily, readHeart } from '@hotline/testing/process-family'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { readUse } from '../src/process/process-table.ts'
import { openBench } from './bench.ts'

const say = (text: string): Step => ({ do: 'say', text })

test('[R104] a session is paused once all its processes stand still, says how far that reaches, and goes on', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('pipe', { cwd, command: ['/bin/sh', '-c', familyScript] })
  const family = await waitFor(() => readFamily(cwd, familyMembers), { what: 'the family' })
  await world.until(session, 'output', ({ status }) => status === 'active' && world.printed(session, 'stdout') !== '')
  world.send(session, 'session.pause', { reason: 'wait' })
  await world.until(session, 'a pause', ({ status }) => status === 'paused')
  const { paused, reach, pid } = world.state(session)
  expect(paused).toMatchObject({ kind: 'frozen', reach })
  expect(paused?.processes).toBeGreaterThanOrEqual(6)
  const before = [readHeart(cwd), readUse(family.heart)?.cpuMs, readUse(pid ?? 0)?.cpuMs]
  const until = performance.now() + 300
  await waitFor(() => performance.now() > until, { what: 'time to pass' })
  expect([readHeart(cwd), readUse(family.heart)?.cpuMs, readUse(pid ?? 0)?.cpuMs]).toEqual(before)
  world.send(session, 'session.resume', {})
  await world.until(session, 'work', ({ status }) => status === 'active')
  expect(world.state(session).paused).toBeUndefined()
  const beats = (): number[] => world.printed(session, 'stdout').trim().split('\n').map(Number)
  await waitFor(() => beats().length > Number(before[0]) + 3, { what: 'more output' })
  expect(beats()).toEqual(beats().map((_, index) => index + 1))
  // Ended while it stands still.
  world.send(session, 'session.pause', {})
  await world.until(session, 'a pause', ({ status }) => status === 'paused')
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => status === 'aborted')
  expect(bench.guard.findSurvivors()).toEqual([])
  expect(world.events(session, 'control.done').map(({ data }) => [data.action, data.reach])).toEqual([
    ['pause', reach],
    ['resume', undefined],
    ['pause', reach],
    ['kill', reach],
  ])
})

const asking: readonly Step[] = [
  { do: 'waitFile', path: 'go' },
  { do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'x' }, onAllow: [say('was allowed')] },
]

test('[R105] after this step: the agent works on to what it asks next, and gets its answer when it goes on', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([...asking]) })
  await world.until(session, 'a turn', ({ turn }) => turn)
  world.send(session, 'session.pause', { when: 'next_step' })
  await world.until(session, 'the wish', ({ controls }) => controls.length === 1)
  expect(world.state(session).status).toBe('active')
  expect(() => world.send(session, 'session.pause', { when: 'next_step' })).toThrow('under way')
  await bench.touch('go')
  await world.until(session, 'a pause', ({ status }) => status === 'paused')
  expect(world.state(session).paused).toEqual({ kind: 'held' })
  world.decide(session, await world.ask(session), 'allow')
  const message = world.send(session, 'message.send', { text: scriptPrompt([say('and on')]) })
  // It can still be frozen, and is let go on from both at once.
  world.send(session, 'session.pause', {})
  await world.until(session, 'a standstill', ({ paused }) => paused?.kind === 'frozen')
  expect(world.types(session)).not.toContain('approval.dispatched')
  world.send(session, 'session.resume', {})
  await world.until(session, 'two turns', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.said(session)).toBe('was allowed\nand on')
  const types = world.types(session)
  expect(types.lastIndexOf('approval.dispatched')).toBeGreaterThan(types.lastIndexOf('session.state_changed'))
  expect(world.events(session, 'message.delivered').map(({ data }) => data.message)).toContain(message)
})

test('[R105] after this step: where no turn is under way, no message is handed over', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd })
  await world.until(session, 'an agent', ({ status }) => status === 'active')
  world.send(session, 'session.pause', { when: 'next_step' })
  await world.until(session, 'a pause', ({ paused }) => paused?.kind === 'held')
  world.send(session, 'message.send', { text: scriptPrompt([say('waited')]) })
  expect(world.types(session)).not.toContain('message.delivered')
  world.send(session, 'session.resume', {})
  await world.until(session, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.said(session)).toBe('waited')
})

test('[R105] after this step: it is called off before the agent came to one', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([...asking]) })
  await world.until(session, 'a turn', ({ turn }) => turn)
  world.send(session, 'session.pause', { when: 'next_step' })
  world.send(session, 'session.resume', {})
  await world.until(session, 'nothing to do', ({ controls }) => controls.length === 0)
  await bench.touch('go')
  world.decide(session, await world.ask(session), 'allow')
  await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.said(session)).toBe('was allowed')
  expect(world.events(session, 'control.failed').map(({ body }) => body?.reason)).toEqual([
    'It was called off before the agent came to a step.',
  ])
})

test('[R102] a runner tells what it sees of the agents that it holds, and of no others', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('pipe', { cwd, command: ['/bin/sh', '-c', 'echo hello; cat'] })
  await world.until(session, 'output', ({ status }) => status === 'active' && world.printed(session, 'stdout') !== '')
  world.look([`session:${session}`, 'session:another'])
  await waitFor(() => world.seen.length > 0, { what: 'a look' })
  expect(world.seen).toHaveLength(1)
  const { fence, evidence } = world.seen[0] ?? {}
  expect(fence).toBe(1)
  expect(evidence?.lastOutputAt).toMatch(/^20/)
  const { pid, reach } = world.state(session)
  expect(evidence?.tree).toMatchObject({ reach, frozen: false, count: 2 })
  expect(evidence?.tree?.processes[0]).toMatchObject({ pid, ppid: 0, name: 'sh' })
})
