import { type Dirent, lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../workspace/held-folder.ts'
import type { BlindGit } from './blind-git.ts'
import { branchAt, type Checkout } from './checkouts.ts'
import { GitRefusal, listed } from './run-git.ts'
import { filteredOf, namesOf, nestedMode, type TreeChange } from './tree-changes.ts'

const lookMs = 60_000
/** Writing the files of a large merge. When it passes, git is ended, and what it left is named. */
const writeMs = 300_000

/** A branch with files of somebody, and where it goes. */
export interface Bringing {
  checkout: Checkout
  branch: string
  from: string
  to: string
  /** The commit that is merged. */
  theirs: string
  changes: readonly TreeChange[]
  /** Of the merge, for whoever has to end it. */
  message: string
  /** Moves the branch; nobody else can meanwhile. */
  move: () => Promise<void>
}

/**
 * Brings index and files of a checkout along with its branch, in the order in which git merges: first it says that a merge is
 * under way, then come the files with the index, then the branch. So whoever finds it half done reads in `git status` what it is,
 * `git commit` ends it and `git merge --abort` takes it back. No file is touched that is not as the commit has it: that is looked
 * for before, to say it by name, and git looks itself under its lock. Throws `GitRefusal`; nothing has changed then, unless it says so.
 */
export async function bringAlong(blind: BlindGit, of: Bringing): Promise<void> {
  const { checkout, branch, from, to } = of
  await refuseWhatIsInTheWay(blind, of)
  const { gitDir, folder } = checkout
  const index = join(gitDir, 'index')
  const at = { workTree: folder, index, timeoutMs: writeMs }
  const endMerge = sayMerge(checkout, of)
  try {
    // They may have gone elsewhere meanwhile; from now on git keeps them from it.
    if (branchAt(gitDir) !== branch) throw new GitRefusal(`${branch} is not checked out there any more. Try it again.`)
    // It notes what it sees of the files; those that differ are named by a failure.
    await blind.run(['update-index', '-q', '--refresh'], at).catch(() => undefined)
    await blind.run(['read-tree', '-m', '-u', from, to], at)
  } catch (error) {
    endMerge()
    throw await whatIsLeft(blind, of, error)
  }
  try {
    await of.move()
  } catch (error) {
    // Where it cannot go back either, the merge stays under way, as git says it.
    await blind.run(['read-tree', '-m', '-u', to, from], at)
    endMerge()
    throw error
  }
  endMerge()
}

/** Says in the way of git that a merge is under way there. Answers how it is over. */
function sayMerge({ gitDir, folder }: Checkout, { theirs, message }: Bringing): () => void {
  if (!writeNew(join(gitDir, 'MERGE_HEAD'), `${theirs}\n`)) {
    throw new GitRefusal(`A merge is under way in ${JSON.stringify(folder)}. End it first.`)
  }
  // What they have begun to write themselves is theirs.
  const names = ['MERGE_MSG', 'MERGE_MODE'].filter((name) =>
    writeNew(join(gitDir, name), name === 'MERGE_MSG' ? message : ''),
  )
  return () => {
    for (const name of [...names, 'MERGE_HEAD']) rmSync(join(gitDir, name), { force: true })
  }
}

function writeNew(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    return false
  }
}

/** By name, what keeps a merge from being brought along. */
async function refuseWhatIsInTheWay(blind: BlindGit, { checkout, to, changes }: Bringing): Promise<void> {
  const { folder } = checkout
  const index = join(checkout.gitDir, 'index')
  const at = { workTree: folder, index, timeoutMs: lookMs }
  const paths = changes.map(({ path }) => path)
  const refuse = (why: string, found: readonly string[]): void => {
    if (found.length > 0) throw new GitRefusal(`${why} in ${JSON.stringify(folder)}: ${namesOf(found)}.`)
  }
  const nested = changes.filter(({ was, is }) => [was, is].some((entry) => entry.startsWith(nestedMode)))
  refuse(
    'A repository inside of it would be another one',
    nested.map(({ path }) => path),
  )
  const status = ['status', '--porcelain=v1', '-z', '--no-renames', '--ignore-submodules=all', '--untracked-files=no']
  const [told, flags] = await Promise.all([blind.run(status, at), blind.run(['ls-files', '-v', '-z'], at)])
  const states = listed(told).map((entry) => ({ state: entry.slice(0, 2), path: entry.slice(3) }))
  const unmerged = states.filter(({ state }) => /U|AA|DD/.test(state))
  refuse(
    'There are conflicts that nobody has resolved',
    unmerged.map(({ path }) => path),
  )
  const touched = new Set(paths)
  const isOther = (path: string): boolean => touched.has(path)
  refuse('There are changes that are not committed', states.map(({ path }) => path).filter(isOther))
  const flagged = listed(flags).map((entry) => ({ flag: entry.slice(0, 1), path: entry.slice(2) }))
  refuse(
    'Files are left out there (a sparse checkout)',
    flagged.filter(({ flag }) => flag.toUpperCase() === 'S').map(({ path }) => path),
  )
  refuse(
    'Files are marked as not to be looked at (assume-unchanged)',
    flagged.filter(({ flag, path }) => flag !== flag.toUpperCase() && isOther(path)).map(({ path }) => path),
  )
  // As they are there, and as the merge will have them.
  await blind.run(['read-tree', to], { workTree: blind.emptyFolder, timeoutMs: lookMs })
  const filtered = [
    ...(await filteredOf(blind, at, paths)),
    ...(await filteredOf(blind, { workTree: blind.emptyFolder, timeoutMs: lookMs }, paths, ['--cached'])),
  ]
  refuse('Git would have a program of its own write files', [...new Set(filtered)])
  refuse('Something that git does not know is in the way', inTheWay(folder, changes))
}

/** Where a file would come and something lies that is in no commit, ignored or not. */
function inTheWay(folder: string, changes: readonly TreeChange[]): readonly string[] {
  const going = new Set(changes.filter(({ is }) => is === '').map(({ path }) => path))
  const found = new Set<string>()
  for (const { path, was } of changes) {
    if (was !== '') continue
    const parts = path.split('/')
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const part = parts.slice(0, depth).join('/')
      const stats = lstatSync(join(folder, part), { throwIfNoEntry: false })
      if (!stats) break
      if (!stats.isDirectory()) {
        if (!going.has(part)) found.add(part)
        break
      }
      if (depth === parts.length) for (const inside of allIn(folder, part)) if (!going.has(inside)) found.add(inside)
    }
  }
  return [...found]
}

function allIn(folder: string, path: string): readonly string[] {
  const entries: readonly Dirent[] = readdirSync(join(folder, path), { withFileTypes: true })
  return entries.flatMap((entry) =>
    entry.isDirectory() ? allIn(folder, `${path}/${entry.name}`) : [`${path}/${entry.name}`],
  )
}

/** Git says itself what it refuses before it begins; where it could not go on, files are named that are new already. */
async function whatIsLeft(blind: BlindGit, { checkout, changes }: Bringing, error: unknown): Promise<unknown> {
  const { gitDir, folder } = checkout
  const at = { workTree: folder, index: join(gitDir, 'index'), timeoutMs: lookMs }
  const differ = new Set(listed(await blind.run(['diff-files', '--name-only', '-z'], at).catch(() => '')))
  const half = changes.filter(({ path, was }) =>
    was === '' ? lstatSync(join(folder, path), { throwIfNoEntry: false }) !== undefined : differ.has(path),
  )
  if (half.length === 0) return error
  const why = error instanceof Error ? error.message : String(error)
  const names = namesOf(half.map(({ path }) => path))
  return new GitRefusal(`Git could not write all files in ${JSON.stringify(folder)}. Look at ${names}. ${why}`)
}
