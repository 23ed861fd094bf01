import { existsSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'
import type { WasMerged } from '@hotline/protocol/events/draft'
import type { Bring, FolderView, Isolation } from '@hotline/protocol/place'
import { HeldFolder } from '../workspace/held-folder.ts'
import { sha256 } from '../sha256.ts'
import { type CopyBounds, Copier, copyBounds, CopyRefusal } from './bring.ts'
import { commitKept, type Committed, type FileToCommit } from './commit-kept.ts'
import type { CommitWords } from './commit-words.ts'
import { branchesOf } from './branches.ts'
import { lookAtFiles, type Loose, namedCount } from './look.ts'
import { mergeKept } from './merge-kept.ts'
import { type Placement, Placements, placementsFolder } from './placement.ts'
import { findRoot, gitFor, type GitOf, readRepository, type Repository } from './repository.ts'
import { GitRefusal } from './run-git.ts'
import { lookForWork } from './standing.ts'
import { addWorktree, removeWorktree } from './worktree.ts'

/** Why a place could not be made; the message is for people. */
export class PlaceRefusal extends Error {
  override readonly name = 'PlaceRefusal'
}

/** A place that was just made, and what is not in it. */
export interface Made {
  placement: Placement
  /** Files that were brought along. */
  brought: number
  /** Of a worktree. */
  lacks?: Pick<Loose, 'ignored' | 'nested'> & { uncommitted: readonly string[] }
}

/** What became of a place when its session was over. */
export interface Released {
  outcome: 'removed' | 'kept'
  placement: Placement
  uncommitted?: number | undefined
  commits?: number | undefined
  note?: string | undefined
}

type WithCommit = Repository & { commit: string }

/** Makes places for sessions to work in, under a folder of its own, and takes away those that hold nothing new. */
export class Isolator {
  readonly #folder: string
  readonly #git: GitOf | undefined
  readonly #placements: Placements
  readonly #bounds: CopyBounds

  constructor(of: {
    folder: string
    environment: Readonly<Record<string, string | undefined>>
    bounds?: CopyBounds | undefined
  }) {
    const { folder, environment, bounds = copyBounds } = of
    this.#folder = folder
    this.#bounds = bounds
    this.#placements = new Placements(placementsFolder(folder))
    this.#git = gitFor(environment)
  }

  /** Where a session works that has a place already. */
  known(session: string): Placement | undefined {
    return this.#placements.read(session)
  }

  /** What a folder is like, before anything is started there. `wish`: what its profile says of the ways to work. */
  async view(folder: string, wish: Isolation | 'by_folder'): Promise<FolderView> {
    const real = realFolder(folder)
    const { repository, whyNot } = await this.#repository(real)
    const standard = standardOf(wish, repository)
    const plain = { folder: real, standard, possible: possibleOf(repository), whyNot: whyNot?.(wish), others: [] }
    if (!repository || !this.#git) return plain
    const { root, branch, commit, gitDir } = repository
    const look = await lookAtFiles(this.#git.program, this.#scratch, repository, { workTree: root, indexOf: gitDir })
    return {
      ...plain,
      repository: { root, branch, commit },
      uncommitted: namedCount([...look.changed, ...look.removed]),
      ignored: namedCount(look.ignored),
      nested: namedCount(look.nested),
      included: namedCount(look.included),
    }
  }

  /** How a session works in a folder where nobody chose. */
  async standard(folder: string, wish: Isolation | 'by_folder'): Promise<Isolation> {
    if (wish !== 'worktree' && wish !== 'by_folder') return wish
    return standardOf(wish, (await this.#repository(realFolder(folder))).repository)
  }

  /** Makes the place of a session. Throws `PlaceRefusal`, and leaves nothing then. */
  async make(
    session: string,
    of: { folder: string; isolation: 'worktree' | 'copy'; bring: readonly Bring[]; title: string },
    signal: AbortSignal,
  ): Promise<Made> {
    this.#forget(session)
    const real = realFolder(of.folder)
    try {
      return of.isolation === 'copy'
        ? await this.#copy(session, real, signal)
        : await this.#worktree(session, real, of, signal)
    } catch (error) {
      this.#forget(session)
      if (!(error instanceof GitRefusal || error instanceof CopyRefusal || isOfSystem(error))) throw error
      const what = of.isolation === 'copy' ? 'copy of the folder' : 'worktree'
      throw new PlaceRefusal(`No ${what} could be made. ${(error as Error).message}`)
    }
  }

  /** It works in the folder itself, now and in later lives. */
  inPlace(session: string, folder: string): void {
    this.#placements.write(session, { isolation: 'in_place', cwd: folder, from: folder, isReady: true })
  }

  /** Its agent may start there now, and goes on there in later lives. */
  ready(session: string): void {
    const placement = this.#placements.read(session)
    if (placement) this.#placements.write(session, { ...placement, isReady: true })
  }

  /** The worktree of a session, on whose branch what is kept can be committed; undefined where it has none. */
  worktreeOf(session: string): { branch: string; cwd: string } | undefined {
    const { worktree, cwd } = this.#placements.read(session) ?? {}
    return worktree && cwd !== undefined && this.#git ? { branch: worktree.branch, cwd } : undefined
  }

  /** The branches that what is kept of a session could be merged into, the one that is checked out first. */
  async branches(session: string): Promise<readonly string[]> {
    const { worktree } = this.#placements.read(session) ?? {}
    if (!this.#git || !worktree) return []
    const { common, branch } = worktree
    const repository = await readRepository(this.#git, common)
    return await branchesOf(this.#git, this.#scratch, { settings: [], ...repository, common }, branch)
  }

  /**
   * Commits files of a session's folder there, and merges its branch into another one where that is wanted. Throws a
   * `GitRefusal`, with the reason in words for people; why it was not merged is told with the commit.
   */
  async commit(
    session: string,
    files: readonly FileToCommit[],
    words: CommitWords,
    into?: string,
  ): Promise<Omit<Committed, 'isNew' | 'entries'> & { merged?: WasMerged; unmerged?: string }> {
    const placement = this.#placements.read(session)
    const { worktree, folder, cwd } = placement ?? {}
    if (!this.#git || !placement || !worktree || folder === undefined || cwd === undefined) {
      throw new GitRefusal('The session has no worktree.')
    }
    const repository = await readRepository(this.#git, folder)
    if (!repository) throw new GitRefusal('The worktree is in no repository any more.')
    const within = relative(realpathSync(folder), realpathSync(cwd)).split(sep).join('/')
    const prefix = within === '' ? '' : `${within}/`
    const inRepository = files.map(({ path, content }) => ({ path: `${prefix}${path}`, content }))
    const of = { ...worktree, folder }
    const done = await commitKept(this.#git, this.#scratch, repository, of, inRepository, words)
    const { commit, branch, isNew, merge, entries } = done
    if (!isNew && into === undefined) throw new GitRefusal(`The branch ${branch} has all of it already.`)
    const reviewed = { ...worktree.reviewed, ...entries }
    this.#placements.write(session, { ...placement, worktree: { ...worktree, reviewed } })
    const left = done.left.map(({ path, why }) => ({ path: path.slice(prefix.length), why }))
    if (into === undefined) return { commit, branch, merge, left }
    const merging = { branch, commit, into, trailers: words.trailers, reviewed }
    try {
      const merged = await mergeKept(this.#git, this.#scratch, repository, merging)
      return { commit, branch, left, merge: undefined, ...merged }
    } catch (error) {
      return {
        commit,
        branch,
        left,
        merge: undefined,
        unmerged: error instanceof Error ? error.message : String(error),
      }
    }
  }

  /** The session is over for good: what holds nothing new goes. Undefined where there is nothing to say. */
  async release(session: string): Promise<Released | undefined> {
    const placement = this.#placements.read(session)
    if (!placement) return undefined
    const released = await this.#release(placement)
    if (released?.outcome !== 'kept') this.#placements.remove(session)
    else if (placement.isOver === true) return undefined
    else this.#placements.write(session, { ...placement, isOver: true })
    return released
  }

  /** What was kept of sessions that are over, and holds nothing any more that is not elsewhere. Answers what was removed. */
  async sweep(): Promise<readonly string[]> {
    const removed: string[] = []
    for (const [session, placement] of this.#placements.all()) {
      if (placement.isOver !== true) continue
      const released = await this.#release(placement)
      if (released?.outcome === 'kept') continue
      this.#placements.remove(session)
      if (released && placement.folder !== undefined) removed.push(placement.folder)
    }
    return removed
  }

  async #release(placement: Placement): Promise<Released | undefined> {
    const { folder, worktree: of } = placement
    if (folder === undefined || !existsSync(folder)) return undefined
    if (!of || !this.#git) return { outcome: 'kept', placement }
    try {
      const { uncommitted, commits } = await lookForWork(this.#git, this.#scratch, of, folder)
      if (commits > 0 || uncommitted > 0) return { outcome: 'kept', placement, uncommitted, commits }
      removeWorktree(of.common, { ...of, folder })
      return { outcome: 'removed', placement }
    } catch (error) {
      // Nobody can say what is in it: it stays.
      return { outcome: 'kept', placement, note: error instanceof Error ? error.message : String(error) }
    }
  }

  async #worktree(
    session: string,
    real: string,
    { bring, title }: { bring: readonly Bring[]; title: string },
    signal: AbortSignal,
  ): Promise<Made> {
    const { repository, whyNot } = await this.#repository(real)
    if (!repository || !this.#git) throw new GitRefusal(whyNot?.('worktree') ?? 'There is no git on this machine.')
    const { root, common, gitDir, commit } = repository
    const { program } = this.#git
    const folder = join(this.#folder, safeName(basename(root)), session)
    const branch = `hotline/${branchOf(title)}${sha256(session).slice(0, 8)}`
    const admin = join(common, 'worktrees', session)
    const cwd = join(folder, relative(root, real))
    const worktree = { common, admin, branch, base: commit }
    const placement: Placement = { isolation: 'worktree', cwd, folder, from: real, worktree, isReady: false }
    const loose = await lookAtFiles(program, this.#scratch, repository, { workTree: root, indexOf: gitDir, signal })
    this.#placements.write(session, placement)
    await addWorktree(program, this.#scratch, repository, { folder, admin, branch }, signal)
    const to = HeldFolder.open(folder)
    const copier = new Copier({ from: root, to, bounds: this.#bounds, signal })
    const bringsChanges = bring.includes('uncommitted')
    const bringsIgnored = bring.includes('ignored')
    try {
      if (bringsChanges) for (const path of loose.removed) copier.remove(path)
      const paths = [
        ...loose.included,
        ...(bringsChanges ? loose.changed : []),
        ...(bringsIgnored ? loose.ignored : []),
      ]
      for (const path of paths) await copier.copy(path.replace(/\/$/, ''))
    } finally {
      to[Symbol.dispose]()
    }
    // A folder that git knows nothing of: the agent was meant to work there all the same.
    mkdirSync(cwd, { recursive: true })
    const lacks = {
      uncommitted: bringsChanges ? [] : [...loose.changed, ...loose.removed],
      ignored: bringsIgnored ? [] : loose.ignored,
      nested: loose.nested,
    }
    return { placement, brought: copier.files + (bringsChanges ? loose.removed.length : 0), lacks }
  }

  async #copy(session: string, real: string, signal: AbortSignal): Promise<Made> {
    if (`${this.#folder}${sep}`.startsWith(`${real}${sep}`)) {
      throw new CopyRefusal('The folder holds what Hotline keeps itself.')
    }
    const folder = join(this.#folder, safeName(basename(real)), session)
    const placement: Placement = { isolation: 'copy', cwd: folder, folder, from: real, isReady: false }
    this.#placements.write(session, placement)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const to = HeldFolder.open(folder)
    const copier = new Copier({ from: real, to, bounds: this.#bounds, signal })
    try {
      // Where `.git` is a file it names a git directory that belongs to the original alone.
      await copier.copyAll((name, stats) => name === '.git' && !stats.isDirectory())
    } finally {
      to[Symbol.dispose]()
    }
    return { placement, brought: 0 }
  }

  /** What an earlier try has left. An agent was never in it. */
  #forget(session: string): void {
    const placement = this.#placements.read(session)
    if (!placement || placement.isReady) return
    const { folder, worktree } = placement
    if (folder !== undefined && worktree) removeWorktree(worktree.common, { ...worktree, folder })
    else if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    this.#placements.remove(session)
  }

  /** The repository of which there can be a worktree; otherwise why there can be none, where that is worth a word. */
  async #repository(
    real: string,
  ): Promise<{ repository?: WithCommit; whyNot?: (wish: Isolation | 'by_folder') => string | undefined }> {
    const onlyIfMeant = (why: string) => (wish: Isolation | 'by_folder') => (wish === 'worktree' ? why : undefined)
    if (!findRoot(real)) return { whyNot: onlyIfMeant(`"${real}" lies in no repository.`) }
    if (!this.#git) return { whyNot: () => 'There is no git on this machine, so there can be no worktree.' }
    const repository = await readRepository(this.#git, real)
    if (!repository) return { whyNot: onlyIfMeant(`"${real}" lies in no repository.`) }
    const { commit, refs } = repository
    if (commit === undefined) return { whyNot: () => 'The repository has no commit yet, so there can be no worktree.' }
    if (refs !== 'files') {
      return { whyNot: () => `The repository keeps its branches as "${refs}", which Hotline cannot write.` }
    }
    return { repository: { ...repository, commit } }
  }

  get #scratch(): string {
    return join(this.#folder, 'scratch')
  }
}

function standardOf(wish: Isolation | 'by_folder', repository: WithCommit | undefined): Isolation {
  if (wish === 'by_folder' || wish === 'worktree') return repository ? 'worktree' : 'in_place'
  return wish
}

function possibleOf(repository: WithCommit | undefined): Isolation[] {
  return [...(repository ? (['worktree'] as const) : []), 'copy', 'in_place']
}

function realFolder(folder: string): string {
  const real = realpathSync(folder)
  if (!statSync(real).isDirectory()) throw new PlaceRefusal(`"${folder}" is no folder.`)
  return real
}

function safeName(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9._-]/g, '_').replace(/^[.-]+/, '')
  return plain.slice(0, 60) || 'folder'
}

/** What a session is called, as a part of a branch's name. */
function branchOf(title: string): string {
  const plain = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')
  return plain === '' ? '' : `${plain}-`
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'code' in error && 'syscall' in error
}
