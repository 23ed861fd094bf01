import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { Spool } from '../src/spool/spool.ts'
import { openBench } from './bench.ts'
import { openPlace } from './place.ts'

test('[R26] after a runner was killed its next life ends the orphans, and every session tells the truth', async () => {
  await using place = await openPlace()
  const { world, cwd, guard } = place
  const stubborn = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      { do: 'spawnChild', argv: ['sleep', '1000'], detached: true },
      { do: 'say', text: 'here' },
      { do: 'hang', stubborn: true },
    ]),
  })
  const asking = world.start('demo', {
    cwd,
    prompt: scriptPrompt([{ do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'x' } }]),
  })
  const idle = world.start('demo', { cwd })
  const ask = await world.ask(asking)
  await world.until(stubborn, 'words', () => world.events(stubborn, 'message.delta').length > 0)
  await world.until(idle, 'an active session', ({ status }) => status === 'active')
  const { pid } = world.state(stubborn)
  await place.kill()
  world.decide(asking, ask, 'allow')
  world.send(idle, 'message.send', { text: 'is anybody there?' })
  expect(guard.findSurvivors().map((entry) => entry.pid)).toContain(pid)
  await place.start()
  for (const session of [stubborn, asking, idle]) {
    await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
    expect(world.state(session)).toMatchObject({
      reason: 'agent_lost',
      lease: { fence: 2 },
      turn: undefined,
      approvals: [],
    })
  }
  expect(world.events(asking, 'approval.dispatch_refused').map(({ data }) => data.reason)).toEqual(['stale'])
  expect(world.events(asking, 'approval.dispatched')).toEqual([])
  await waitFor(() => guard.findSurvivors().length === 1, { what: 'nobody but the runner' })
  // Only a person takes it up again; what waited is handed over then, once.
  expect(world.events(idle, 'message.delivered')).toEqual([])
  world.send(idle, 'session.resume', {})
  await world.until(
    idle,
    'a turn',
    ({ counts, turn, approvals }) => counts.turns === 1 && (!turn || approvals.length > 0),
  )
  expect(world.events(idle, 'message.delivered')).toHaveLength(1)
})

test('[R26] what was on its way to the agent when the runner died is unknown, and never sent again by itself', async () => {
  await using place = await openPlace()
  const { world, link, cwd } = place
  const session = world.start('demo', { cwd })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  link.holdCommands()
  const message = world.send(session, 'message.send', {
    text: scriptPrompt([{ do: 'write', path: 'done', content: '' }]),
  })
  await waitFor(() => link.held.some((data) => data.includes('message.delivered')), { what: 'a claim' })
  await place.kill()
  // The claim arrives after all; nobody hears the answer.
  link.releaseCommands()
  await world.until(session, 'a claim', () => world.events(session, 'message.delivered').length === 1)
  await place.start()
  await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
  expect(world.events(session, 'message.delivered')).toHaveLength(1)
  expect(world.events(session, 'message.delivery_unknown').map(({ data }) => data.message)).toEqual([message])
  world.send(session, 'session.resume', {})
  await world.until(session, 'active again', ({ status }) => status === 'active')
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'something else' }]) })
  await world.until(session, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.said(session)).toBe('something else')
})

test('[R26] [R31] a message that was on its way into a turn when the runner died is unknown, and not said again', async () => {
  await using place = await openPlace()
  const { world, link, cwd } = place
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'listen' }]) })
  await world.until(session, 'a turn', ({ turn, capabilities }) => turn && capabilities?.steer === true)
  link.holdCommands()
  const message = world.send(session, 'message.send', { text: 'turn left', now: true })
  await waitFor(() => link.held.some((data) => data.includes('message.delivered')), { what: 'a claim' })
  await place.kill()
  link.releaseCommands()
  await world.until(session, 'a claim', () => world.events(session, 'message.delivered').length === 2)
  await place.start()
  await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
  expect(world.events(session, 'message.delivery_unknown').map(({ data }) => data.message)).toEqual([message])
  world.send(session, 'session.resume', {})
  await world.until(session, 'active again', ({ status }) => status === 'active')
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'something else' }]) })
  await world.until(session, 'two turns', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.said(session)).toBe('something else')
})

test('[R26] a claim that came too late leaves no doubt: the message waits as it is now', async () => {
  await using place = await openPlace()
  const { world, link, cwd } = place
  const session = world.start('demo', { cwd })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  link.holdCommands()
  const prompt = (text: string): string => scriptPrompt([{ do: 'say', text }])
  const message = world.send(session, 'message.send', { text: prompt('as it was') })
  await waitFor(() => link.held.some((data) => data.includes('message.delivered')), { what: 'a claim' })
  await place.kill()
  world.send(session, 'message.edit', { message, text: prompt('as it is') })
  link.releaseCommands()
  await place.start()
  await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
  expect(world.state(session).queue.map((queued) => queued.message)).toEqual([message])
  expect(world.events(session, 'message.delivery_unknown')).toEqual([])
  world.send(session, 'session.resume', {})
  await world.until(session, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.said(session)).toBe('as it is')
})

test('[R27] reports that waited when the runner died are delivered by its next life, once and in order', async () => {
  await using place = await openPlace()
  const { world, link, cwd, dataDir } = place
  await place.script([{ do: 'tick', everyMs: 4, count: 100_000, text: 'tick' }])
  const session = world.start('scripted', { cwd, prompt: 'go' })
  await world.until(session, 'words', () => world.said(session) !== '')
  for (let life = 2; life < 6; life += 1) {
    link.cut()
    const spool = join(dataDir, 'sessions', session, 'spool.jsonl')
    const before = readFileSync(spool, 'utf8').length
    await waitFor(() => readFileSync(spool, 'utf8').length > before + 5_000, { what: 'reports that wait' })
    await place.kill()
    const written = [...readFileSync(spool, 'utf8').matchAll(/"type":"message\.completed".*?"text":"(tick \d+)"/g)]
    link.mend()
    await place.start()
    await world.until(
      session,
      'an interrupted session',
      ({ status, lease }) => status === 'interrupted' && lease?.fence === 2 * life - 2,
    )
    const said = world.said(session).split('\n')
    expect(said).toContain(written.at(-1)?.[1])
    world.send(session, 'session.resume', {})
    await world.until(session, 'active again', ({ status }) => status === 'active')
    world.send(session, 'message.send', { text: 'go' })
    const turns = life
    await world.until(
      session,
      'more words',
      ({ counts }) => counts.turns === turns && world.said(session).split('\n').length > said.length,
    )
  }
  const turns: number[][] = []
  for (const line of world.said(session).split('\n')) {
    const number = Number(line.slice('tick '.length))
    if (number === 1) turns.push([])
    turns.at(-1)?.push(number)
  }
  expect(turns).toHaveLength(5)
  for (const numbers of turns) expect(numbers).toEqual(numbers.map((_, index) => index + 1))
})

test('[R26] an answer that was on its way when the runner died is unknown', async () => {
  let session = ''
  let approval = ''
  await using bench = await openBench({
    before: ({ world, dataDir, cwd }) => {
      session = world.start('demo', { cwd })
      const stream = world.stream(session)
      const say = (id: string, type: string, data: unknown): void => void world.command(stream.stream, type, data, id)
      say('take', 'lease.take', {})
      say('active', 'agent.report', {
        fence: 1,
        events: [
          { type: 'session.state_changed', data: { from: 'starting', to: 'active', reason: 'agent_ready' }, body: {} },
        ],
      })
      approval = world.openApproval(session)
      const digest = world.state(session).approvals[0]?.digest ?? ''
      world.send(session, 'approval.decide', { approval, digest, verdict: 'allow' })
      const spool = new Spool(join(dataDir, 'sessions', session, 'spool.jsonl'), 1_000_000)
      spool.lease(1)
      spool.append({
        type: 'output.appended',
        data: { source: 'log', encoding: 'utf8', bytes: 5 },
        body: { text: 'words' },
      })
      void spool.intend({ what: 'answer', approval })
    },
  })
  const { world } = bench
  await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
  expect(world.printed(session, 'log')).toBe('words')
  expect(world.events(session, 'approval.dispatch_unknown').map(({ data }) => data.approval)).toEqual([approval])
  expect(world.events(session, 'approval.dispatch_refused')).toEqual([])
})

test('[R44] a runner that is killed while it follows a file goes on at the byte that it had got to', async () => {
  await using place = await openPlace()
  const { world, cwd } = place
  const file = join(cwd, 'log')
  const lines = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, n) => `line ${from + n} äö\n`).join('')
  writeFileSync(file, lines(0, 20_000))
  const session = world.start('log', { command: [file] })
  const printed = (): string => world.printed(session, 'file')
  const has = (text: string): Promise<unknown> =>
    world.until(session, text.slice(-30), () => printed().length >= text.length)
  await world.until(session, 'some of it', () => printed() !== '')
  await place.kill()
  appendFileSync(file, lines(20_000, 20_100))
  await place.start()
  await has(lines(0, 20_100))
  expect(printed()).toBe(lines(0, 20_100))
  // Moved away while nobody looked: what is left of it comes first.
  await place.kill()
  appendFileSync(file, 'the last of the old\n')
  renameSync(file, `${file}.2`)
  writeFileSync(`${file}.1`, 'in between\n')
  writeFileSync(file, 'the first of the new\n')
  await place.start()
  const both = `${lines(0, 20_100)}the last of the old\nthe first of the new\n`
  await has(both)
  expect(printed()).toBe(both)
  expect(world.printed(session, 'log')).toContain(
    'not read: log.1 (11 bytes). If it is an older part of it, what it holds',
  )
  // Replaced, and the old one is nowhere: that is said.
  await place.kill()
  rmSync(file)
  for (const number of [1, 2]) rmSync(`${file}.${number}`)
  writeFileSync(file, 'something else, and more of it than there was\n')
  await place.start()
  await world.until(session, 'the new file', () => printed().endsWith('more of it than there was\n'))
  const said = world.printed(session, 'log')
  expect(said).toMatch(
    /was (replaced|emptied) while nobody followed it\. What was written to it after byte 21 and before/,
  )
  expect(world.state(session)).toMatchObject({ status: 'active', lease: { fence: 4 } })
  expect(world.events(session, 'session.state_changed').map(({ data }) => data.to)).toEqual(['starting', 'active'])
})
