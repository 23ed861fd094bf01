import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import type { SessionState } from '@hotline/core/session/state'
import { expect, test } from 'vitest'
import { Isolator } from '../src/isolation/isolator.ts'
import { type Bench, demoAgent, openBench } from './bench.ts'
import { profileOf } from './profile-of.ts'

const write = (path: string, content: string): Step => ({ do: 'write', path, content })
const idle = (turns: number) => (state: SessionState) => state.counts.turns === turns && !state.turn

/** Git, as a person runs it. */
function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' },
  })
    .toString()
    .trim()
}

/** A repository with one commit, something uncommitted, and something ignored. */
function makeRepository(root: string): void {
  mkdirSync(join(root, 'sub'), { recursive: true })
  git(root, 'init', '-q', '-b', 'main')
  writeFileSync(join(root, 'a.txt'), 'committed\n')
  writeFileSync(join(root, 'gone.txt'), 'committed\n')
  writeFileSync(join(root, 'sub/b.txt'), 'committed\n')
  writeFileSync(join(root, '.gitignore'), '*.log\n.env\nbuilt/\n')
  git(root, 'add', '-A')
  git(root, 'commit', '-qm', 'first')
  writeFileSync(join(root, 'a.txt'), 'changed\n')
  writeFileSync(join(root, 'new.txt'), 'new\n')
  execFileSync('rm', [join(root, 'gone.txt')])
  writeFileSync(join(root, '.env'), 'KEY=1\n')
  mkdirSync(join(root, 'built'))
  writeFileSync(join(root, 'built/out'), 'x')
}

test('[IS1] [IS2] in a repository an agent works in a worktree of its own, and is told what is not in it', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  makeRepository(cwd)
  const session = world.start('demo', {
    cwd: join(cwd, 'sub'),
    mode: 'auto-edit',
    prompt: scriptPrompt([write('b.txt', 'agent\n')]),
    title: 'Fix: the Login!',
  })
  await world.until(session, 'the turn', (state) => idle(1)(state) && state.checkpoints !== undefined)
  const [prepared] = world.events(session, 'workspace.prepared')
  expect(prepared?.data).toMatchObject({ isolation: 'worktree', uncommitted: 3, ignored: 2, nested: 0 })
  expect(prepared?.body?.uncommitted?.toSorted()).toEqual(['a.txt', 'gone.txt', 'new.txt'])
  expect(prepared?.body?.ignored?.toSorted()).toEqual(['.env', 'built/'])
  expect(prepared?.body?.branch).toMatch(/^hotline\/fix-the-login-[0-9a-f]{8}$/)
  const folder = prepared?.body?.folder ?? ''
  expect(readFileSync(join(folder, 'sub/b.txt'), 'utf8')).toBe('agent\n')
  expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('committed\n')
  expect(existsSync(join(folder, '.env'))).toBe(false)
  // What the person has is as it was, and git knows the worktree as one of its own.
  expect(readFileSync(join(cwd, 'sub/b.txt'), 'utf8')).toBe('committed\n')
  expect(git(cwd, 'worktree', 'list')).toContain(folder)
  expect(git(folder, 'status', '--porcelain')).toBe('M sub/b.txt')

  // Undo works there as anywhere.
  const undo = world.send(session, 'undo.plan', {})
  await world.until(session, 'a plan', (state) => state.undo?.undo === undo && state.undo.phase === 'planned')
  world.send(session, 'undo.apply', { undo, digest: world.state(session).undo?.digest ?? '' })
  await world.until(session, 'it to be done', (state) => state.undo === undefined)
  expect(readFileSync(join(folder, 'sub/b.txt'), 'utf8')).toBe('committed\n')

  // Nothing new is in it: it goes with its session, and its branch too.
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => status === 'aborted')
  await world.until(session, 'the place to go', () => world.events(session, 'workspace.released').length > 0)
  expect(world.events(session, 'workspace.released')[0]?.data.outcome).toBe('removed')
  expect(existsSync(folder)).toBe(false)
  expect(git(cwd, 'branch', '--list')).toBe('* main')
  expect(git(cwd, 'worktree', 'list').split('\n')).toHaveLength(1)
})

/** Starts a session that writes one file, and waits for its turn; answers it and where it works. */
async function startIn(
  { world, cwd }: Bench,
  more: Parameters<typeof world.start>[1] = {},
): Promise<{ session: string; folder: string }> {
  const prompt = scriptPrompt([write('agent.txt', 'agent\n')])
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt, ...more })
  await world.until(session, 'the turn', idle(1))
  return { session, folder: world.events(session, 'workspace.prepared')[0]?.body?.folder ?? cwd }
}

test('[IS3] what a worktree lacks is brought along where it is wished, and what .worktreeinclude names always', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  makeRepository(cwd)
  writeFileSync(join(cwd, '.worktreeinclude'), '.env\na.txt\n')
  const plain = await startIn(bench)
  expect(readFileSync(join(plain.folder, '.env'), 'utf8')).toBe('KEY=1\n')
  // It is not ignored, so it is not for that file to say.
  expect(readFileSync(join(plain.folder, 'a.txt'), 'utf8')).toBe('committed\n')
  const whole = await startIn(bench, { bring: ['uncommitted', 'ignored'] })
  expect(readFileSync(join(whole.folder, 'a.txt'), 'utf8')).toBe('changed\n')
  expect(readFileSync(join(whole.folder, 'new.txt'), 'utf8')).toBe('new\n')
  expect(existsSync(join(whole.folder, 'gone.txt'))).toBe(false)
  expect(readFileSync(join(whole.folder, 'built/out'), 'utf8')).toBe('x')
  expect(world.events(whole.session, 'workspace.prepared')[0]?.data).toMatchObject({ uncommitted: 0, brought: 6 })
  expect(git(whole.folder, 'status', '--porcelain').split('\n').toSorted()).toEqual(
    [' D gone.txt', '?? .worktreeinclude', '?? agent.txt', '?? new.txt', 'M a.txt'].toSorted(),
  )
})

test('[IS4] in place, in a copy, without a repository, and as a profile wants it', async () => {
  const careful = { ...profileOf('careful', {}), isolation: 'copy' as const, argv: [...demoAgent] }
  await using bench = await openBench({ profiles: [careful] })
  const { world, cwd } = bench
  const unknown = await startIn(bench)
  expect(unknown.folder).toBe(cwd)
  makeRepository(cwd)
  const here = await startIn(bench, { isolation: 'in_place' })
  expect(here.folder).toBe(cwd)
  expect(readFileSync(join(cwd, 'agent.txt'), 'utf8')).toBe('agent\n')
  const copy = await startIn(bench, { isolation: 'copy' })
  expect(copy.folder).not.toBe(cwd)
  expect(readFileSync(join(copy.folder, 'a.txt'), 'utf8')).toBe('changed\n')
  expect(readFileSync(join(copy.folder, 'built/out'), 'utf8')).toBe('x')
  expect(git(copy.folder, 'rev-parse', 'HEAD')).toBe(git(cwd, 'rev-parse', 'HEAD'))
  // A command runs where it was told to.
  const command = world.start('command', { cwd, command: ['sh', '-c', 'pwd'] })
  await world.until(command, 'the end', ({ status }) => status === 'completed')
  expect(world.events(command, 'workspace.prepared')).toEqual([])
  const wished = world.start('careful', { cwd })
  // The repository brings a .env, which somebody has to have seen.
  world.decide(wished, await world.ask(wished), 'allow')
  await world.until(wished, 'the agent', ({ status }) => status === 'active')
  expect(world.events(wished, 'workspace.prepared')[0]?.data.isolation).toBe('copy')
  // A worktree that was asked for and cannot be is no reason to work somewhere else.
  const odd = world.start('demo', { cwd: bench.dataDir, isolation: 'worktree' })
  await world.until(odd, 'the end', ({ status }) => status === 'failed')
  expect(world.events(odd, 'session.state_changed').at(-1)?.body?.note).toContain('lies in no repository')
})

test('[IS5] what holds work that is nowhere else is kept and told; once it is merged it goes', async () => {
  await using bench = await openBench()
  const { world, cwd, dataDir } = bench
  makeRepository(cwd)
  const end = async (session: string) => {
    world.send(session, 'session.abort', {})
    await world.until(session, 'the place', () => world.events(session, 'workspace.released').length > 0)
    return world.events(session, 'workspace.released')[0]
  }
  const loose = await startIn(bench)
  expect((await end(loose.session))?.data).toMatchObject({ outcome: 'kept', uncommitted: 1, commits: 0 })
  expect(existsSync(join(loose.folder, 'agent.txt'))).toBe(true)
  const committed = await startIn(bench)
  git(committed.folder, 'add', '-A')
  git(committed.folder, 'commit', '-qm', 'of the agent')
  const told = await end(committed.session)
  expect(told?.data).toMatchObject({ outcome: 'kept', uncommitted: 0, commits: 1 })
  git(cwd, 'merge', '-q', '--ff-only', told?.body?.branch ?? '')
  await bench.stop()
  const isolator = new Isolator({ folder: join(dataDir, 'worktrees'), environment: process.env })
  expect(await isolator.sweep()).toEqual([committed.folder])
  expect(existsSync(join(loose.folder, 'agent.txt'))).toBe(true)
})

test('[IS6] a set-up command runs in the new place and is shown; where it fails nothing is started', async () => {
  const withSetup = (agent: string, line: string) => ({
    ...profileOf(agent, {}),
    argv: [...demoAgent],
    setup: ['sh', '-c', line],
  })
  await using bench = await openBench({
    profiles: [withSetup('good', 'echo installed; pwd > where.log'), withSetup('bad', 'echo no network >&2; exit 3')],
  })
  const { world, cwd } = bench
  makeRepository(cwd)
  const good = world.start('good', { cwd })
  await world.until(good, 'the agent', ({ status }) => status === 'active')
  expect(world.printed(good, 'log')).toContain('installed\n')
  const folder = world.events(good, 'workspace.prepared')[0]?.body?.folder ?? ''
  expect(readFileSync(join(folder, 'where.log'), 'utf8').trim()).toBe(folder)
  const bad = world.start('bad', { cwd })
  await world.until(bad, 'the end', ({ status }) => status === 'failed')
  expect(world.printed(bad, 'log')).toContain('no network\n')
  expect(world.events(bad, 'session.state_changed').at(-1)?.body?.note).toContain('failed with exit code 3')
  await world.until(bad, 'the place to go', () => world.events(bad, 'workspace.released').length > 0)
  expect(world.events(bad, 'workspace.released')[0]?.data.outcome).toBe('removed')
})

test('[IS6] what a set-up command prints shows no secret, wherever its output is cut into pieces', async () => {
  const secret = 'a-token-of-24-characters'
  // Written at once, so that what one event may hold ends in the middle of one.
  const program = "process.stdout.write(('x ' + process.env.SOME_TOKEN + '\\n').repeat(1500))"
  const profile = { ...profileOf('chatty', {}), argv: [...demoAgent], setup: [process.execPath, '-e', program] }
  await using bench = await openBench({ profiles: [{ ...profile, set: { SOME_TOKEN: secret } }] })
  const { world, cwd } = bench
  makeRepository(cwd)
  const session = world.start('chatty', { cwd })
  await world.until(session, 'the agent', ({ status }) => status === 'active')
  const printed = world.printed(session, 'log')
  expect(printed.split('x [redacted:SOME_TOKEN]\n')).toHaveLength(1_501)
  for (let at = 0; at + 8 <= secret.length; at += 1) expect(printed).not.toContain(secret.slice(at, at + 8))
})

test('[IS7] a session that is taken up again goes on where it was, and another life of the runner knows where', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  makeRepository(cwd)
  const { session, folder } = await startIn(bench)
  process.kill(world.state(session).pid ?? 0, 'SIGKILL')
  await world.until(session, 'the end', ({ status }) => status === 'interrupted')
  world.send(session, 'session.resume', {})
  await world.until(session, 'the agent', ({ status }) => status === 'active')
  world.send(session, 'message.send', { text: scriptPrompt([write('again.txt', 'again\n')]) })
  await world.until(session, 'the turn', idle(2))
  expect(readFileSync(join(folder, 'again.txt'), 'utf8')).toBe('again\n')
  expect(world.events(session, 'workspace.prepared')).toHaveLength(1)
  // As another life of the runner knows it.
  const later = new Isolator({ folder: join(bench.dataDir, 'worktrees'), environment: process.env })
  expect(later.known(session)).toMatchObject({ cwd: folder, isReady: true })
})
