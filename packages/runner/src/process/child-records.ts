import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** A child as it is written down before anything is said to it, so that a later life of the runner can end it. */
const ChildRecord = z.object({
  pid: z.int().min(2),
  startTicks: z.int().min(0),
  bootId: z.string(),
  run: z.string().min(16),
  session: z.string(),
  /** Processes that keep the namespace of its run. */
  wrappers: z.array(z.int().min(2)).readonly().optional(),
  /** The control group of its run, which no other run has. */
  cgroup: z
    .string()
    .regex(/^\/.*\/hotline-[0-9a-f]+$/)
    .optional(),
})
export type ChildRecord = z.infer<typeof ChildRecord>

/** The children of this runner, one small file each: written whole or not at all, and nothing to repair. */
export interface ChildRecords {
  /** Throws where the disk refuses: a child that cannot be recorded must not be used. */
  keep(record: ChildRecord): void
  forget(record: ChildRecord): void
  /** What earlier lives left behind; unreadable files are removed. */
  list(): readonly ChildRecord[]
}

/** Opens the folder of records, making it where it does not exist. */
export function openChildRecords(folder: string): ChildRecords {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const fileOf = ({ pid, startTicks }: ChildRecord): string => join(folder, `${pid}-${startTicks}.json`)
  return {
    keep: (record) => {
      const fd = openSync(fileOf(record), 'w', 0o600)
      try {
        writeSync(fd, JSON.stringify(record))
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    },
    forget: (record) => rmSync(fileOf(record), { force: true }),
    list: () => {
      const records: ChildRecord[] = []
      for (const name of readdirSync(folder)) {
        const record = readRecord(join(folder, name))
        if (record) records.push(record)
        else rmSync(join(folder, name), { force: true })
      }
      return records
    },
  }
}

/** Undefined for a file that was cut short by a crash: its child was never used. */
function readRecord(file: string): ChildRecord | undefined {
  try {
    return ChildRecord.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  } catch {
    return undefined
  }
}
