import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import type { PolicyRule } from '@hotline/protocol/policy'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { openedPaths } from '../src/supervisor/opened-paths.ts'
import { openBench } from './bench.ts'

const src: PolicyRule = { rule: 'src', effect: 'allow', match: { path: 'src/' }, until: '2999-01-01T00:00:00.000Z' }
const noDrop: PolicyRule = { rule: 'no', effect: 'deny', match: { command: ['drop'] } }

const edit = (path: string) => ({
  do: 'ask' as const,
  title: `Edit ${path}`,
  kind: 'edit' as const,
  input: { path, content: 'x' },
  record: 'record',
})

test('[PO9] a runner says where the paths lead that a request names, and a rule answers by that', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  mkdirSync(join(cwd, 'src'))
  symlinkSync('/etc', join(cwd, 'src/elsewhere'))
  const steps = [edit('src/a.ts'), edit('src/elsewhere/b.ts')]
  const session = world.start('demo', { cwd })
  world.stream(session).rules = [src, noDrop]
  world.send(session, 'message.send', { text: scriptPrompt(steps) })
  const ask = await world.ask(session)
  expect(ask.body?.opened).toEqual({ [cwd]: realpathSync(cwd), 'src/elsewhere/b.ts': realpathSync('/etc') + '/b.ts' })
  expect(world.events(session, 'approval.resolved')).toMatchObject([
    { actor: { kind: 'system', id: 'policy' }, data: { outcome: 'allowed', rule: 'src' } },
  ])
  expect(readFileSync(join(cwd, 'record'), 'utf8')).toContain('"outcome":"allow"')
  world.decide(session, ask, 'deny')
  const drop = { do: 'ask' as const, title: 'Drop', kind: 'execute' as const, input: { command: 'drop it' } }
  world.send(session, 'message.send', { text: scriptPrompt([{ ...drop, record: 'dropped' }]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 3 && !turn)
  expect(readFileSync(join(cwd, 'dropped'), 'utf8')).toContain('"outcome":"deny"')
  // An agent that cannot hear why with the answer is told after it, and not as a person's word.
  expect(world.said(session)).toContain(
    '"Drop" was refused. A rule of this project denies it: Deny commands with: drop.',
  )
})

test('[PO11] what a rule allowed does not reach the agent where its paths lead elsewhere by then', async () => {
  await using bench = await openBench()
  const { world, cwd, link } = bench
  mkdirSync(join(cwd, 'src'))
  link.forge((event) => {
    // Between the answer and its way to the agent somebody puts a link in the place of the folder.
    if (event.type === 'approval.resolved' && existsSync(join(cwd, 'src'))) {
      rmSync(join(cwd, 'src'), { recursive: true })
      symlinkSync('/etc', join(cwd, 'src'))
    }
    return event
  })
  const session = world.start('demo', { cwd })
  world.stream(session).rules = [src]
  world.send(session, 'message.send', { text: scriptPrompt([edit('src/a.ts')]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'approval.dispatch_refused').map(({ data }) => data.reason)).toEqual(['digest_mismatch'])
  expect(readFileSync(join(cwd, 'record'), 'utf8')).toContain('"outcome":"deny"')
})

test('[PO11] [PO30] where a path leads is said with all links followed, and not where nobody knows', async () => {
  const dir = await openTempDir()
  const cwd = realpathSync(dir.path)
  mkdirSync(join(cwd, 'a'))
  writeFileSync(join(cwd, 'file'), 'x')
  symlinkSync(join(cwd, 'a'), join(cwd, 'link'))
  symlinkSync(join(cwd, 'gone'), join(cwd, 'dangling'))
  symlinkSync(join(cwd, 'loop'), join(cwd, 'loop'))
  const openedAs = async (path: string): Promise<string | undefined> => {
    const request = { agent: 'x', tool: 'Write', input: JSON.stringify({ file_path: path, content: 'x' }), cwd }
    return (await openedPaths(request))?.[path]
  }
  expect(await openedAs('link/new/file')).toBe(join(cwd, 'a/new/file'))
  expect(await openedAs(join(cwd, 'file'))).toBe(join(cwd, 'file'))
  for (const path of ['dangling', 'dangling/x', 'loop', 'loop/x', 'file/x', 'a\0b', 'x'.repeat(5_000)]) {
    expect(await openedAs(path), path.slice(0, 20)).toBeUndefined()
  }
  expect(await openedPaths({ agent: 'x', tool: 'Bash', input: '{"command":"ls"}', cwd })).toBeUndefined()
  const writes = JSON.stringify({ command: 'ls > link/new.txt 2> dangling' })
  expect(await openedPaths({ agent: 'x', tool: 'Bash', input: writes, cwd })).toEqual({
    [cwd]: cwd,
    'link/new.txt': join(cwd, 'a/new.txt'),
  })
  await dir.remove()
})

test('[PO15] what a mode allowed reaches the agent where the mode still holds, and where the paths lead there', async () => {
  await using bench = await openBench()
  const { world, cwd, link } = bench
  mkdirSync(join(cwd, 'src'))
  const session = world.start('demo', { cwd })
  world.stream(session).rules = []
  world.send(session, 'policy.set_mode', { mode: 'edits_free' })
  world.send(session, 'message.send', { text: scriptPrompt([{ ...edit('src/a.ts'), record: 'first' }]) })
  await world.until(session, 'the first turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(readFileSync(join(cwd, 'first'), 'utf8')).toContain('"outcome":"allow"')

  let isSwapped = false
  link.forge((event) => {
    if (event.type === 'approval.resolved' && !isSwapped) {
      isSwapped = true
      rmSync(join(cwd, 'src'), { recursive: true })
      symlinkSync('/etc', join(cwd, 'src'))
    }
    return event
  })
  world.send(session, 'message.send', { text: scriptPrompt([{ ...edit('src/a.ts'), record: 'second' }]) })
  await world.until(session, 'the second turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(isSwapped).toBe(true)
  expect(readFileSync(join(cwd, 'second'), 'utf8')).toContain('"outcome":"deny"')
  const reasons = () => world.events(session, 'approval.dispatch_refused').map(({ data }) => data.reason)
  expect(reasons()).toEqual(['digest_mismatch'])
})

test('[PO15] what hands-free allowed does not reach the agent where a person took it back before that', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd })
  const stream = world.stream(session)
  stream.rules = []
  world.send(session, 'policy.set_mode', { mode: 'hands_free' })
  const take = (): void => {
    if (!world.events(session, 'approval.resolved').some(({ data }) => data.mode)) return
    stream.heard.delete(take)
    world.send(session, 'policy.set_mode', { mode: 'ask' })
  }
  stream.heard.add(take)
  const ask = { do: 'ask' as const, title: 'Test', kind: 'execute' as const, input: { command: 'npm test' } }
  world.send(session, 'message.send', { text: scriptPrompt([{ ...ask, record: 'record' }]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'approval.resolved').map(({ data }) => data.outcome)).toEqual(['allowed'])
  expect(world.events(session, 'approval.dispatch_refused').map(({ data }) => data.reason)).toEqual(['stale'])
  expect(readFileSync(join(cwd, 'record'), 'utf8')).toContain('"outcome":"deny"')
})
