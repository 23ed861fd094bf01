import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WouldMerge } from '@hotline/protocol/events/draft'
import { BlindGit } from './blind-git.ts'
import type { GitOf, Repository } from './repository.ts'
import { GitRefusal, listed, runGit } from './run-git.ts'
import type { Worktree } from './worktree.ts'

const gitMs = 20_000
/** Files that are named as conflicts. */
const conflictsMax = 50

/** A file as it shall be in the commit; without content it is not there. Paths are those of the repository. */
export interface FileToCommit {
  path: string
  content?: { mode: '100644' | '100755' | '120000'; bytes: Uint8Array } | undefined
}

/** What the commit says of itself. */
export interface CommitWords {
  message: string
  /** `Name: value` lines at its end. */
  trailers: readonly (readonly [name: string, value: string])[]
}

/** What became of it. */
export interface Committed {
  commit: string
  branch: string
  /** How the branch would merge into the one that is checked out in the repository; undefined where nobody can tell. */
  merge: WouldMerge | undefined
  /** Files that are not in it, and why. */
  left: readonly { path: string; why: string }[]
}

/**
 * Commits exactly these contents onto the branch that is checked out in a worktree of ours, beside whatever else lies there, as
 * plumbing does it: without hooks, without filters and without the configuration of anybody. The index of the worktree learns
 * of these files and of nothing else. Throws `GitRefusal`, and has changed no branch then.
 */
export async function commitKept(
  git: GitOf,
  scratch: string,
  repository: Pick<Repository, 'common' | 'settings' | 'excludesFile'>,
  worktree: Worktree,
  files: readonly FileToCommit[],
  words: CommitWords,
): Promise<Committed> {
  const { common } = repository
  const { folder, admin } = worktree
  const branch = branchAt(admin)
  if (branch === undefined) throw new GitRefusal('No branch is checked out there.')
  const ask = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> =>
    runGit({ program: git.program, args, cwd: common, env: { GIT_DIR: admin, ...env }, timeoutMs: gitMs })
  const tip = (await ask(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])).trim()
  return await BlindGit.with(git.program, scratch, repository, { head: tip }, async (blind) => {
    const at = { workTree: folder, objects: join(common, 'objects'), timeoutMs: gitMs }
    const filtered = await filteredOf(blind, at, files)
    const left = [...filtered].map((path) => ({ path, why: 'git would have a program of its own read it first' }))
    const chosen = files.filter(({ path }) => !filtered.has(path))
    const entries: string[] = []
    const zero = '0'.repeat(tip.length)
    for (const { path, content } of chosen.toSorted(
      (a, b) => Number(a.content !== undefined) - Number(b.content !== undefined),
    )) {
      if (!content) {
        entries.push(`0 ${zero}\t${path}\0`)
        continue
      }
      const how = content.mode === '120000' ? ['--no-filters'] : [`--path=${path}`]
      const oid = await blind.run(['hash-object', '-w', '--stdin', ...how], { ...at, input: content.bytes })
      entries.push(`${content.mode} ${oid.trim()}\t${path}\0`)
    }
    const put = { input: entries.join('') }
    await blind.run(['read-tree', tip], at)
    await blind.run(['update-index', '-z', '--replace', '--index-info'], { ...at, ...put })
    const tree = (await blind.run(['write-tree'], at)).trim()
    if (tree === (await ask(['rev-parse', `${tip}^{tree}`])).trim()) {
      throw new GitRefusal(left.length > 0 ? (left[0]?.why ?? '') : `The branch ${branch} has all of it already.`)
    }
    const who = await identity(git, ask)
    const commit = await blind.run(['commit-tree', tree, '-p', tip, '-F', '-'], {
      ...at,
      input: messageOf(words),
      env: {
        GIT_AUTHOR_NAME: who.name,
        GIT_AUTHOR_EMAIL: who.email,
        GIT_COMMITTER_NAME: who.name,
        GIT_COMMITTER_EMAIL: who.email,
      },
    })
    const reason = 'hotline: changes that were kept'
    // Where somebody committed meanwhile, git refuses.
    const move = ['update-ref', '-m', reason, `refs/heads/${branch}`, commit.trim(), tip]
    await ask(['-c', 'core.hooksPath=/dev/null', ...move])
    const index = { ...at, index: join(admin, 'index') }
    await blind.run(['update-index', '-z', '--replace', '--index-info'], { ...index, ...put })
    // It notes what it sees of the files; those that differ are named by a failure.
    await blind.run(['update-index', '-q', '--refresh'], index).catch(() => undefined)
    const into = branchAt(common)
    const merge =
      into === undefined || into === branch ? undefined : await tryMerge(blind, ask, folder, into, commit.trim())
    return { commit: commit.trim(), branch, merge, left }
  })
}

/** Tried beside everything: what comes of it is thrown away. Undefined where nobody can tell. */
async function tryMerge(
  blind: BlindGit,
  ask: (args: readonly string[]) => Promise<string>,
  workTree: string,
  into: string,
  ours: string,
): Promise<WouldMerge | undefined> {
  try {
    const theirs = (await ask(['rev-parse', '--verify', '--quiet', `refs/heads/${into}^{commit}`])).trim()
    // An older git than 2.38 knows no such merge.
    const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', theirs, ours]
    const [, ...conflicts] = listed(await blind.run(args, { workTree, timeoutMs: gitMs, answers: [1] }))
    return { into, conflicts: conflicts.slice(0, conflictsMax) }
  } catch {
    return undefined
  }
}

/** The branch that is checked out where this git directory is. */
function branchAt(gitDir: string): string | undefined {
  return /^ref: refs\/heads\/(.+)$/m.exec(readFileSync(join(gitDir, 'HEAD'), 'utf8'))?.[1]
}

/** Files of which attributes say that a program makes what is committed out of what lies there, as Git LFS does. */
async function filteredOf(
  blind: BlindGit,
  at: { workTree: string; timeoutMs: number },
  files: readonly FileToCommit[],
): Promise<ReadonlySet<string>> {
  const input = files.map(({ path }) => `${path}\0`).join('')
  const told = await blind.run(['check-attr', '-z', '--stdin', 'filter'], { ...at, input })
  // Three at a time: path, attribute, value.
  const parts = listed(told)
  const filtered = new Set<string>()
  for (let start = 0; start + 2 < parts.length; start += 3) {
    const [path, , value] = parts.slice(start, start + 3)
    if (path !== undefined && value !== 'unspecified' && value !== 'unset') filtered.add(path)
  }
  return filtered
}

/** Who commits on this machine, as they have told git. */
async function identity(
  { home }: GitOf,
  ask: (args: readonly string[], env: Readonly<Record<string, string>>) => Promise<string>,
): Promise<{ name: string; email: string }> {
  const personal = home === undefined ? {} : { HOME: home, GIT_CONFIG_GLOBAL: join(home, '.gitconfig') }
  const [name, email] = await Promise.all(
    ['user.name', 'user.email'].map((key) => ask(['config', '--get', key], personal).catch(() => '')),
  )
  return { name: name?.trim() || 'Hotline', email: email?.trim() || 'hotline@localhost' }
}

function messageOf({ message, trailers }: CommitWords): string {
  const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
  return `${message.trim()}\n\n${trailers.map(([name, value]) => `${name}: ${oneLine(value)}`).join('\n')}\n`
}
