import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { findRoot, type GitOf } from './repository.ts'
import { GitRefusal, runGit } from './run-git.ts'

const configMs = 20_000

/** A place where a branch is checked out. */
export interface Checkout {
  /** Of it alone: its index is there. */
  gitDir: string
  folder: string
}

/** Something that a person has begun there and not ended, by the file that git keeps of it. */
const beginnings: readonly [file: string, what: string][] = [
  ['MERGE_HEAD', 'merge'],
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['sequencer', 'cherry-pick or revert'],
  ['BISECT_LOG', 'bisect'],
]

/** The branch that is checked out where this git directory is. */
export function branchAt(gitDir: string): string | undefined {
  return /^ref: refs\/heads\/(.+)$/m.exec(readFileSync(join(gitDir, 'HEAD'), 'utf8'))?.[1]
}

/**
 * Where a branch is checked out; undefined: nowhere, so that nobody's files are of it. Throws a `GitRefusal` where it is in use
 * in a way that leaves no place to go to.
 */
export async function checkoutOf(git: GitOf, common: string, branch: string): Promise<Checkout | undefined> {
  const found: Checkout[] = []
  for (const gitDir of gitDirsOf(common)) {
    const isHere = branchAt(gitDir) === branch && (gitDir !== common || !(await isBare(git, common)))
    const folder = gitDir === common ? mainFolder(common) : linkedFolder(gitDir)
    const begun = whatIsBegun(gitDir)
    if (begun !== undefined && (isHere || isHeld(gitDir, branch))) {
      throw new GitRefusal(`A ${begun} is under way in ${JSON.stringify(folder ?? gitDir)}. End it first.`)
    }
    if (!isHere) continue
    if (folder === undefined || (gitDir === common && (await hasOtherFolder(git, common)))) {
      throw new GitRefusal(`${branch} is checked out where its files are not to be found (${JSON.stringify(gitDir)}).`)
    }
    found.push({ gitDir, folder })
  }
  if (found.length > 1) throw new GitRefusal(`${branch} is checked out in several places.`)
  return found[0]
}

function gitDirsOf(common: string): readonly string[] {
  const linked = join(common, 'worktrees')
  const names = existsSync(linked) ? readdirSync(linked) : []
  return [common, ...names.map((name) => join(linked, name))].filter((gitDir) => existsSync(join(gitDir, 'HEAD')))
}

function whatIsBegun(gitDir: string): string | undefined {
  return beginnings.find(([file]) => existsSync(join(gitDir, file)))?.[1]
}

/** Whether what was begun there will move the branch, or go back to it, although another commit is checked out now. */
function isHeld(gitDir: string, branch: string): boolean {
  const says = (file: string): readonly string[] =>
    existsSync(join(gitDir, file)) ? readFileSync(join(gitDir, file), 'utf8').split('\n') : []
  const rebased = ['rebase-merge/head-name', 'rebase-merge/update-refs', 'rebase-apply/head-name'].flatMap(says)
  return rebased.includes(`refs/heads/${branch}`) || says('BISECT_START').includes(branch)
}

/** The files beside a `.git`, where that is what it is. */
function mainFolder(common: string): string | undefined {
  const folder = dirname(common)
  return basename(common) === '.git' && findRoot(folder)?.gitDir === realpathSync(common) ? folder : undefined
}

/** The files of a linked worktree, where both sides say so. */
function linkedFolder(gitDir: string): string | undefined {
  const named = join(gitDir, 'gitdir')
  if (!existsSync(named)) return undefined
  const folder = dirname(resolve(gitDir, readFileSync(named, 'utf8').trim()))
  if (!existsSync(join(folder, '.git'))) return undefined
  const back = findRoot(folder)
  return back && existsSync(back.gitDir) && realpathSync(back.gitDir) === realpathSync(gitDir) ? folder : undefined
}

async function isBare(git: GitOf, common: string): Promise<boolean> {
  return (await setting(git, common, ['--type=bool', 'core.bare'])) === 'true'
}

async function hasOtherFolder(git: GitOf, common: string): Promise<boolean> {
  return (await setting(git, common, ['core.worktree'])) !== ''
}

/** Git says by its exit code that there is none. */
async function setting({ program }: GitOf, common: string, which: readonly string[]): Promise<string> {
  const args = ['config', '--get', ...which]
  const env = { GIT_DIR: common }
  return (await runGit({ program, args, cwd: common, env, answers: [1], timeoutMs: configMs })).trim()
}
