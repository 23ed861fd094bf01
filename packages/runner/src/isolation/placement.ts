import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Isolation } from '@hotline/protocol/place'
import { z } from 'zod'

/** Where a session's agent works, as this machine remembers it: it outlives the runner. */
const Placement = z.object({
  isolation: Isolation,
  /** The folder that its agent works in. */
  cwd: z.string(),
  /** What was made for the session; absent: it works in the folder itself. */
  folder: z.string().optional(),
  /** The folder that it was taken from. */
  from: z.string(),
  /** Of a worktree. */
  worktree: z
    .object({
      common: z.string(),
      admin: z.string(),
      branch: z.string(),
      base: z.string(),
      /** What people have kept of its files and wanted committed: by path `mode oid`, or empty where it is to be gone. */
      reviewed: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
  /** False: the runner went while it was being made. */
  isReady: z.boolean(),
  /** Its session is over, and it was kept. */
  isOver: z.boolean().optional(),
})
export type Placement = z.infer<typeof Placement>

/** Where they are kept, in the folder of all places. */
export function placementsFolder(folder: string): string {
  return join(folder, 'sessions')
}

/** Keeps the places of sessions, each in a file of its own. */
export class Placements {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Undefined where there is none, or none that can be read. */
  read(session: string): Placement | undefined {
    try {
      return Placement.parse(JSON.parse(readFileSync(this.#file(session), 'utf8')))
    } catch {
      return undefined
    }
  }

  all(): readonly [session: string, placement: Placement][] {
    if (!existsSync(this.#folder)) return []
    return readdirSync(this.#folder).flatMap((name): [string, Placement][] => {
      const session = name.replace(/\.json$/, '')
      const placement = name.endsWith('.json') ? this.read(session) : undefined
      return placement ? [[session, placement]] : []
    })
  }

  /** When it was last written: of one whose session is over, since when it is kept. */
  writtenAt(session: string): Date | undefined {
    return statSync(this.#file(session), { throwIfNoEntry: false })?.mtime
  }

  write(session: string, placement: Placement): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const file = this.#file(session)
    writeFileSync(`${file}.new`, JSON.stringify(placement), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }

  remove(session: string): void {
    rmSync(this.#file(session), { force: true })
  }

  #file(session: string): string {
    return join(this.#folder, `${session}.json`)
  }
}
