import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BranchName } from '@hotline/protocol/branch-name'
import type { WasMerged, WouldMerge } from '@hotline/protocol/events/draft'
import { BlindGit } from './blind-git.ts'
import type { BranchLock } from './branch-lock.ts'
import { bringAlong } from './bring-along.ts'
import { type Checkout, checkoutOf } from './checkouts.ts'
import { asAuthor, type CommitWords, identityOf, messageOf } from './commit-words.ts'
import type { GitOf, Repository } from './repository.ts'
import { GitRefusal, listed } from './run-git.ts'
import { namesOf, treeChanges } from './tree-changes.ts'

const gitMs = 60_000
/** Files that are named as conflicts. */
const conflictsMax = 50
/** How often somebody may commit there in between before it is said that it is too busy. */
const triesMax = 3

type Place = Pick<Repository, 'common' | 'settings' | 'excludesFile'>

/** A commit on a branch of ours, and the branch that it is to go into. */
export interface Merging {
  branch: string
  commit: string
  into: string
  trailers: CommitWords['trailers']
  /** What people have kept, by path: `mode oid`, or empty where the file is to be gone. */
  reviewed: Readonly<Record<string, string>>
}

/** It was merged, or there are conflicts and nothing has moved. */
export type Merged = { merged: WasMerged } | { merge: WouldMerge }

/**
 * Merges what was kept into a branch that a person chose: forward where that is enough, otherwise with a commit of its own.
 * Nothing goes there that people have not kept. It is done by plumbing, like the commit: nothing that the repository names is run,
 * and the branch moves from the commit that was looked at, or it is looked at again. Where it is checked out, its files come
 * along. Throws `GitRefusal`, and has moved nothing then.
 */
export async function mergeKept(git: GitOf, scratch: string, repository: Place, of: Merging): Promise<Merged> {
  const { into, branch } = of
  if (!BranchName.safeParse(into).success) throw new GitRefusal('That is no name of a branch.')
  if (into === branch) throw new GitRefusal('It is the branch on which it was committed.')
  refuseLink(repository.common, into)
  for (let tries = 0; tries < triesMax; tries += 1) {
    const done = await tryOnce(git, scratch, repository, of)
    if (done !== 'moved') return done
  }
  throw new GitRefusal(`Others commit on ${into} just now. Try it again.`)
}

/** How a commit would merge: tried beside everything, and what comes of it is thrown away. Undefined where nobody can tell. */
export async function wouldMerge(blind: BlindGit, commit: string, into: string): Promise<WouldMerge | undefined> {
  try {
    const theirs = await tipOf(blind, into)
    return theirs === undefined ? undefined : { into, conflicts: (await mergeTrees(blind, theirs, commit)).conflicts }
  } catch {
    return undefined
  }
}

async function tryOnce(git: GitOf, scratch: string, repository: Place, of: Merging): Promise<Merged | 'moved'> {
  const { common } = repository
  const { into, commit, branch } = of
  const who = await identityOf(git, common)
  const checkout = await checkoutOf(git, common, into)
  const sees = checkout ? { head: { branch: into, gitDir: checkout.gitDir } } : {}
  return await BlindGit.with(git.program, scratch, repository, { head: commit, sees }, async (blind) => {
    const theirs = await tipOf(blind, into)
    if (theirs === undefined) throw new GitRefusal(`There is no branch ${JSON.stringify(into)} in the repository.`)
    const at = { workTree: blind.emptyFolder, objects: join(common, 'objects'), timeoutMs: gitMs }
    const bases = lines(await blind.run(['merge-base', '--all', theirs, commit], { ...at, answers: [1] }))
    if (bases.includes(commit)) return { merged: { into, commit: theirs } }
    if (bases.length === 0) throw new GitRefusal(`${into} and ${branch} have no commit in common.`)
    await refuseUnseen(blind, at, bases, of)
    const message = messageOf({ message: `Merge branch '${branch}' into ${into}`, trailers: of.trailers })
    let result = commit
    if (!bases.includes(theirs)) {
      const { conflicts } = await mergeTrees(blind, theirs, commit)
      if (conflicts.length > 0) return { merge: { into, conflicts } }
      const { tree } = await mergeTrees(blind, theirs, commit, at.objects)
      const parents = ['-p', theirs, '-p', commit]
      const env = asAuthor(who)
      result = (await blind.run(['commit-tree', tree, ...parents, '-F', '-'], { ...at, env, input: message })).trim()
    }
    const reason = `hotline: merge ${branch}`
    const lock = await blind
      .lockBranch({ branch: into, from: theirs, to: result, reason, who })
      .catch(async (error: unknown) => {
        if ((await tipOf(blind, into)) === theirs) throw error
      })
    if (!lock) return 'moved'
    try {
      await move(git, blind, lock, checkout, { ...of, common, theirs, result, message })
    } finally {
      await lock[Symbol.asyncDispose]()
    }
    return { merged: { into, commit: result } }
  })
}

/** The branch, and the files of whoever has it checked out. */
async function move(
  git: GitOf,
  blind: BlindGit,
  lock: BranchLock,
  checkout: Checkout | undefined,
  of: Merging & { common: string; theirs: string; result: string; message: string },
): Promise<void> {
  const { common, into, theirs, result, commit, message } = of
  const now = await checkoutOf(git, common, into)
  if (now?.gitDir !== checkout?.gitDir) throw new GitRefusal(`Somebody checks ${into} out just now. Try it again.`)
  if (!now) return await lock.move()
  const changes = await treeChanges(blind, { workTree: blind.emptyFolder, timeoutMs: gitMs }, theirs, result)
  await bringAlong(blind, {
    checkout: now,
    branch: into,
    from: theirs,
    to: result,
    theirs: commit,
    changes,
    message,
    move: () => lock.move(),
  })
}

/** Whoever reviewed saw files and no commits: what the agent committed by itself does not go along unseen. */
async function refuseUnseen(
  blind: BlindGit,
  at: { workTree: string; timeoutMs: number },
  bases: readonly string[],
  { branch, into, commit, reviewed }: Merging,
): Promise<void> {
  const unseen = new Set<string>()
  for (const base of bases) {
    for (const { path, is } of await treeChanges(blind, at, base, commit)) if (reviewed[path] !== is) unseen.add(path)
  }
  if (unseen.size === 0) return
  const what = `${branch} has more than was kept here, and all of it would go into ${into}: ${namesOf([...unseen])}.`
  throw new GitRefusal(`${what} Look at it, and merge it yourself: git merge ${branch}`)
}

/** Beside everything, with no files but those of the commits: so no attribute counts but what is committed. */
async function mergeTrees(
  blind: BlindGit,
  theirs: string,
  ours: string,
  objects?: string,
): Promise<{ tree: string; conflicts: string[] }> {
  // An older git than 2.38 knows no such merge.
  const args = ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', theirs, ours]
  const at = {
    workTree: blind.emptyFolder,
    timeoutMs: gitMs,
    answers: [1],
    ...(objects === undefined ? {} : { objects }),
  }
  const [tree = '', ...conflicts] = listed(await blind.run(args, at))
  return { tree, conflicts: conflicts.slice(0, conflictsMax) }
}

async function tipOf(blind: BlindGit, branch: string): Promise<string | undefined> {
  const at = { workTree: blind.emptyFolder, timeoutMs: gitMs, answers: [1] }
  return lines(await blind.run(['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`], at))[0]
}

/** One branch may lead to another; moving it would make a branch of it. */
function refuseLink(common: string, branch: string): void {
  let text = ''
  try {
    text = readFileSync(join(common, 'refs/heads', branch), 'utf8')
  } catch {
    // It is packed, or not there.
  }
  if (text.startsWith('ref:')) throw new GitRefusal(`${branch} only leads to another branch.`)
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}
