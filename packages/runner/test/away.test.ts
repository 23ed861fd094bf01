import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'

const tick = (count: number, everyMs = 10) => ({ do: 'tick', everyMs, count, text: 'tick' }) as const
const ticks = (count: number): string[] => Array.from({ length: count }, (_, n) => `tick ${n + 1}`)

test('[R23] while the server is away the agent works on and asks; later everything is there once, in order', async () => {
  await using bench = await openBench()
  const { world, link, cwd } = bench
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      tick(20),
      { do: 'write', path: 'asking', content: '' },
      {
        do: 'ask',
        title: 'Go on',
        kind: 'execute',
        input: { command: 'x' },
        onAllow: [{ do: 'write', path: 'allowed', content: '' }],
      },
      tick(5),
    ]),
  })
  await world.until(session, 'the first words', () => world.said(session) !== '')
  link.cut()
  await waitFor(() => existsSync(join(cwd, 'asking')), { what: 'the agent to ask' })
  expect(world.state(session).approvals).toEqual([])
  link.mend()
  const ask = await world.ask(session)
  // Decided while the connection is away: it waits in the log.
  link.cut()
  world.decide(session, ask, 'allow')
  expect(existsSync(join(cwd, 'allowed'))).toBe(false)
  link.mend()
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.said(session).split('\n')).toEqual([...ticks(20), ...ticks(5)])
  expect(world.events(session, 'approval.dispatched')).toHaveLength(1)
})

test('[R23] answers that are lost and connections that break do not double or lose anything', async () => {
  const random = seededRandom(randomSeed('broken answers'))
  await using bench = await openBench()
  const { world, link, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([tick(300, 5)]) })
  await world.until(session, 'a turn', ({ turn }) => turn)
  for (let round = 0; round < 25; round += 1) {
    if (random.chance(0.7)) link.loseAnswers(1)
    else link.cut()
    await waitFor(() => link.connection.value.status !== 'open', { what: 'a break' })
    for (let turns = random.int(0, 5); turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve))
    link.mend()
  }
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn, 30_000)
  expect(world.said(session).split('\n')).toEqual(ticks(300))
  const ids = world.reported.map(({ id }) => id)
  expect(new Set(ids).size).toBeLessThan(ids.length)
})

test('[R24] a session that was ended while the server could not be heard ends its agent when it can', async () => {
  await using bench = await openBench()
  const { world, link, cwd, guard } = bench
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([{ do: 'spawnChild', argv: ['sleep', '1000'] }, tick(10_000)]),
  })
  await world.until(session, 'words', () => world.said(session) !== '')
  link.cut()
  world.send(session, 'contact.lose', { since: new Date().toISOString() }, { kind: 'system', id: 'server' })
  world.send(session, 'session.abort', {})
  expect(world.state(session).status).toBe('aborted')
  guard.noteDescendants()
  expect(guard.findSurvivors()).not.toEqual([])
  link.mend()
  await waitFor(() => guard.findSurvivors().length === 0, { what: 'an agent that ended' })
  await waitFor(() => bench.supervisor.sessions.length === 0, { what: 'an actor that is done' })
  expect(world.state(session).status).toBe('aborted')
})

test('[R25] a runner whose lease was taken over stops its agent, and what it still had to say is set aside', async () => {
  await using bench = await openBench()
  const { world, link, cwd, guard, dataDir } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([tick(10_000)]) })
  await world.until(session, 'words', () => world.said(session) !== '')
  link.cut()
  const stream = world.stream(session)
  const before = stream.events.length
  const taken = stream.apply(world.runner, { id: 'another-life', stream: stream.stream, type: 'lease.take', data: {} })
  expect(taken).toMatchObject({ ok: true, accepted: { fence: 2 } })
  link.mend()
  guard.noteDescendants()
  await waitFor(() => guard.findSurvivors().length === 0, { what: 'an agent that ended' })
  await waitFor(() => bench.supervisor.sessions.length === 0, { what: 'an actor that is done' })
  expect(stream.events.slice(before).map(({ type }) => type)).toEqual(['session.lease_taken'])
  expect(existsSync(join(dataDir, 'sessions', session, 'spool.jsonl'))).toBe(false)
})

test('a runner that is stopped ends its agents and says so; what it cannot deliver waits on the disk', async () => {
  await using bench = await openBench()
  const { world, link, cwd, guard } = bench
  const [one, two] = [world.start('demo', { cwd }), world.start('command', { cwd, command: ['sleep', '1000'] })]
  for (const session of [one, two]) await world.until(session, 'active', ({ status }) => status === 'active')
  await bench.stop()
  expect(guard.findSurvivors()).toEqual([])
  for (const session of [one, two]) {
    expect(world.state(session).status).toBe('interrupted')
    expect(world.events(session, 'session.state_changed').at(-1)?.body?.note).toContain('The runner was stopped')
  }
  expect(link.connection.value.status).toBe('open')
})

test('a log that was replaced is read anew, and what the agent had is not given to it again', async () => {
  await using bench = await openBench()
  const { world, link, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'one' }]) })
  await world.until(session, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  link.resetFollowers()
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'two' }]) })
  await world.until(session, 'another turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.said(session)).toBe('one\ntwo')
  expect(link.begun).toEqual(['0', '0'])
})

test('a session that is taken up again is read on from where it was left', async () => {
  await using bench = await openBench()
  const { world, link, cwd, dataDir } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'one' }, { do: 'die' }]) })
  await world.until(session, 'interrupted', ({ status }) => status === 'interrupted')
  await waitFor(() => bench.supervisor.sessions.length === 0, { what: 'an actor that is done' })
  const position = world.stream(session).events.length
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'two' }]) })
  world.send(session, 'session.resume', {})
  await world.until(session, 'another turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.said(session)).toBe('one\ntwo')
  expect(link.begun).toEqual(['0', `${world.epoch}.${position}`])
  world.send(session, 'session.abort', {})
  await waitFor(() => !existsSync(join(dataDir, 'sessions', session)), { what: 'nothing kept' })
})
