import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { expect, test } from 'vitest'
import { openPlace } from './place.ts'

/** Lives of the runner in one round, and how long one of them may have. */
const lives = Number(process.env['HOTLINE_TEST_LIVES'] ?? 5)
const lifeMs = 700

test('[R110] [R111] killed at any moment, the next life loses nothing and does nothing twice', async () => {
  const random = seededRandom(randomSeed('kills'))
  await using place = await openPlace('by keeper')
  const { world, cwd } = place
  const asking = world.start('demo', { cwd })
  const ticking = world.start('demo', {
    cwd,
    prompt: scriptPrompt([{ do: 'tick', everyMs: 10, count: 100_000, text: 'tick' }]),
  })
  const printing = 'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.01; done'
  const program = world.start('pipe', { cwd, command: ['sh', '-c', printing], unasked: true })
  const echo = 'stty -echo; while read -r line; do printf "<%s>" "$line"; done'
  const terminal = world.start('command', { cwd, command: ['sh', '-c', echo], unasked: true })
  for (const session of [asking, ticking, program, terminal]) {
    await world.until(session, 'an active session', ({ status }) => status === 'active')
  }
  const over = new AbortController()
  let sent = 0
  let typed = 0
  /** People go on whatever happens to the runner. */
  const people = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      await pause(random.int(1, 60))
      const { approvals, queue, turn } = world.state(asking)
      const open = approvals.find(({ outcome }) => outcome === undefined)
      const ask = world.events(asking, 'approval.requested').find(({ data }) => data.approval === open?.approval)
      if (ask && random.chance(0.5)) world.decide(asking, ask, 'allow')
      if (!turn && queue.length < 2) {
        sent += 1
        const text = scriptPrompt([
          { do: 'say', text: `said ${sent} before it asks`, chunks: 5, delayMs: 5 },
          { do: 'ask', title: `ask ${sent}`, kind: 'execute', input: { n: sent }, record: 'answers' },
          { do: 'say', text: `said ${sent} after it asked`, chunks: 3, delayMs: 5 },
        ])
        world.send(asking, 'message.send', { text })
      }
      typed += 1
      world.send(terminal, 'input.send', { text: `${typed}\n`, encoding: 'utf8' })
    }
  })()
  for (let life = 0; life < lives; life += 1) {
    await pause(random.int(0, lifeMs))
    await place.kill()
    await pause(random.int(0, lifeMs / 4))
    await place.start()
  }
  over.abort()
  await people
  const decide = (): unknown => {
    const open = world.state(asking).approvals.find(({ outcome }) => outcome === undefined)
    const ask = world.events(asking, 'approval.requested').find(({ data }) => data.approval === open?.approval)
    if (ask) world.decide(asking, ask, 'allow')
    return world.events(asking, 'turn.ended').length === sent
  }
  await world.until(asking, 'the end of all turns', decide)
  const all = Array.from({ length: sent }, (_, n) => n + 1)
  const told = all.flatMap((n) => [`said ${n} before it asks`, `said ${n} after it asked`])
  expect(world.said(asking).split('\n')).toEqual(told)
  const pieces = world.events(asking, 'message.delta').map(({ body }) => body?.text ?? '')
  expect(pieces.join('')).toBe(told.join(''))
  const done = readFileSync(join(cwd, 'answers'), 'utf8').trim().split('\n')
  expect(done.map((line) => (JSON.parse(line) as { title: string }).title)).toEqual(all.map((n) => `ask ${n}`))
  expect(world.events(asking, 'approval.requested')).toHaveLength(sent)
  expect(world.events(asking, 'approval.dispatched')).toHaveLength(sent)
  expect(world.events(asking, 'turn.started')).toHaveLength(sent)
  expect(world.events(asking, 'turn.ended')).toHaveLength(sent)
  expect(world.events(asking, 'message.delivered')).toHaveLength(sent)
  expect(world.events(asking, 'message.delivery_unknown')).toEqual([])
  const steps = world.events(asking, 'step.started').map(({ data }) => data.step)
  expect(steps).toHaveLength(sent)
  expect(new Set(steps).size).toBe(sent)
  expect(world.events(asking, 'step.finished')).toHaveLength(sent)
  const ticks = world.said(ticking).split('\n')
  expect(ticks).toEqual(ticks.map((_, n) => `tick ${n + 1}`))
  const lines = world.printed(program, 'stdout').trim().split('\n')
  expect(lines.slice(0, -1)).toEqual(lines.slice(0, -1).map((_, n) => `line ${n + 1}`))
  const keys = Array.from({ length: typed }, (_, n) => `<${n + 1}>`).join('')
  await world.until(terminal, 'all keys', () => world.printed(terminal, 'pty').endsWith(`<${typed}>`))
  expect(world.printed(terminal, 'pty').replaceAll(/[\r\n]/g, '')).toBe(keys)
  for (const session of [asking, ticking, program, terminal]) {
    expect(world.events(session, 'session.state_changed').map(({ data }) => data.to)).toEqual(['starting', 'active'])
  }
})
