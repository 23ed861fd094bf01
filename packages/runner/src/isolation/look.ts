import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { NamedCount } from '@hotline/protocol/place'
import { BlindGit } from './blind-git.ts'
import type { Repository } from './repository.ts'
import { listed } from './run-git.ts'

/** Looking at the files of a large repository may take its time; past it, it is said that it took too long. */
const lookMs = 20_000

/** Names that are told. */
const namesMax = 20

/** In it, a repository names the ignored files that shall come along, by the patterns of `.gitignore`. */
const includeFile = '.worktreeinclude'

/** What of a repository's files its last commit does not have. Paths; a folder that is meant as a whole ends with `/`. */
export interface Loose {
  /** Those that are there, and those that are not there any more. */
  changed: readonly string[]
  removed: readonly string[]
  ignored: readonly string[]
  /** Ignored, and named by `.worktreeinclude`. */
  included: readonly string[]
  /** Repositories of their own, and submodules. */
  nested: readonly string[]
}

/** Looks at the files of a repository, beside one of its commits. Throws `GitRefusal`. */
export function lookAtFiles(
  program: string,
  scratch: string,
  repository: Repository & { commit: string },
  of: { workTree: string; indexOf: string; signal?: AbortSignal | undefined },
): Promise<Loose> {
  const { workTree, indexOf, signal } = of
  const head = repository.commit
  return BlindGit.with(program, scratch, repository, { head, indexOf }, (git) => look(git, workTree, signal))
}

async function look(git: BlindGit, workTree: string, signal: AbortSignal | undefined): Promise<Loose> {
  const at = { workTree, timeoutMs: lookMs, signal }
  const [status, staged, included] = await Promise.all([
    git.run(
      [
        'status',
        '--porcelain=v1',
        '-z',
        '--no-renames',
        '--ignore-submodules=all',
        '--untracked-files=all',
        '--ignored=matching',
      ],
      at,
    ),
    git.run(['ls-files', '--stage', '-z'], at),
    includedIn(git, at),
  ])
  const entries = listed(status).map((entry) => ({ state: entry.slice(0, 2), path: entry.slice(3) }))
  const isNested = (path: string): boolean => path.endsWith('/')
  const isGone = (state: string): boolean => state[1] === 'D' || (state[0] === 'D' && state[1] === ' ')
  const loose = entries.filter(({ state }) => state !== '!!')
  const submodules = listed(staged).flatMap((line) => (line.startsWith('160000 ') ? [afterTab(line)] : []))
  const named = new Set(included)
  return {
    changed: loose.filter(({ state, path }) => !isGone(state) && !isNested(path)).map(({ path }) => path),
    removed: loose.filter(({ state }) => isGone(state)).map(({ path }) => path),
    ignored: entries.flatMap(({ state, path }) => (state === '!!' && !named.has(path) ? [path] : [])),
    included,
    nested: [...submodules, ...loose.filter(({ path }) => isNested(path)).map(({ path }) => path)],
  }
}

/** Files that git ignores, and that the repository wants to have along. */
async function includedIn(
  git: BlindGit,
  at: { workTree: string; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<readonly string[]> {
  const file = join(at.workTree, includeFile)
  if (!existsSync(file)) return []
  const found = listed(await git.run(['ls-files', '-z', '--others', '--ignored', `--exclude-from=${file}`], at))
  const files = found.filter((path) => !path.endsWith('/'))
  if (files.length === 0) return []
  try {
    return listed(await git.run(['check-ignore', '-z', '--stdin'], { ...at, input: files.join('\0') }))
  } catch {
    // It says by its exit code that none of them is ignored.
    return []
  }
}

function afterTab(line: string): string {
  return line.slice(line.indexOf('\t') + 1)
}

/** As it is told. */
export function namedCount(paths: readonly string[]): NamedCount {
  return { count: paths.length, names: paths.slice(0, namesMax) }
}
