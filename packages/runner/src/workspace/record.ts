import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** What is known of a session's files beside the snapshots: it outlives the runner. */
const Record = z.object({
  /** The folder that its agent works in. */
  root: z.string(),
  /** The agent had the files when this was written. */
  isBusy: z.boolean(),
  /** Files that a person keeps as they were then, each with the digest of that. */
  kept: z.record(z.string(), z.string()).optional(),
})
export type WorkspaceRecord = z.infer<typeof Record>

/** Keeps the records of sessions, each in a file of its own. */
export class WorkspaceRecords {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Undefined where there is none, or none that can be read. */
  read(session: string): WorkspaceRecord | undefined {
    try {
      return Record.parse(JSON.parse(readFileSync(this.#file(session), 'utf8')))
    } catch {
      return undefined
    }
  }

  write(session: string, record: WorkspaceRecord): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const file = this.#file(session)
    writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }

  remove(session: string): void {
    rmSync(this.#file(session), { force: true })
  }

  #file(session: string): string {
    return join(this.#folder, `${session}.json`)
  }
}
