import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openTempDir } from '@hotline/testing/temp-dir'
import type { FileToCommit } from '../src/isolation/commit-kept.ts'
import { Isolator } from '../src/isolation/isolator.ts'

/** What the commits of these tests say of themselves. */
export const words = { message: 'Keep it', trailers: [['Hotline-Session', 's1']] } as const

/** A repository of a person, and a session's worktree of it. */
export interface MergeScene extends AsyncDisposable {
  readonly temp: string
  /** Where the person works. */
  readonly root: string
  /** Where the session's agent works, and its branch. */
  readonly cwd: string
  readonly branch: string
  git: (...args: string[]) => string
  gitIn: (folder: string, ...args: string[]) => string
  /** Writes a file of the person's. */
  write: (path: string, text: string) => void
  /** People keep these contents, and want them merged. */
  keep: (files: Readonly<Record<string, string | undefined>>, into?: string) => ReturnType<Isolator['commit']>
  /** The same, with a git of the test's own. */
  with: (environment: Readonly<Record<string, string>>) => Isolator
  branches: () => Promise<readonly string[]>
}

/** Makes both; `first`: the files of the first commit; `format`: how the repository names its objects. */
export async function openMergeScene(
  first: Readonly<Record<string, string>>,
  format: 'sha1' | 'sha256' = 'sha1',
): Promise<MergeScene> {
  const temp = await openTempDir('hotline-merge-')
  const root = join(temp.path, 'work')
  mkdirSync(root)
  const gitIn = (folder: string, ...args: string[]): string => {
    const env = { PATH: process.env['PATH'], HOME: temp.path, GIT_CONFIG_NOSYSTEM: '1' }
    const who = ['-c', 'user.name=x', '-c', 'user.email=x@y', '-c', 'core.hooksPath=/dev/null']
    return execFileSync('git', [...who, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
      .toString()
      .trimEnd()
  }
  const git = (...args: string[]): string => gitIn(root, ...args)
  const write = (path: string, text: string): void => put(join(root, path), text)
  git('init', '-q', '-b', 'main', `--object-format=${format}`)
  git('config', 'user.name', 'Dana')
  git('config', 'user.email', 'dana@example.org')
  for (const [path, text] of Object.entries(first)) write(path, text)
  git('add', '-A')
  git('commit', '-qm', 'first')
  const open = (environment: Readonly<Record<string, string | undefined>>): Isolator =>
    new Isolator({ folder: join(temp.path, 'places'), environment })
  const isolator = open({ PATH: process.env['PATH'], HOME: temp.path })
  const of = { folder: root, isolation: 'worktree', bring: [], title: 'Fix' } as const
  const { placement } = await isolator.make('s1', of, new AbortController().signal)
  isolator.ready('s1')
  return {
    temp: temp.path,
    root,
    cwd: placement.cwd,
    branch: placement.worktree?.branch ?? '',
    git,
    gitIn,
    write,
    keep: (files, into) => isolator.commit('s1', filesOf(files), words, into),
    with: open,
    branches: () => isolator.branches('s1'),
    [Symbol.asyncDispose]: () => temp.remove(),
  }
}

/** As they are handed to a commit. */
export function filesOf(files: Readonly<Record<string, string | undefined>>): FileToCommit[] {
  return Object.entries(files).map(([path, text]) => ({
    path,
    content: text === undefined ? undefined : { mode: '100644' as const, bytes: Buffer.from(text) },
  }))
}

/** Writes a file with the folders that it needs. */
export function put(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** All that lies in a folder, byte by byte, but for what git keeps. */
export function bytesIn(folder: string, below = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(join(folder, below))) {
    const path = below === '' ? name : `${below}/${name}`
    const stats = lstatSync(join(folder, path))
    if (path === '.git') continue
    if (stats.isDirectory()) Object.assign(found, bytesIn(folder, path))
    else if (stats.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(folder, path))}`
    else found[path] = `${(stats.mode & 0o100) === 0 ? '' : 'x '}${readFileSync(join(folder, path), 'latin1')}`
  }
  return found
}
