import { existsSync, type Dirent, rmSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Placement, Placements, placementsFolder } from './placement.ts'
import { type GitOf, gitFor } from './repository.ts'
import { lookForWork, type OwnWork } from './standing.ts'
import { removeWorktree } from './worktree.ts'

/** Files of one place that are measured; of a larger one the size is told as at least that. */
const measuredMax = 200_000

/** A worktree or a copy on this machine. */
export interface KeptPlace {
  session: string
  isolation: 'worktree' | 'copy'
  folder: string
  /** The folder that it was taken from. */
  from: string
  branch?: string
  /** True while its session is not over: it may work there again. */
  inUse: boolean
  /** When it was last written down: of one that is not in use, since when it is kept. */
  since: string
  sizeBytes: number
  /** There is more than was measured. */
  isLarger: boolean
  /** Of a worktree, what it holds that is nowhere else; absent where nobody can say. */
  work?: OwnWork
  /** What has to be named to remove it although it holds, or may hold, something. */
  name: string
}

/** Why a place stays. */
export type StaysBecause = 'in_use' | 'has_work' | 'unknown' | 'not_there'

/** The places of one data directory, for people: to see what they take, and to take one away. */
export class KeptPlaces {
  readonly #placements: Placements
  readonly #git: GitOf | undefined
  readonly #scratch: string

  /** `folder`: that of all places. */
  constructor(folder: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#placements = new Placements(placementsFolder(folder))
    this.#git = gitFor(environment)
    this.#scratch = join(folder, 'scratch')
  }

  /** Those that are there, the oldest first. */
  async list(): Promise<readonly KeptPlace[]> {
    const places: KeptPlace[] = []
    for (const [session, placement] of this.#placements.all()) {
      const place = await this.#look(session, placement)
      if (place) places.push(place)
    }
    return places.toSorted((one, other) => one.since.localeCompare(other.since))
  }

  /**
   * Takes one away. What holds work that is nowhere else, and a copy, goes only where `named` is its name; a branch with
   * commits of its own stays in its repository. Answers why it stays, or nothing.
   */
  async remove(session: string, named: string | undefined): Promise<StaysBecause | undefined> {
    const placement = this.#placements.read(session)
    const place = placement && (await this.#look(session, placement))
    if (!placement || !place) return 'not_there'
    if (place.inUse) return 'in_use'
    if (named !== place.name) {
      if (!place.work) return 'unknown'
      if (place.work.uncommitted > 0 || place.work.commits > 0) return 'has_work'
    }
    if (placement.worktree) removeWorktree(placement.worktree.common, { ...placement.worktree, folder: place.folder })
    else rmSync(place.folder, { recursive: true, force: true })
    this.#placements.remove(session)
    return undefined
  }

  async #look(session: string, placement: Placement): Promise<KeptPlace | undefined> {
    const { folder, from, isolation, worktree, isOver } = placement
    if (folder === undefined || isolation === 'in_place' || !existsSync(folder)) return undefined
    const work = worktree && this.#git && (await this.#work(this.#git, worktree, folder))
    return {
      session,
      isolation,
      folder,
      from,
      ...(worktree ? { branch: worktree.branch } : {}),
      inUse: isOver !== true,
      since: (this.#placements.writtenAt(session) ?? new Date(0)).toISOString(),
      ...(await measure(folder)),
      ...(work ? { work } : {}),
      name: worktree?.branch ?? basename(from),
    }
  }

  async #work(git: GitOf, worktree: NonNullable<Placement['worktree']>, folder: string): Promise<OwnWork | undefined> {
    try {
      return await lookForWork(git, this.#scratch, worktree, folder)
    } catch {
      // A repository that was moved, or that git cannot read: nobody can say what is in it.
      return undefined
    }
  }
}

/** What the files of a folder take; links are not followed. */
async function measure(folder: string): Promise<{ sizeBytes: number; isLarger: boolean }> {
  let sizeBytes = 0
  let files = 0
  const folders = [folder]
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    // What cannot be read, or went meanwhile, is not counted.
    const entries: Dirent[] = await readdir(at, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = join(at, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else sizeBytes += await lstat(path).then(sizeOf, () => 0)
      files += 1
      if (files >= measuredMax) return { sizeBytes, isLarger: true }
    }
  }
  return { sizeBytes, isLarger: false }
}

/** What it takes on the disk, where the file system says so. */
function sizeOf({ size, blocks }: { size: number; blocks: number }): number {
  return blocks > 0 ? blocks * 512 : size
}
