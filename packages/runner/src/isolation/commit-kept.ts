import { join } from 'node:path'
import type { WouldMerge } from '@hotline/protocol/events/draft'
import { BlindGit } from './blind-git.ts'
import { branchAt } from './checkouts.ts'
import { asAuthor, type CommitWords, identityOf, messageOf } from './commit-words.ts'
import { wouldMerge } from './merge-kept.ts'
import type { GitOf, Repository } from './repository.ts'
import { GitRefusal, runGit } from './run-git.ts'
import { filteredOf } from './tree-changes.ts'
import type { Worktree } from './worktree.ts'

const gitMs = 20_000

/** A file as it shall be in the commit; without content it is not there. Paths are those of the repository. */
export interface FileToCommit {
  path: string
  content?: { mode: '100644' | '100755' | '120000'; bytes: Uint8Array } | undefined
}

/** What became of it. */
export interface Committed {
  commit: string
  branch: string
  /** False: the branch had all of it already, and this is its commit. */
  isNew: boolean
  /** How the branch would merge into the one that is checked out in the repository; undefined where nobody can tell. */
  merge: WouldMerge | undefined
  /** What is in it of the files: by path `mode oid`, or empty where the file is not there. */
  entries: Readonly<Record<string, string>>
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
  const sees = { head: { branch, gitDir: admin } }
  return await BlindGit.with(git.program, scratch, repository, { head: tip, sees }, async (blind) => {
    const at = { workTree: folder, objects: join(common, 'objects'), timeoutMs: gitMs }
    const paths = files.map(({ path }) => path)
    const filtered = await filteredOf(blind, at, paths)
    const left = [...filtered].map((path) => ({ path, why: 'git would have a program of its own read it first' }))
    const chosen = files.filter(({ path }) => !filtered.has(path))
    const entries: Record<string, string> = {}
    const zero = '0'.repeat(tip.length)
    // What goes comes first: a file may take the place of a folder.
    for (const { path, content } of chosen.toSorted(
      (a, b) => Number(a.content !== undefined) - Number(b.content !== undefined),
    )) {
      entries[path] = ''
      if (!content) continue
      const how = content.mode === '120000' ? ['--no-filters'] : [`--path=${path}`]
      const oid = await blind.run(['hash-object', '-w', '--stdin', ...how], { ...at, input: content.bytes })
      entries[path] = `${content.mode} ${oid.trim()}`
    }
    const put = {
      input: Object.entries(entries)
        .map(([path, entry]) => `${entry === '' ? `0 ${zero}` : entry}\t${path}\0`)
        .join(''),
    }
    await blind.run(['read-tree', tip], at)
    await blind.run(['update-index', '-z', '--replace', '--index-info'], { ...at, ...put })
    const tree = (await blind.run(['write-tree'], at)).trim()
    if (tree === (await ask(['rev-parse', `${tip}^{tree}`])).trim()) {
      const [first] = left
      if (first && chosen.length === 0) throw new GitRefusal(first.why)
      return { commit: tip, branch, isNew: false, merge: undefined, entries, left }
    }
    const who = await identityOf(git, admin)
    const saying = { input: messageOf(words), env: asAuthor(who) }
    const commit = (await blind.run(['commit-tree', tree, '-p', tip, '-F', '-'], { ...at, ...saying })).trim()
    // Where somebody committed meanwhile, git refuses.
    const reason = 'hotline: changes that were kept'
    const lock = await blind.lockBranch({ branch, from: tip, to: commit, reason, who })
    try {
      await lock.move()
    } finally {
      await lock[Symbol.asyncDispose]()
    }
    const index = { ...at, index: join(admin, 'index') }
    await blind.run(['update-index', '-z', '--replace', '--index-info'], { ...index, ...put })
    // It notes what it sees of the files; those that differ are named by a failure.
    await blind.run(['update-index', '-q', '--refresh'], index).catch(() => undefined)
    const into = branchAt(common)
    const merge = into === undefined || into === branch ? undefined : await wouldMerge(blind, commit, into)
    return { commit, branch, isNew: true, merge, entries, left }
  })
}
