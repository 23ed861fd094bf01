import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTempDir } from '@hotline/testing/temp-dir'
import { afterEach, expect, test } from 'vitest'
import { Isolator } from '../src/isolation/isolator.ts'
import { gitHooks, gitKeys } from './git-canary.ts'

const saved = { ...process.env }
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name]
  Object.assign(process.env, saved)
})

test('[IS8] [T57] [T58] [GI34] no look, worktree, copy or removal runs a program that a repository, a person or the machine names to git', async () => {
  const temp = await openTempDir('hotline-places-')
  const root = join(temp.path, 'repository')
  const home = join(temp.path, 'home')
  const canaries = join(temp.path, 'canaries')
  const programs = join(temp.path, 'programs')
  for (const folder of [root, home, canaries, programs]) mkdirSync(folder)
  const program = (name: string): string => {
    const file = join(programs, name.replaceAll(/[^a-zA-Z.-]/g, '_'))
    writeFileSync(file, `#!/bin/sh\n: > '${join(canaries, name)}'\ncat 2>/dev/null\nexit 0\n`)
    chmodSync(file, 0o755)
    return file
  }
  const configOf = (where: string): string =>
    [...gitKeys.map(([name, lines]) => lines(program(`${where}-${name}`))), hookConfig(where, program)].join('\n')
  const git = (cwd: string, ...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], {
      cwd,
      env: { PATH: saved['PATH'], HOME: temp.path, GIT_CONFIG_NOSYSTEM: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString()
  // A repository in the repository, and one that is a submodule without a `.gitmodules`.
  for (const folder of [root, join(root, 'nested'), join(root, 'loose')]) {
    mkdirSync(folder, { recursive: true })
    git(folder, 'init', '-q')
    writeFileSync(join(folder, 'a.txt'), 'aaaa\n')
    writeFileSync(join(folder, 'b.canary'), 'bbbb\n')
    git(folder, 'add', 'a.txt', 'b.canary')
    git(folder, 'commit', '-qm', 'first')
  }
  writeFileSync(join(root, '.gitattributes'), '*.txt filter=canary diff=canary merge=canary\n*.canary filter=pipe\n')
  writeFileSync(join(root, '.gitignore'), '*.log\n')
  writeFileSync(join(root, '.worktreeinclude'), 'x.log\n')
  writeFileSync(join(root, 'x.log'), 'log\n')
  git(root, 'add', 'nested', '.gitattributes', '.gitignore')
  git(root, 'commit', '-qm', 'second')
  for (const [at, folder] of [root, join(root, 'nested'), join(root, 'loose')].entries()) {
    const into = readFileSync(join(folder, '.git/config'), 'utf8')
    writeFileSync(join(folder, '.git/config'), `${into}\n${configOf(`repo${at}`)}\n`)
    mkdirSync(join(folder, '.git/hooks'), { recursive: true })
    for (const hook of gitHooks) {
      writeFileSync(join(folder, '.git/hooks', hook), readFileSync(program(`hook${at}-${hook}`)))
      chmodSync(join(folder, '.git/hooks', hook), 0o755)
    }
    // Of the same size, so that only a filter could tell.
    writeFileSync(join(folder, 'a.txt'), 'AAAA\n')
  }
  writeFileSync(join(home, '.gitconfig'), configOf('person'))
  Object.assign(process.env, {
    HOME: home,
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_DIR: join(root, '.git'),
    GIT_EXTERNAL_DIFF: program('env-diff'),
    GIT_TEMPLATE_DIR: join(root, '.git'),
    GIT_EXEC_PATH: programs,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'core.fsmonitor',
    GIT_CONFIG_VALUE_0: program('env-count'),
  })

  const isolator = new Isolator({ folder: join(temp.path, 'places'), environment: { PATH: saved['PATH'], HOME: home } })
  const never = new AbortController().signal
  const view = await isolator.view(root, 'by_folder')
  expect(view).toMatchObject({ standard: 'worktree', uncommitted: { count: 2 }, nested: { count: 2 } })
  expect(view.included?.names).toEqual(['x.log'])
  const of = { folder: root, title: 'x', bring: ['uncommitted', 'ignored'] as const }
  const made = await isolator.make('s1', { ...of, isolation: 'worktree' }, never)
  expect(readFileSync(join(made.placement.cwd, 'a.txt'), 'utf8')).toBe('AAAA\n')
  expect(readFileSync(join(made.placement.cwd, 'x.log'), 'utf8')).toBe('log\n')
  expect(readdirSync(join(made.placement.cwd, 'nested'))).toEqual([])
  const copy = await isolator.make('s2', { ...of, isolation: 'copy' }, never)
  expect(readFileSync(join(copy.placement.cwd, 'nested/a.txt'), 'utf8')).toBe('AAAA\n')
  const bare = await isolator.make('s3', { ...of, bring: [], isolation: 'worktree' }, never)
  for (const session of ['s1', 's2', 's3']) isolator.ready(session)
  expect(await isolator.release('s1')).toMatchObject({ outcome: 'kept', uncommitted: 2 })
  expect(await isolator.release('s3')).toMatchObject({ outcome: 'removed' })
  expect(existsSync(bare.placement.cwd)).toBe(false)
  expect(readdirSync(canaries)).toEqual([])

  // They are no dummies: git itself runs them.
  delete process.env['GIT_EXEC_PATH']
  spawnSync('git', ['worktree', 'add', join(temp.path, 'theirs')], {
    cwd: root,
    env: { ...process.env, GIT_CONFIG_COUNT: '0' },
    timeout: 20_000,
  })
  expect(readdirSync(canaries).length).toBeGreaterThan(1)
  await temp.remove()
})

test('[IS9] [T59] nothing is written outside of a new worktree, whatever the repository has in the way', async () => {
  const temp = await openTempDir('hotline-places-')
  const root = join(temp.path, 'repository')
  const outside = join(temp.path, 'outside')
  for (const folder of [root, outside]) mkdirSync(folder)
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], {
      cwd: root,
      env: { PATH: saved['PATH'], HOME: temp.path },
    }).toString()
  git('init', '-q')
  symlinkSync(outside, join(root, 'way'))
  writeFileSync(join(root, 'plain'), 'x')
  git('add', '-A')
  git('commit', '-qm', 'a link out of the repository')
  // What the person has by now is a folder, with a file that would go through the link of the commit.
  execFileSync('rm', [join(root, 'way'), join(root, 'plain')])
  for (const folder of ['way', 'plain']) {
    mkdirSync(join(root, folder))
    writeFileSync(join(root, folder, 'file'), 'mine\n')
  }
  execFileSync('mkfifo', [join(root, 'pipe')])
  const isolator = new Isolator({ folder: join(temp.path, 'places'), environment: { PATH: saved['PATH'] } })
  const never = new AbortController().signal
  const of = { folder: root, isolation: 'worktree', bring: ['uncommitted'], title: '' } as const
  const { placement } = await isolator.make('s1', of, never)
  expect(readdirSync(outside)).toEqual([])
  expect(readFileSync(join(placement.cwd, 'way/file'), 'utf8')).toBe('mine\n')
  expect(readFileSync(join(placement.cwd, 'plain/file'), 'utf8')).toBe('mine\n')

  // What cannot be made leaves nothing behind, and what is there is not touched.
  const tight = new Isolator({
    folder: join(temp.path, 'tight'),
    environment: { PATH: saved['PATH'] },
    bounds: { files: 1, bytes: 1_000, timeMs: 60_000 },
  })
  await expect(tight.make('s2', of, never)).rejects.toThrow('more than 1 files')
  expect(git('branch', '--list', 'hotline/*').trim().split('\n')).toHaveLength(1)
  expect(git('worktree', 'list').trim().split('\n')).toHaveLength(2)
  await expect(isolator.make('s3', { ...of, isolation: 'copy' }, AbortSignal.abort())).rejects.toThrow('given up')
  await temp.remove()
})

/** Hooks by configuration, as later versions of git have them. */
function hookConfig(where: string, program: (name: string) => string): string {
  return `[hook "canary"]\n\tcommand = ${program(`${where}-hook`)}\n\tevent = post-checkout\n\tevent = reference-transaction`
}

test('[GI39] whatever a session is called, its branch has a plain name below hotline/', async () => {
  await using temp = await openTempDir('hotline-branches-')
  const root = join(temp.path, 'repository')
  mkdirSync(root)
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], {
      cwd: root,
      env: { PATH: saved['PATH'], HOME: temp.path, GIT_CONFIG_NOSYSTEM: '1' },
    }).toString()
  git('init', '-q', '-b', 'main')
  writeFileSync(join(root, 'a.txt'), 'a\n')
  git('add', '-A')
  git('commit', '-qm', 'first')
  const environment = { PATH: saved['PATH'], HOME: temp.path }
  const isolator = new Isolator({ folder: join(temp.path, 'worktrees'), environment })
  const odd = [
    '-x',
    '--upload-pack=touch ran',
    'a..b',
    '@{',
    'x.lock',
    'a\nb',
    '$(touch ran)',
    '`touch ran`',
    '/../../main',
  ]
  const titles = [...odd, '.', 'HEAD', 'refs/heads/main', 'ü\u202e\0', '', 'x'.repeat(5_000)]
  const branches: string[] = []
  for (const [at, title] of titles.entries()) {
    const of = { folder: root, isolation: 'worktree', bring: [], title } as const
    const { placement } = await isolator.make(`s${at}`, of, new AbortController().signal)
    const branch = placement.worktree?.branch ?? ''
    expect(branch, JSON.stringify(title)).toMatch(/^hotline\/(?:[a-z0-9]+-)*[0-9a-f]{8}$/)
    expect(git('check-ref-format', '--branch', branch).trim()).toBe(branch)
    branches.push(branch)
  }
  expect(git('for-each-ref', '--format=%(refname:short)', 'refs/heads').trim().split('\n')).toEqual(
    [...branches, 'main'].toSorted(),
  )
  expect(readdirSync(root).toSorted()).toEqual(['.git', 'a.txt'])
})

test('[GI35] a folder that names a repository somewhere else, which knows nothing of it, is in none', async () => {
  await using temp = await openTempDir('hotline-pointers-')
  const at = (name: string): string => join(temp.path, name)
  const git = (cwd: string, ...args: string[]): void => {
    const who = ['-c', 'user.name=x', '-c', 'user.email=x@y', '-c', 'protocol.file.allow=always']
    execFileSync('git', [...who, ...args], {
      cwd,
      env: { PATH: saved['PATH'], HOME: temp.path, GIT_CONFIG_NOSYSTEM: '1' },
      stdio: 'ignore',
    })
  }
  for (const name of ['theirs', 'other']) {
    mkdirSync(at(name))
    git(at(name), 'init', '-q', '-b', 'main')
    writeFileSync(join(at(name), 'a.txt'), 'a\n')
    git(at(name), 'add', '-A')
    git(at(name), 'commit', '-qm', 'first')
  }
  git(at('theirs'), 'worktree', 'add', '-q', at('linked'))
  git(at('theirs'), 'submodule', '--quiet', 'add', at('other'), 'module')
  const gitDir = join(at('theirs'), '.git')
  const pointer = (name: string, to: string): void => {
    mkdirSync(at(name))
    writeFileSync(join(at(name), '.git'), `gitdir: ${to}\n`)
  }
  pointer('pointer', gitDir)
  pointer('second', join(gitDir, 'worktrees/linked'))
  pointer('module-elsewhere', join(gitDir, 'modules/module'))
  // One that says that it is a worktree of theirs, and one that says so in its own folder.
  for (const name of ['crafted', 'shared']) mkdirSync(join(at(name), '.git'), { recursive: true })
  mkdirSync(at('entry'))
  writeFileSync(join(at('entry'), 'HEAD'), 'ref: refs/heads/main\n')
  writeFileSync(join(at('entry'), 'commondir'), `${gitDir}\n`)
  writeFileSync(join(at('entry'), 'gitdir'), join(at('claims'), '.git'))
  pointer('claims', at('entry'))
  writeFileSync(join(at('shared'), '.git/HEAD'), 'ref: refs/heads/main\n')
  writeFileSync(join(at('shared'), '.git/commondir'), `${gitDir}\n`)
  const isolator = new Isolator({ folder: at('places'), environment: { PATH: saved['PATH'], HOME: temp.path } })
  for (const name of ['theirs', 'linked', 'theirs/module']) {
    expect((await isolator.view(at(name), 'by_folder')).standard, name).toBe('worktree')
  }
  for (const name of ['pointer', 'second', 'module-elsewhere', 'claims', 'shared', 'crafted']) {
    expect((await isolator.view(at(name), 'by_folder')).standard, name).toBe('in_place')
    const of = { folder: at(name), isolation: 'worktree', bring: [], title: '' } as const
    await expect(isolator.make(name, of, new AbortController().signal), name).rejects.toThrow('lies in no repository')
  }
  expect(readdirSync(join(gitDir, 'refs/heads')).toSorted()).toEqual(['linked', 'main'])
})
