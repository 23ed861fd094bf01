import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { acts } from './fake-claude-acts.ts'
import { openPlace } from './place.ts'

const counting = 'i=0; while read -r line; do i=$((i+1)); echo "$i: $line ä"; done; echo end >&2'

test('[R110] a program by lines does not notice that the runner was killed: nothing is lost, nothing doubled', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd } = place
  const session = world.start('pipe', { cwd, command: ['sh', '-c', counting], unasked: true })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  const { pid } = world.state(session)
  let expected = ''
  for (let n = 1; n <= 3; n += 1) {
    world.send(session, 'message.send', { text: `line ${n}` })
    expected += `${n}: line ${n} ä\n`
    await world.until(session, 'its answer', () => world.printed(session, 'stdout') === expected)
    await place.kill()
    await place.start()
  }
  expect(world.state(session)).toMatchObject({ status: 'active', pid })
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain('while read')
  expect(world.events(session, 'session.state_changed').map(({ data }) => data.to)).toEqual(['starting', 'active'])
})

test('[R110] programs that end at once are heard whole, all of them', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd } = place
  const start = (n: number): string => {
    const command = ['sh', '-c', `echo said ${n}`]
    return world.start(n % 2 === 0 ? 'pipe' : 'command', { cwd, command, unasked: true })
  }
  const sessions = Array.from({ length: 40 }, (_, n) => start(n))
  for (const [n, session] of sessions.entries()) {
    await world.until(session, 'its end', ({ status }) => status === 'completed')
    expect(world.printed(session, n % 2 === 0 ? 'stdout' : 'pty')).toContain(`said ${n}`)
  }
})

test('[R110] a terminal goes on where it was, with its screen, and with the keys that were pressed meanwhile', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd } = place
  const loop =
    'stty -echo; printf "ready\\r\\n"; i=0; while read -r line; do i=$((i+1)); printf "%s: %s\\r\\n" $i "$line"; done'
  const session = world.start('command', { cwd, command: ['sh', '-c', loop], unasked: true })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  const type = (text: string): string => world.send(session, 'input.send', { text, encoding: 'utf8' })
  const has = (text: string): Promise<unknown> =>
    world.until(session, text, () => world.printed(session, 'pty').includes(text))
  // What is typed before it has turned its echo off is shown as well.
  await has('ready')
  type('one\n')
  await has('1: one')
  await place.count()
  await place.kill()
  type('two\n')
  type('three\n')
  await place.start()
  await has('3: three')
  type('four\n')
  await has('4: four')
  expect(world.printed(session, 'pty').replaceAll('\r', '').replaceAll(/\n+/g, '\n').trim().split('\n')).toEqual([
    'ready',
    '1: one',
    '2: two',
    '3: three',
    '4: four',
  ])
})

test('[R111] an agent that asks while the runner is dead gets the answer that was given meanwhile', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd } = place
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      { do: 'say', text: 'before' },
      { do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'x' } },
      { do: 'say', text: 'after' },
    ]),
  })
  const ask = await world.ask(session)
  await place.count()
  await place.kill()
  world.decide(session, ask, 'allow')
  await place.start()
  await world.until(session, 'the end of the turn', ({ turn, counts }) => !turn && counts.turns === 1)
  expect(world.events(session, 'approval.requested')).toHaveLength(1)
  expect(world.events(session, 'approval.dispatched').map(({ data }) => data.approval)).toEqual([ask.data.approval])
  expect(world.said(session)).toBe('before\nafter')
  expect(world.events(session, 'session.state_changed').map(({ data }) => data.to)).toEqual(['starting', 'active'])
  // And it works on as if nothing had been.
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'again' }]) })
  await world.until(session, 'another turn', ({ turn, counts }) => !turn && counts.turns === 2)
  expect(world.said(session)).toBe('before\nafter\nagain')
})

const spoken = {
  fake: {
    asking: acts({ do: 'say', text: 'before', pieces: 2 }, { do: 'ask', tool: 'Bash', input: { command: 'x' } }),
    again: acts({ do: 'say', text: 'again', pieces: 2 }),
  },
  codex: {
    asking: JSON.stringify([{ do: 'command', item: 'one', command: 'touch one', ask: {} }]),
    again: JSON.stringify([{ do: 'command', item: 'two', command: 'touch two' }]),
  },
}

for (const agent of ['fake', 'codex'] as const) {
  test(`[R111] ${agent === 'fake' ? 'claude' : agent} does not notice either, and works on afterwards`, async () => {
    await using place = await openPlace('by keeper')
    const { world, cwd } = place
    const session = world.start(agent, { cwd, prompt: spoken[agent].asking })
    const ask = await world.ask(session)
    const { pid, native } = world.state(session)
    await place.kill()
    world.decide(session, ask, 'allow')
    await place.start()
    await world.until(session, 'the end of the turn', ({ turn, counts }) => !turn && counts.turns === 1)
    await place.kill()
    world.send(session, 'message.send', { text: spoken[agent].again })
    await place.start()
    await world.until(session, 'another turn', ({ turn, counts }) => !turn && counts.turns === 2)
    expect(world.events(session, 'approval.requested')).toHaveLength(1)
    expect(world.events(session, 'approval.dispatched')).toHaveLength(1)
    expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['end', 'end'])
    const steps = world.events(session, 'step.started').map(({ data }) => data.step)
    expect(new Set(steps).size).toBe(steps.length)
    expect(world.said(session)).toBe(agent === 'fake' ? 'before\nagain' : 'one accept\n\ntwo accept\n')
    expect(world.state(session)).toMatchObject({ status: 'active', pid, native: native ?? expect.anything() })
    expect(world.events(session, 'session.state_changed').map(({ data }) => data.to)).toEqual(['starting', 'active'])
  })
}

test('[R112] when the keeper is killed its agents are ended, and their sessions say so', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd, guard } = place
  const keepers = (): number[] =>
    guard
      .findSurvivors()
      .filter(({ command }) => command.includes('keeper/main.ts'))
      .map(({ pid }) => pid)
  const startBoth = async (): Promise<readonly string[]> => {
    const agent = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'here' }, { do: 'hang' }]) })
    // It hears of no end of its input, and of no end of its output either.
    const program = world.start('pipe', { cwd, command: ['sleep', '1000'], unasked: true })
    await world.until(agent, 'words', () => world.events(agent, 'message.delta').length > 0)
    await world.until(program, 'an active session', ({ status }) => status === 'active')
    return [agent, program]
  }
  const haveEnded = async (sessions: readonly string[]): Promise<void> => {
    for (const session of sessions) {
      await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
      expect(world.state(session)).toMatchObject({ reason: 'agent_lost' })
      const { pid } = world.state(session)
      expect(guard.findSurvivors().filter((entry) => entry.pid === pid)).toEqual([])
    }
  }
  const first = await startBoth()
  for (const pid of keepers()) process.kill(pid, 'SIGKILL')
  await haveEnded(first)
  // The next agent has a keeper again; this time the runner goes first.
  const second = await startBoth()
  await place.count()
  await place.kill()
  for (const pid of keepers()) process.kill(pid, 'SIGKILL')
  await waitFor(() => keepers().length === 0, { what: 'no keeper' })
  await place.start()
  await haveEnded(second)
})

test('[R113] an agent whose conversation went another way than it was recorded is ended, and its session says so', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd, dataDir, guard } = place
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([{ do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'x' } }]),
  })
  const ask = await world.ask(session)
  const { pid } = world.state(session)
  await place.count()
  await place.kill()
  const [file = ''] = globSync(join(dataDir, 'keepers/*/processes/*/in.*'))
  const lines = readFileSync(file, 'utf8').split('\n')
  const other = Buffer.from('{"jsonrpc":"2.0","id":"another","method":"session/new"}\n').toString('base64')
  writeFileSync(file, [JSON.stringify({ at: 0, data: other }), ...lines.slice(1)].join('\n'))
  world.decide(session, ask, 'allow')
  await place.start()
  await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
  expect(world.state(session)).toMatchObject({ reason: 'agent_lost' })
  expect(world.events(session, 'approval.dispatched')).toEqual([])
  expect(guard.findSurvivors().filter((entry) => entry.pid === pid)).toEqual([])
})

test('[R114] an agent that is killed while the runner is dead is told to be killed, with its signal', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd } = place
  const asking = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      { do: 'say', text: 'before' },
      { do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'x' } },
    ]),
  })
  const program = world.start('pipe', { cwd, command: ['sleep', '1000'], unasked: true })
  await world.ask(asking)
  await world.until(program, 'an active session', ({ status }) => status === 'active')
  await place.count()
  await place.kill()
  for (const session of [asking, program]) process.kill(world.state(session).pid ?? 0, 'SIGKILL')
  await place.start()
  for (const session of [asking, program]) {
    await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
    expect(world.state(session)).toMatchObject({ reason: 'agent_exited', exit: { code: null, signal: 'SIGKILL' } })
    expect(world.state(session).approvals).toEqual([])
  }
  expect(world.said(asking)).toBe('before')
})

test('[R116] a keeper that was stopped is told to go on, by a runner that starts and by one that wants something of it', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd, guard } = place
  const keepers = (): number[] =>
    guard.findSurvivors().flatMap(({ pid, command }) => (command.includes('keeper/main.ts') ? [pid] : []))
  const session = world.start('pipe', { cwd, command: ['sh', '-c', counting], unasked: true })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  const stop = (): void => {
    expect(keepers()).toHaveLength(1)
    for (const pid of keepers()) process.kill(pid, 'SIGSTOP')
  }
  await place.count()
  await place.kill()
  stop()
  await place.start()
  world.send(session, 'message.send', { text: 'a' })
  await world.until(session, 'its answer', () => world.printed(session, 'stdout') === '1: a ä\n')
  stop()
  world.send(session, 'message.send', { text: 'b' })
  const other = world.start('pipe', { cwd, command: ['sleep', '1000'], unasked: true })
  await world.until(session, 'another answer', () => world.printed(session, 'stdout') === '1: a ä\n2: b ä\n')
  await world.until(other, 'another session', ({ status }) => status === 'active')
  expect(world.events(session, 'session.state_changed').map(({ data }) => data.to)).toEqual(['starting', 'active'])
})

test('[R115] where no keeper can be started, the runner holds its agents itself', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd, dataDir, guard } = place
  await place.count()
  await place.kill()
  // A file stands where its folder would be.
  rmSync(join(dataDir, 'keepers'), { recursive: true, force: true })
  writeFileSync(join(dataDir, 'keepers'), '')
  await place.start()
  const agent = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'here' }]) })
  const program = world.start('command', { cwd, command: ['sleep', '1000'], unasked: true })
  await world.until(agent, 'a turn', ({ turn, counts }) => !turn && counts.turns === 1)
  await world.until(program, 'an active session', ({ status }) => status === 'active')
  await place.count()
  await place.kill()
  rmSync(join(dataDir, 'keepers'))
  mkdirSync(join(dataDir, 'keepers'), { mode: 0o700 })
  await place.start()
  for (const session of [agent, program]) {
    await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
    expect(world.state(session)).toMatchObject({ reason: 'agent_lost' })
  }
  await waitFor(() => guard.findSurvivors().length === 1, { what: 'nobody but the runner' })
})

test('[R115] with the keeper turned off, one that an earlier life has left is ended with its agents', async () => {
  await using place = await openPlace('by keeper')
  const { world, cwd, guard } = place
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'say', text: 'here' }, { do: 'hang' }]) })
  await world.until(session, 'words', () => world.events(session, 'message.delta').length > 0)
  await place.count()
  await place.kill()
  await place.start('without keeper')
  await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
  expect(world.state(session)).toMatchObject({ reason: 'agent_lost' })
  await waitFor(() => guard.findSurvivors().length === 1, { what: 'nobody but the runner' })
})
