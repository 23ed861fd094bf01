import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasProcess } from '@hotline/testing/process-list'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import type { HeldTerminal } from '../src/process/holder.ts'
import { openLocalHolder } from '../src/process/local-holder.ts'
import { openBench } from './bench.ts'

test('a program in a terminal shows what it prints, takes messages and keys, and knows its size', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('command', {
    cwd,
    command: ['/bin/sh', '-c', 'stty size; read -r a; echo "heard: $a"; read -r b; stty size; echo "and: $b"'],
  })
  await world.until(session, 'a size', () => world.printed(session).includes('40 120'))
  expect(world.state(session)).toMatchObject({ capabilities: { input: 'keys', screen: true, verdicts: [] } })
  world.send(session, 'message.send', { text: 'from a person' })
  await world.until(session, 'the first answer', () => world.printed(session).includes('heard: from a person'))
  world.send(session, 'terminal.resize', { cols: 90, rows: 20 })
  for (const key of ['k', 'e', 'y', 's']) world.send(session, 'input.send', { text: key })
  world.send(session, 'input.send', { text: Buffer.from('\r').toString('base64'), encoding: 'base64' })
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  expect(world.printed(session)).toContain('20 90')
  expect(world.printed(session)).toContain('and: keys')
  expect(world.state(session)).toMatchObject({ exit: { code: 0, signal: null }, reason: 'agent_exited' })
  expect(world.events(session, 'message.delivered')).toHaveLength(1)
  expect(world.events(session, 'turn.started')).toEqual([])
})

test.each([
  ['exit 0', 'completed', { code: 0, signal: null }],
  ['exit 3', 'failed', { code: 3, signal: null }],
  ['kill -9 $$', 'interrupted', { code: null, signal: 'SIGKILL' }],
  ['kill -TERM $$', 'interrupted', { code: null, signal: 'SIGTERM' }],
])('%s makes a session %s', async (script, status, exit) => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('command', { cwd, command: ['/bin/sh', '-c', script] })
  await world.until(session, status, (state) => state.status === status)
  expect(world.state(session).exit).toEqual(exit)
})

test('characters that were cut in two arrive whole, and what is no UTF-8 does not break the rest', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const script = String.raw`printf '\360\237'; sleep 0.2; printf '\230\200 and \377\376 \303\244 end'`
  const session = world.start('command', { cwd, command: ['/bin/sh', '-c', script] })
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  expect(world.printed(session)).toBe('\u{1f600} and \ufffd\ufffd \u00e4 end')
})

test('[R22] a program that prints without end waits for the server, and nothing of it is lost', async () => {
  await using bench = await openBench({ spoolBytes: 128 * 1024 })
  const { world, link, cwd } = bench
  const script = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); echo $i; done; touch done; sleep 1000'
  const session = world.start('command', { cwd, command: ['/bin/sh', '-c', script] })
  await world.until(session, 'output', () => world.printed(session) !== '')
  link.cut()
  let last = -1
  let still = 0
  const isStill = (): boolean => {
    const size = readFileSync(join(bench.dataDir, 'sessions', session, 'spool.jsonl')).length
    still = size === last ? still + 1 : 0
    last = size
    return still > 10
  }
  await waitFor(isStill, { what: 'a program that waits', everyMs: 30 })
  expect(existsSync(join(cwd, 'done'))).toBe(false)
  link.mend()
  await world.until(session, 'the last line', () => existsSync(join(cwd, 'done')), 40_000)
  await world.until(session, 'everything', () => world.printed(session).endsWith('200000\r\n'), 40_000)
  const lines = world.printed(session).trimEnd().split('\r\n')
  expect(lines.findIndex((line, index) => line !== String(index + 1))).toBe(-1)
  world.send(session, 'session.abort', {})
  await world.until(session, 'aborted', ({ status }) => status === 'aborted')
})

test('[R22] what a program printed before it ended is there, however late it is read', async () => {
  await using temp = await openTempDir()
  const env = { PATH: process.env['PATH'] ?? '' }
  const holder = openLocalHolder({ folder: join(temp.path, 'children') })
  const start = async (): Promise<{ terminal: HeldTerminal; heard: () => string }> => {
    const spec = { session: 's', run: 'r', argv: ['/bin/sh', '-c', 'seq 1 500; echo last'], cwd: temp.path, env }
    const terminal = await holder.startTerminal(spec, { cols: 80, rows: 24 })
    terminal.pause()
    let text = ''
    terminal.onBytes((bytes) => (text += Buffer.from(bytes).toString()))
    await waitFor(() => !hasProcess(terminal.pid), { what: 'its end' })
    return { terminal, heard: () => text }
  }
  const { terminal, heard } = await start()
  const other = await start()
  const endedAt = performance.now()
  // The library of terminals would have closed it by then.
  await waitFor(() => performance.now() - endedAt > 500, { what: 'a while' })
  expect(heard()).toBe('')
  terminal.resume()
  expect(await terminal.exited).toEqual({ code: 0, signal: null })
  expect(heard()).toMatch(/^1\r\n2\r\n[^]*\r\n500\r\nlast\r\n$/)
  // One that is ended is not waited for by a reader who does not come back.
  expect(await other.terminal.end(1_000)).toEqual([])
  expect(await other.terminal.exited).toEqual({ code: 0, signal: null })
  expect(other.heard()).toContain('last')
  await holder[Symbol.asyncDispose]()
})

test('[R36] a program that closes its terminal goes on, and its end is its own', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const script = 'echo before; exec <&- >&- 2>&-; sleep 0.5; : > went-on; exit 3'
  const session = world.start('command', { cwd, command: ['/bin/sh', '-c', script] })
  await world.until(session, 'the end', ({ exit }) => exit)
  expect(world.state(session).exit).toEqual({ code: 3, signal: null })
  expect(existsSync(join(cwd, 'went-on'))).toBe(true)
  expect(world.printed(session)).toBe('before\r\n')
})

test('a program that ends leaves nothing of what it started', async () => {
  await using bench = await openBench()
  const { world, cwd, guard } = bench
  const script = 'nohup sleep 1000 >/dev/null 2>&1 & setsid sleep 1001 & sleep 0.3; exit 0'
  const session = world.start('command', { cwd, command: ['/bin/sh', '-c', script] })
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  expect(guard.findSurvivors()).toEqual([])
})

test('a secret that is typed back by a program is masked', async () => {
  const profile = {
    agent: 'keyed',
    name: '',
    description: '',
    adapter: 'pty',
    argv: 'of-session',
    env: ['SOME_TOKEN'],
    asking: { by: 'settings' },
    hint: '',
  } as const
  const environment = { PATH: process.env['PATH'], SOME_TOKEN: 'tok-123456789' }
  await using bench = await openBench({ profiles: [profile], environment })
  const { world, cwd } = bench
  const script = 'printf "tok-1234"; sleep 0.5; echo "56789"; echo "$SOME_TOKEN"; echo tok-12'
  const session = world.start('keyed', { cwd, command: ['/bin/sh', '-c', script] })
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  expect(world.printed(session)).toBe('tok-[redacted:SOME_TOKEN]\r\n[redacted:SOME_TOKEN]\r\ntok-12\r\n')
})
