import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { findGit } from '../workspace/git.ts'
import { listed, runGit } from './run-git.ts'

const lookMs = 10_000

/** Settings that say how the files of a machine are, and name no program. Nothing else is taken from a configuration. */
const harmless = [
  'core.filemode',
  'core.symlinks',
  'core.ignorecase',
  'core.precomposeunicode',
  'core.autocrlf',
  'core.eol',
] as const

/** A repository that a folder lies in. */
export interface Repository {
  /** The folder of its files, without links. */
  root: string
  /** Of these files; in a linked worktree another one than `common`. */
  gitDir: string
  /** Where its objects, branches and worktrees are. */
  common: string
  /** The commit that is checked out; absent where there is none yet. */
  commit?: string | undefined
  branch?: string | undefined
  /** How it keeps its branches: `files`, or something that only git itself can write. */
  refs: string
  settings: readonly [name: string, value: string][]
  /** What the person ignores everywhere. */
  excludesFile?: string | undefined
}

/** How git is run, and for whom. */
export interface GitOf {
  program: string
  /** The person's own settings are read there: what they ignore everywhere. */
  home: string | undefined
  xdgConfigHome?: string | undefined
}

/** Git as it is found on this machine for whoever has this environment; undefined where there is none. */
export function gitFor(environment: Readonly<Record<string, string | undefined>>): GitOf | undefined {
  const program = findGit(environment['PATH'])
  if (program === undefined) return undefined
  return { program, home: environment['HOME'], xdgConfigHome: environment['XDG_CONFIG_HOME'] }
}

/**
 * Files and folders, without asking git: where the repository of a folder begins. Undefined where it is in none, and where
 * what lies there names one somewhere else that knows nothing of this folder: whoever may write a file of a line would choose
 * where branches are made, and whose settings hold.
 */
export function findRoot(folder: string): { root: string; gitDir: string; common: string } | undefined {
  let at = realpathSync(folder)
  for (;;) {
    const entry = lstatSync(join(at, '.git'), { throwIfNoEntry: false })
    const gitDir = entry?.isDirectory() ? join(at, '.git') : entry?.isFile() ? pointedTo(at) : undefined
    if (gitDir !== undefined && existsSync(join(gitDir, 'HEAD'))) {
      const shared = join(gitDir, 'commondir')
      const common = existsSync(shared) ? resolve(gitDir, readFileSync(shared, 'utf8').trim()) : gitDir
      const isIts =
        gitDir === common ? entry?.isDirectory() === true || isModule(at, gitDir) : isLinked(at, gitDir, common)
      return isIts ? { root: at, gitDir, common } : undefined
    }
    const above = dirname(at)
    if (above === at) return undefined
    at = above
  }
}

/** A worktree that was added to a repository: each names the other. */
function isLinked(root: string, gitDir: string, common: string): boolean {
  const back = join(gitDir, 'gitdir')
  if (!existsSync(back) || dirname(gitDir) !== join(common, 'worktrees')) return false
  const named = resolve(gitDir, readFileSync(back, 'utf8').trim())
  return existsSync(named) && realpathSync(named) === join(root, '.git')
}

/** A submodule: its repository lies in that of the one around it. */
function isModule(root: string, gitDir: string): boolean {
  const around = dirname(root) === root ? undefined : findRoot(dirname(root))
  return around !== undefined && realpathSync(gitDir).startsWith(join(realpathSync(around.common), 'modules', '/'))
}

function pointedTo(folder: string): string | undefined {
  const text = readFileSync(join(folder, '.git'), 'utf8').slice(0, 5_000)
  const target = /^gitdir: (.+?)\r?\n?$/.exec(text)?.[1]
  return target === undefined ? undefined : resolve(folder, target)
}

/**
 * What there is to know of it. Two commands of git read its configuration and its branches; neither looks at its files, and
 * neither of them runs anything that a configuration can name. Throws `GitRefusal`.
 */
export async function readRepository(git: GitOf, folder: string): Promise<Repository | undefined> {
  const found = findRoot(folder)
  if (!found) return undefined
  const { root, gitDir, common } = found
  const personal = git.home === undefined ? {} : { HOME: git.home, GIT_CONFIG_GLOBAL: join(git.home, '.gitconfig') }
  const ask = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> =>
    runGit({ program: git.program, args, cwd: gitDir, env: { GIT_DIR: gitDir, ...env }, timeoutMs: lookMs })
  const values = new Map<string, string>()
  for (const entry of listed(await ask(['config', '--list', '-z'], personal))) {
    const at = entry.indexOf('\n')
    if (at > 0) values.set(entry.slice(0, at), entry.slice(at + 1))
  }
  const [commit, branch] = await Promise.all([
    ask(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], {}).catch(() => ''),
    ask(['symbolic-ref', '--quiet', '--short', 'HEAD'], {}).catch(() => ''),
  ])
  return {
    root,
    gitDir,
    common,
    ...(commit.trim() === '' ? {} : { commit: commit.trim() }),
    ...(branch.trim() === '' ? {} : { branch: branch.trim() }),
    refs: values.get('extensions.refstorage') ?? 'files',
    settings: harmless.flatMap((name): [string, string][] => {
      const value = values.get(name)
      return value === undefined || !/^[a-z]+$/i.test(value) ? [] : [[name, value]]
    }),
    excludesFile: excludesOf(values.get('core.excludesfile'), git),
  }
}

function excludesOf(named: string | undefined, { home, xdgConfigHome }: GitOf): string | undefined {
  const file =
    named !== undefined
      ? named.startsWith('~/') && home !== undefined
        ? join(home, named.slice(2))
        : named
      : xdgConfigHome !== undefined
        ? join(xdgConfigHome, 'git/ignore')
        : home === undefined
          ? undefined
          : join(home, '.config/git/ignore')
  return file !== undefined && existsSync(file) ? file : undefined
}
