import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { codeOf } from '../workspace/held-folder.ts'
import { BlindGit } from './blind-git.ts'
import type { GitOf, Repository } from './repository.ts'
import { GitRefusal, runGit } from './run-git.ts'

/** Writing the files of a large repository. */
const checkoutMs = 300_000
const lookMs = 20_000

/** A worktree of somebody's repository that is ours. */
export interface Worktree {
  /** Its files. */
  folder: string
  /** What the repository knows of it. */
  admin: string
  branch: string
  /** The commit that it began with. */
  base: string
}

/**
 * Adds a worktree to a repository: its entry and its branch are written as gitrepository-layout(5) has them, and the files
 * come from the commit by a git that reads no configuration. `git worktree add` would run the hooks of the repository and
 * the filters of its configuration. Throws `GitRefusal` where it cannot be, and leaves nothing then.
 */
export async function addWorktree(
  program: string,
  scratch: string,
  repository: Repository & { commit: string },
  { folder, admin, branch }: Omit<Worktree, 'base'>,
  signal?: AbortSignal,
): Promise<void> {
  const { common, commit } = repository
  const tree = { folder, admin, branch, base: commit }
  takeBranch(common, branch, commit)
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
    mkdirSync(folder, { mode: 0o700 })
    mkdirSync(dirname(admin), { recursive: true })
    mkdirSync(admin)
    writeFileSync(join(admin, 'commondir'), '../..\n')
    writeFileSync(join(admin, 'gitdir'), `${join(folder, '.git')}\n`)
    writeFileSync(join(admin, 'HEAD'), `ref: refs/heads/${branch}\n`)
    writeFileSync(join(folder, '.git'), `gitdir: ${admin}\n`)
    await BlindGit.with(program, scratch, repository, { head: commit }, async (git) => {
      const at = { workTree: folder, index: join(admin, 'index'), timeoutMs: checkoutMs, signal }
      await git.run(['read-tree', commit], at)
      await git.run(['checkout-index', '--all', '--index', '--quiet'], at)
    })
  } catch (error) {
    removeWorktree(common, tree)
    throw error
  }
}

/** Takes all of it away. The branch goes only where it is as it was made. */
export function removeWorktree(common: string, { folder, admin, branch, base }: Worktree): void {
  rmSync(folder, { recursive: true, force: true })
  rmSync(admin, { recursive: true, force: true })
  const ref = join(common, 'refs/heads', branch)
  if (existsSync(ref) && readFileSync(ref, 'utf8').trim() === base) rmSync(ref, { force: true })
}

/** The tip of a worktree, and how many commits of it no other branch has. Throws `GitRefusal`. */
export async function ownCommits(
  { program }: GitOf,
  common: string,
  { admin, branch, base }: Worktree,
): Promise<{ tip: string; commits: number }> {
  const ask = (args: readonly string[], gitDir: string): Promise<string> =>
    runGit({ program, args, cwd: common, env: { GIT_DIR: gitDir }, timeoutMs: lookMs })
  const tips = new Set<string>()
  for (const args of [['HEAD^{commit}'], [`refs/heads/${branch}^{commit}`]]) {
    const tip = (await ask(['rev-parse', '--verify', '--quiet', ...args], admin).catch(() => '')).trim()
    if (tip !== '') tips.add(tip)
  }
  const [tip = base] = tips
  if (tips.size === 1 && tip === base) return { tip, commits: 0 }
  // Not `--all`: that has the heads of other worktrees in it, and so of this one.
  const others = ['--not', base, `--exclude=${branch}`, '--branches', '--remotes', '--tags']
  const counted = await ask(['rev-list', '--count', ...tips, ...others], common)
  const commits = Number(counted.trim())
  return { tip, commits: Number.isInteger(commits) ? commits : 1 }
}

/** The branch begins at the commit. One of that name that is there already is never touched. */
function takeBranch(common: string, branch: string, commit: string): void {
  const ref = join(common, 'refs/heads', branch)
  const packed = join(common, 'packed-refs')
  const isPacked =
    existsSync(packed) &&
    readFileSync(packed, 'utf8')
      .split('\n')
      .some((line) => line.endsWith(` refs/heads/${branch}`) || line.endsWith(` refs/heads/${dirname(branch)}`))
  try {
    if (isPacked) throw new GitRefusal(`There is a branch "${branch}" already.`)
    mkdirSync(dirname(ref), { recursive: true })
    writeFileSync(ref, `${commit}\n`, { flag: 'wx' })
  } catch (error) {
    if (error instanceof GitRefusal) throw error
    throw new GitRefusal(`The branch "${branch}" could not be made (${codeOf(error) ?? String(error)}).`)
  }
}
