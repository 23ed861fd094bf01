import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'

test('a prompt, an approval and the answer go all the way to a real agent and back', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      { do: 'say', text: 'I am going to write a file.', chunks: 3 },
      {
        do: 'ask',
        title: 'Write a.txt',
        kind: 'edit',
        input: { path: 'a.txt', content: 'hello' },
        onAllow: [{ do: 'write', path: 'a.txt', content: 'hello' }],
      },
      { do: 'say', text: 'Done.' },
    ]),
  })
  const ask = await world.ask(session)
  expect(world.state(session)).toMatchObject({ status: 'active', mode: 'ask', lease: { runner: 'r1', fence: 1 } })
  expect(JSON.parse(ask.body?.input ?? '')).toEqual({ path: 'a.txt', content: 'hello' })
  world.decide(session, ask, 'allow')
  await world.until(session, 'the end of the turn', ({ turn, counts }) => counts.turns === 1 && turn === undefined)
  expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('hello')
  expect(world.said(session)).toContain('I am going to write a file.')
  expect(world.said(session)).toContain('Done.')
  expect(world.events(session, 'approval.dispatched')).toHaveLength(1)
  expect(world.events(session, 'step.finished').map(({ data }) => data.outcome)).toEqual(['done'])
  expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['end'])
})
