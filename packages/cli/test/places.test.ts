import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startHotlineTerminal } from './hotline-terminal.ts'
import { openRunnerScene, type RunnerScene } from './runner-scene.ts'

let scene: RunnerScene
let run: RunnerScene['run']
let root: string

beforeAll(async () => {
  scene = await openRunnerScene()
  run = scene.run
  const { dir } = scene
  root = join(dir.path, 'project')
  mkdirSync(root)
  const git = (...args: string[]): void => {
    const env = { PATH: process.env['PATH'], HOME: dir.path }
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], { cwd: root, env })
  }
  git('init', '-q', '-b', 'main')
  writeFileSync(join(root, '.gitignore'), '*.log\n')
  writeFileSync(join(root, 'a.txt'), 'a\n')
  git('add', '-A')
  git('commit', '-qm', 'first')
  writeFileSync(join(root, 'a.txt'), 'changed\n')
  writeFileSync(join(root, 'x.log'), 'x\n')
})
afterAll(() => scene[Symbol.asyncDispose]())

it('[B76] run says before the start where an agent will work and what is not there, and takes another wish', async () => {
  const started = await run('run', 'demo', '--cwd', root, '--detach')
  expect(started.err).toContain(`It works in a worktree of its own, beside ${root}, as of the last commit of main.`)
  expect(started.err).toContain('Not in it: 1 uncommitted file (a.txt); 1 ignored file or folder (x.log).')
  expect(started.err).toContain('--include uncommitted')
  const logged = async (session: string): Promise<string> => (await run('logs', session.trim())).out
  await waitFor(async () => (await logged(started.out)).includes('place  Works in a worktree of its own'), {
    what: 'a place',
  })
  const whole = await run('run', 'demo', '--cwd', root, '--detach', '--include', 'all')
  expect(whole.err).not.toContain('Not in it')
  await waitFor(async () => (await logged(whole.out)).includes('Brought along: 2 files.'), { what: 'a place' })
  const here = await run('run', 'demo', '--cwd', root, '--detach', '--isolation', 'in-place', '--title', 'Here')
  expect(here.err).toContain(`It works in ${root} itself.`)
  // The next one is warned of it by its name.
  await waitFor(async () => /^status +active/m.test((await run('status', here.out.trim())).out), { what: 'its agent' })
  const second = await run('run', 'demo', '--cwd', root, '--detach', '--isolation', 'in-place')
  expect(second.err).toContain('Another session works in this very folder: "Here".')
  expect((await run('run', 'demo', '--isolation', 'moon')).err).toContain('worktree, copy or in-place')
  expect((await run('run', 'demo', '--isolation', 'copy', '--include', 'all')).err).toContain('is for worktrees')
  for (const { out } of [started, whole, here, second]) await run('abort', out.trim())
})

it('[B76] at a terminal it asks what shall become of what was not committed', async () => {
  const terminal = startHotlineTerminal(['run', 'demo', '--cwd', root, '--title', 'Asked'], scene.env)
  await terminal.shows('[w]ithout them, [i]nclude them')
  terminal.type('x\r')
  await terminal.shows('w: in a worktree of its own')
  terminal.type('i\r')
  await terminal.shows('Brought along: 1 file.')
  terminal.type('/quit\r')
  await terminal.ended
  const rows = JSON.parse((await run('--json', 'ls')).out) as { session: string; title: string }[]
  const session = rows.find(({ title }) => title === 'Asked')?.session ?? ''
  expect((await run('abort', session)).code).toBe(0)
})

it('[B77] changes shows what an agent changed, and keeps and discards it as it was shown', async () => {
  const prompt = scriptPrompt([
    { do: 'write', path: 'good.txt', content: 'good\n' },
    { do: 'write', path: 'bad.txt', content: 'bad\n' },
    { do: 'write', path: 'package.json', content: '{}\n' },
  ])
  const at = join(scene.dir.path, 'plain')
  mkdirSync(at)
  const started = await run('run', 'demo', prompt, '--cwd', at, '--detach')
  const session = started.out.trim()
  await allowAll(session)
  const shown = await run('changes', session)
  expect(shown.out).toContain('added    bad.txt (+1 -0)\n')
  expect(shown.out).toContain('added    package.json (+1 -0; ! it names programs that an installation runs')
  expect(shown.out).toContain('    1 + good\n')
  expect((await run('changes', session, '--keep', 'else.txt', '--yes')).err).toContain('has not changed "else.txt"')
  expect((await run('changes', session, '--keep-all')).err).toContain('add --yes')
  const done = await run('changes', session, '--keep-all', '--discard', 'bad.txt', '--reason', 'No.', '--yes')
  expect(done.out).toContain('1 kept, 1 discarded, 1 open.')
  expect(done.out).toContain('Open: package.json')
  expect(existsSync(join(at, 'bad.txt'))).toBe(false)
  const guarded = await run('changes', session, '--keep-all', '--guarded', 'package.json', '--yes')
  expect(guarded.out).toContain('1 kept, 0 discarded, 0 open.')
  expect((await run('changes', session)).out).toContain('nothing that was not looked at')
  expect((await run('changes', 'comment', session, 'good.txt: Fine.')).err).toContain('path:line: text')
  expect((await run('changes', 'comment', session, 'good.txt:1: Fine.')).out).toContain('1 comment sent.')
  expect((await run('logs', session)).out).toContain('good.txt:1')
  await run('abort', session)
})

it('[DR8] changes commits what is kept, and merges it into the branch that is named', async () => {
  const at = join(scene.dir.path, 'merged')
  mkdirSync(at)
  const git = (...args: string[]): string => {
    const env = { PATH: process.env['PATH'], HOME: scene.dir.path }
    return execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], { cwd: at, env }).toString()
  }
  git('init', '-q', '-b', 'main')
  git('commit', '-q', '--allow-empty', '-m', 'first')
  const prompt = scriptPrompt([{ do: 'write', path: 'new.txt', content: 'new\n' }])
  const session = (await run('run', 'demo', prompt, '--cwd', at, '--detach')).out.trim()
  await allowAll(session)
  await waitFor(async () => (await run('changes', session)).out.includes('added    new.txt'), { what: 'its change' })
  expect((await run('changes', session, '--keep-all', '--into', 'main', '--yes')).err).toContain('--commit <message>')
  const odd = await run('changes', session, '--keep-all', '--commit', 'New', '--into', '--x', '--yes')
  expect(odd.code).not.toBe(0)
  const done = await run('changes', session, '--keep-all', '--commit', 'New', '--into', 'main', '--yes')
  expect(done.out).toContain(`Merged into main: ${git('rev-parse', 'main').trim()}`)
  expect(existsSync(join(at, 'new.txt'))).toBe(true)
  await run('abort', session)
})

it('[B85] places lists what sessions left here, and removes what holds nothing; the rest only by its name', async () => {
  const begin = async (...more: string[]): Promise<string> => {
    const session = (await run('run', 'demo', '--cwd', root, '--detach', ...more)).out.trim()
    await waitFor(async () => /^status +active/m.test((await run('status', session)).out), { what: 'its agent' })
    return session
  }
  const listed = async (session: string): Promise<Record<string, unknown> | undefined> =>
    (await run('--json', 'places')).out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find((place) => place['session'] === session)
  const end = async (session: string): Promise<void> => {
    await run('abort', session)
    await waitFor(async () => (await listed(session))?.['inUse'] !== true, { what: 'its end' })
  }
  const worked = await begin('--title', 'Worked')
  const place = await listed(worked)
  expect(place).toMatchObject({ isolation: 'worktree', inUse: true, work: { uncommitted: 0, commits: 0 } })
  expect((await run('places', 'remove', worked)).err).toContain('Its session is not over')
  writeFileSync(join(String(place?.['folder']), 'new.txt'), 'new\n')
  const copied = await begin('--isolation', 'copy')
  await end(worked)
  await end(copied)
  const text = (await run('places')).out
  expect(text).toMatch(/worktree +[\d.]+ [kM]?B +\d+s +1 uncommitted file\n/)
  expect(text).toMatch(/copy +[\d.]+ [kM]?B +\d+s +a copy: nobody can tell/)
  const refused = await run('places', 'remove', worked)
  expect(refused.err).toContain('It holds 1 uncommitted file')
  expect(refused.code).toBe(5)
  expect((await run('places', 'remove', copied)).err).toContain('--named project')
  expect((await run('places', 'remove', copied, '--named', 'project')).code).toBe(0)
  rmSync(join(String(place?.['folder']), 'new.txt'))
  expect((await run('places', 'remove', worked)).out).toContain('removed ')
  expect(existsSync(String(place?.['folder']))).toBe(false)
  expect(await listed(worked)).toBeUndefined()
})

/** Each step of an agent asks first; until its turn has ended. */
async function allowAll(session: string): Promise<void> {
  await waitFor(
    async () => {
      const lines = (await run('--json', 'asks', session)).out.split('\n').filter((line) => line !== '')
      for (const line of lines) {
        const { approval, digest } = JSON.parse(line) as { approval: string; digest: string }
        await run('approve', approval, '--digest', digest)
      }
      return (await run('logs', session)).out.includes('turn ended')
    },
    { what: 'the turn', deadlineMs: 60_000 },
  )
}
