import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { turnOf } from '@hotline/core/session/state'
import { expect, test } from 'vitest'
import { type Bench, openBench } from './bench.ts'

/** Starts a script by lines; answers its session and what is needed to see it. */
function begin({ world, cwd }: Bench, script: string): string {
  return world.start('pipe', { cwd, command: ['/bin/sh', '-c', script] })
}

test('[R40] a message is a line of input, and both outputs come apart and in order', async () => {
  await using bench = await openBench()
  const { world } = bench
  const session = begin(bench, 'while read -r line; do echo "out $line"; echo "err $line" >&2; done; echo over')
  await world.until(session, 'active', ({ status }) => status === 'active')
  expect(world.state(session).capabilities).toMatchObject({ input: 'lines', screen: false, verdicts: [] })
  for (const text of ['one', '  two', 'three\r\nfour', 'größer 🙂\n']) world.send(session, 'message.send', { text })
  await world.until(session, 'the last line', () => world.printed(session, 'stderr').includes('größer 🙂'))
  expect(world.printed(session, 'stdout')).toBe('out one\nout two\nout three\nout four\nout größer 🙂\n')
  expect(world.printed(session, 'stderr')).toBe('err one\nerr two\nerr three\nerr four\nerr größer 🙂\n')
  expect(world.events(session, 'turn.started')).toEqual([])
  expect(turnOf(world.state(session))).toBe('running')
  // Ctrl-D ends the input, and the program says its last words and ends.
  world.send(session, 'input.send', { text: '\u0004' })
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  expect(world.printed(session, 'stdout')).toMatch(/\nover\n$/)
})

test('[R40] what has no line end yet is shown, and bytes are typed as they are', async () => {
  await using bench = await openBench()
  const { world } = bench
  const session = begin(bench, 'printf "name? "; head -c 3; printf " next? "; read -r x; echo "[$x]"')
  await world.until(session, 'a prompt', () => world.printed(session, 'stdout') === 'name? ')
  world.send(session, 'input.send', { text: 'abc' })
  await world.until(session, 'another one', () => world.printed(session, 'stdout') === 'name? abc next? ')
  world.send(session, 'message.send', { text: 'd' })
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  expect(world.printed(session, 'stdout')).toBe('name? abc next? [d]\n')
})

test('[R40] a program can open its pipes by name, and its words may hold anything', async () => {
  await using bench = await openBench()
  const { world } = bench
  const script = String.raw`echo named > /dev/stderr; printf '\360\237' > /dev/stdout; sleep 0.2; printf '\230\200 \377\000 end'`
  const session = begin(bench, `${script}; cat /dev/stdin`)
  await world.until(session, 'words', () => world.printed(session, 'stdout').includes('end'))
  expect(world.printed(session, 'stdout')).toBe('\u{1f600} \ufffd\u0000 end')
  expect(world.printed(session, 'stderr')).toBe('named\n')
  world.send(session, 'message.send', { text: 'read by name' })
  await world.until(session, 'an echo', () => world.printed(session, 'stdout').endsWith('read by name\n'))
  world.send(session, 'session.complete', {})
  await world.until(session, 'completed', ({ status }) => status === 'completed')
})

test('[R41] a program that no longer reads is said to, keeps working, and takes no message any more', async () => {
  await using bench = await openBench()
  const { world } = bench
  const session = begin(bench, 'exec <&-; echo closed; touch shut; while [ ! -e go ]; do sleep 0.05; done; echo on')
  await world.until(session, 'a closed input', () => existsSync(join(bench.cwd, 'shut')))
  const message = world.send(session, 'message.send', { text: 'are you there?' })
  await world.until(session, 'word of it', ({ capabilities }) => capabilities?.input === 'none')
  expect(world.printed(session, 'log')).toBe(
    '"are you there?" did not reach the program: it no longer reads its input.\n',
  )
  expect(world.events(session, 'message.delivery_unknown').map(({ data }) => data.message)).toEqual([message])
  expect(turnOf(world.state(session))).toBe('running')
  expect(() => world.send(session, 'message.send', { text: 'hello?' })).toThrow('unsupported')
  expect(() => world.send(session, 'input.send', { text: 'x' })).toThrow('unsupported')
  await bench.touch('go')
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  expect(world.printed(session, 'stdout')).toBe('closed\non\n')
})

test('[R41] a person who ends the input is told so, and nothing is taken after it', async () => {
  await using bench = await openBench()
  const { world } = bench
  const session = begin(bench, 'sort; while [ ! -e go ]; do sleep 0.05; done')
  await world.until(session, 'active', ({ status }) => status === 'active')
  for (const text of ['b', 'a']) world.send(session, 'message.send', { text })
  await world.until(session, 'both delivered', ({ queue }) => queue.length === 0)
  world.send(session, 'input.send', { text: '\u0004' })
  await world.until(session, 'sorted lines', () => world.printed(session, 'stdout') === 'a\nb\n')
  expect(world.printed(session, 'log')).toContain('The input of the program was closed')
  expect(() => world.send(session, 'message.send', { text: 'c' })).toThrow('unsupported')
  await bench.touch('go')
  await world.until(session, 'the end', ({ status }) => status === 'completed')
})

test('[R40] a program that is ended may say its last words, and everything that it started ends with it', async () => {
  await using bench = await openBench()
  const { world } = bench
  const session = begin(bench, 'setsid sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & cat; echo last words')
  await world.until(session, 'active', ({ status }) => status === 'active')
  world.send(session, 'message.send', { text: 'first' })
  await world.until(session, 'an echo', () => world.printed(session, 'stdout') === 'first\n')
  world.send(session, 'session.abort', {})
  await world.until(session, 'aborted', ({ status }) => status === 'aborted')
  expect(world.printed(session, 'stdout')).toBe('first\nlast words\n')
  expect(bench.guard.findSurvivors()).toEqual([])
})

test.each([
  ['exit 0', 'completed', { code: 0, signal: null }],
  ['echo no >&2; exit 3', 'failed', { code: 3, signal: null }],
  ['kill -9 $$', 'interrupted', { code: null, signal: 'SIGKILL' }],
])('[R40] %s makes a session %s', async (script, status, exit) => {
  await using bench = await openBench()
  const session = begin(bench, script)
  await bench.world.until(session, status, (state) => state.status === status)
  expect(bench.world.state(session).exit).toEqual(exit)
})
