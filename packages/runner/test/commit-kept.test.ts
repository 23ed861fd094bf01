import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import type { SessionState } from '@hotline/core/session/state'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { type Bench, openBench } from './bench.ts'
import { gitHooks, gitKeys } from './git-canary.ts'

const write = (path: string, content: string): Step => ({ do: 'write', path, content })
const offered = (state: SessionState) => state.draft?.phase === 'ready' && !state.turn

/** Git, as a person runs it. */
function git(cwd: string, ...args: string[]): string {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' }
  return execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], { cwd, env })
    .toString()
    .trim()
}

/** Reviews what is up for review now, and answers what came of it. */
async function review(
  { world }: Bench,
  session: string,
  what: { keep?: string[]; discard?: string[]; commit?: { message: string; into?: string } },
) {
  const { draft = '', digest = '' } = world.state(session).draft ?? {}
  world.send(session, 'draft.review', { draft, digest, ...what })
  await world.until(session, 'it to be done', (state) => state.draft?.draft !== draft)
  return world.events(session, 'draft.resolved').find(({ data }) => data.draft === draft)
}

test('[DR7] [IS8] [GI40] what is kept is committed on the branch of the worktree, as it was shown, and nothing is run', async () => {
  await using bench = await openBench({ keepsFiles: true })
  await using outside = await openTempDir('hotline-canaries-')
  const { world, cwd } = bench
  mkdirSync(join(cwd, 'sub'))
  git(cwd, 'init', '-q', '-b', 'main')
  writeFileSync(join(cwd, 'sub/a.txt'), 'one\n')
  writeFileSync(join(cwd, 'other.txt'), 'one\n')
  writeFileSync(join(cwd, '.gitattributes'), '*.big filter=lfs\n')
  git(cwd, 'add', '-A')
  git(cwd, 'commit', '-qm', 'first')
  const first = git(cwd, 'rev-parse', 'main')
  // All that a repository can name to git, each of which would leave a mark.
  const marks = join(outside.path, 'marks')
  mkdirSync(marks)
  const program = (name: string): string => {
    const file = join(outside.path, name.replaceAll(/[^a-zA-Z-]/g, '_'))
    writeFileSync(file, `#!/bin/sh\n: > '${join(marks, name)}'\ncat 2>/dev/null\nexit 0\n`)
    chmodSync(file, 0o755)
    return file
  }
  const config = join(cwd, '.git/config')
  const keys = gitKeys.map(([name, lines]) => lines(program(name)))
  // Shells and options would read more in them than text.
  const [name, email] = ['Dana; touch ran; $(touch ran) `touch ran`', 'dana@example.org; touch ran']
  const own = `[user]\n\tname = "${name}"\n\temail = "${email}"\n`
  writeFileSync(config, `${readFileSync(config, 'utf8')}\n${keys.join('\n')}\n${own}`)
  for (const hook of gitHooks) {
    mkdirSync(join(cwd, '.git/hooks'), { recursive: true })
    writeFileSync(join(cwd, '.git/hooks', hook), readFileSync(program(`hook-${hook}`)))
    chmodSync(join(cwd, '.git/hooks', hook), 0o755)
  }

  const steps = [write('a.txt', 'two\n'), write('b.txt', 'new\n'), write('c.txt', 'no\n'), write('d.big', 'large\n')]
  const session = world.start('demo', { cwd: join(cwd, 'sub'), mode: 'auto-edit', prompt: scriptPrompt(steps) })
  await world.until(session, 'an offer', offered)
  const branch = world.events(session, 'draft.ready')[0]?.body?.branch ?? ''
  expect(branch).toMatch(/^hotline\//)
  const message = '--amend "; touch ran; " $(touch ran)\n\n--author=x `touch ran`'
  const keep = ['a.txt', 'd.big']
  const done = await review(bench, session, { keep, discard: ['c.txt'], commit: { message } })
  expect(done?.body).toMatchObject({ branch, uncommitted: expect.stringContaining('"d.big"') })
  expect(done?.body?.merge).toEqual({ into: 'main', conflicts: [] })
  expect(readdirSync(marks)).toEqual([])
  writeFileSync(config, '[core]\n\trepositoryformatversion = 0\n\tbare = false\n')
  const commit = done?.data.commit ?? ''
  expect(git(cwd, 'rev-parse', branch)).toBe(commit)
  expect(git(cwd, 'rev-parse', `${branch}^`)).toBe(first)
  expect(git(cwd, 'show', '--format=', '--name-status', commit)).toBe('M\tsub/a.txt')
  expect(git(cwd, 'show', `${commit}:sub/a.txt`)).toBe('two')
  expect(git(cwd, 'show', '-s', '--format=%an <%ae>%n%B', commit).trim()).toBe(
    `${name} <${email}>\n${message}\n\nHotline-Session: ${session}\nHotline-Agent: demo\nHotline-Reviewed-By: dana`,
  )
  for (const at of [cwd, join(cwd, 'sub'), join(cwd, '.git')]) expect(readdirSync(at)).not.toContain('ran')
  // Nobody's checkout moved, and git sees in the worktree what is left.
  expect(git(cwd, 'rev-parse', 'main')).toBe(first)
  const folder = world.events(session, 'workspace.prepared')[0]?.body?.folder ?? ''
  const status = git(folder, '-c', 'core.hooksPath=/dev/null', 'status', '--porcelain', '-uall').split('\n')
  expect(status).toEqual(['?? sub/b.txt', '?? sub/d.big'])

  // The next one stands on it. What somebody has put into main meanwhile is named where the two do not go together.
  await world.until(session, 'the rest', offered)
  writeFileSync(join(cwd, 'sub/a.txt'), 'three\n')
  git(cwd, '-c', 'core.hooksPath=/dev/null', 'commit', '-qam', 'meanwhile')
  const meanwhile = git(cwd, 'rev-parse', 'main')
  const again = await review(bench, session, { keep: ['b.txt'], commit: { message: 'b' } })
  expect(git(cwd, 'rev-parse', `${again?.data.commit}^`)).toBe(commit)
  expect(again?.body?.merge).toEqual({ into: 'main', conflicts: ['sub/a.txt'] })
  expect(git(cwd, 'rev-parse', 'main')).toBe(meanwhile)
  expect(git(cwd, 'status', '--porcelain', '-uno')).toBe('')
})

test('[DR7] without a worktree nothing is committed, and where nothing can be, that is said and it is kept all the same', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  const prompt = scriptPrompt([write('a.txt', 'agent\n')])
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt })
  await world.until(session, 'an offer', offered)
  expect(world.events(session, 'draft.ready')[0]?.body?.branch).toBeUndefined()
  const done = await review(bench, session, { keep: ['a.txt'], commit: { message: 'x' } })
  expect(done?.data).toMatchObject({ kept: 1 })
  expect(done?.data.commit).toBeUndefined()
  expect(done?.body?.uncommitted).toContain('no worktree')

  git(cwd, 'init', '-q', '-b', 'main')
  git(cwd, 'add', '-A')
  git(cwd, 'commit', '-qm', 'first')
  const other = world.start('demo', { cwd, mode: 'auto-edit', prompt: scriptPrompt([write('b.txt', 'b\n')]) })
  await world.until(other, 'an offer', offered)
  const folder = world.events(other, 'workspace.prepared')[0]?.body?.folder ?? ''
  // Its agent has committed it itself.
  git(folder, 'add', '-A')
  git(folder, 'commit', '-qm', 'by the agent')
  const tip = git(folder, 'rev-parse', 'HEAD')
  const kept = await review(bench, other, { keep: ['b.txt'], commit: { message: 'x' } })
  expect(kept?.data).toMatchObject({ kept: 1 })
  expect(kept?.body?.uncommitted).toContain('has all of it already')
  expect(git(folder, 'rev-parse', 'HEAD')).toBe(tip)
})

test('[DR8] the branches are told with what is up for review, and where it went with what became of it', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  git(cwd, 'init', '-q', '-b', 'main')
  writeFileSync(join(cwd, 'a.txt'), 'one\n')
  git(cwd, 'add', '-A')
  git(cwd, 'commit', '-qm', 'first')
  for (const name of ['release', 'odd;name']) git(cwd, 'branch', name)
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt: scriptPrompt([write('a.txt', 'agent\n')]) })
  await world.until(session, 'an offer', offered)
  expect(world.events(session, 'draft.ready')[0]?.body?.branches).toEqual(['main', 'release'])
  const done = await review(bench, session, { keep: ['a.txt'], commit: { message: 'Keep a', into: 'main' } })
  expect(done?.body?.merged).toEqual({ into: 'main', commit: git(cwd, 'rev-parse', 'main') })
  expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('agent\n')
  expect(git(cwd, 'status', '--porcelain')).toBe('')

  writeFileSync(join(cwd, 'b.txt'), 'mine\n')
  world.send(session, 'message.send', { text: scriptPrompt([write('b.txt', 'agent\n')]) })
  await world.until(session, 'another offer', offered)
  const not = await review(bench, session, { keep: ['b.txt'], commit: { message: 'Keep b', into: 'main' } })
  expect(not?.body?.unmerged).toContain('"b.txt"')
  expect(not?.data).toMatchObject({ kept: 1, commit: git(cwd, 'rev-parse', not?.body?.branch ?? '') })
  expect(readFileSync(join(cwd, 'b.txt'), 'utf8')).toBe('mine\n')
})
