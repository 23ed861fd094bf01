import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { makeDirectory } from '../config/data-dir.ts'
import { lifeFact } from '../log/log-life.ts'

/** A copy cannot be made or put back; the message says why and what to do. */
export class BackupRefused extends Error {
  override readonly name = 'BackupRefused'
}

/** What a server keeps, and where. */
export interface Kept {
  /** Absolute. */
  dataDir: string
  /** PostgreSQL; undefined for SQLite in the data directory. */
  databaseUrl: string | undefined
}

/** What lies beside the copied files and says what they are. */
interface Label {
  version: 1
  /** RFC 3339 in UTC. */
  takenAt: string
  database: 'sqlite' | 'postgres'
}

const labelFile = 'backup.json'
const databaseFile = 'hotline.db'
/**
 * Besides the database: content, files of messages, the keys that the server left for its own machine, and what its runner has not delivered.
 * What can be made anew, and the folders that agents work in, are not part of it.
 */
const parts = ['blobs', 'attachments', 'runner-key', 'cli-token', 'audit-key', join('runner', 'sessions')] as const

/**
 * Copies everything that a server keeps into a new folder, while it works. The log is copied first: what its events name
 * was there before them. With PostgreSQL the log is `pg_dump`'s to copy, and before this. Throws a `BackupRefused`, and
 * what the file system or SQLite throws; then the folder is not there.
 */
export function takeBackup({ dataDir, databaseUrl }: Kept, to: string, takenAt: string): void {
  if (existsSync(to)) throw new BackupRefused(`${to} exists already. Name a folder that does not.`)
  const log = join(dataDir, databaseFile)
  if (databaseUrl === undefined && !existsSync(log)) throw new BackupRefused(`There is no log in ${dataDir}.`)
  const partial = `${resolve(to)}.partial`
  rmSync(partial, { recursive: true, force: true })
  makeDirectory(partial)
  try {
    if (databaseUrl === undefined) copyDatabase(log, join(partial, databaseFile))
    for (const part of parts) copy(join(dataDir, part), join(partial, part))
    const label: Label = { version: 1, takenAt, database: databaseUrl === undefined ? 'sqlite' : 'postgres' }
    writeFileSync(join(partial, labelFile), `${JSON.stringify(label)}\n`, { mode: 0o600 })
    renameSync(partial, to)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    throw error
  }
}

/**
 * Puts a copy back into a data directory that has no log, and begins another life of the log, so that nobody joins what
 * they know to what comes now. With PostgreSQL the database has been put back before. Throws as `takeBackup`; then the data
 * directory has no log.
 */
export async function putBack(from: string, { dataDir, databaseUrl }: Kept, life: string): Promise<void> {
  const { database } = readLabel(from)
  const wanted = databaseUrl === undefined ? 'sqlite' : 'postgres'
  if (database !== wanted) {
    const advice = database === 'postgres' ? 'Set HOTLINE_DATABASE_URL.' : 'Leave HOTLINE_DATABASE_URL away.'
    throw new BackupRefused(`This copy is of a server with ${database}. ${advice}`)
  }
  const log = join(dataDir, databaseFile)
  if (existsSync(log)) {
    throw new BackupRefused(`${dataDir} has a log already. End its server and move the directory away first.`)
  }
  makeDirectory(resolve(dataDir))
  for (const part of parts) copy(join(from, part), join(dataDir, part))
  if (databaseUrl !== undefined) return await beginLifeOnPostgres(databaseUrl, life)
  const partial = `${log}.partial`
  copy(join(from, databaseFile), partial)
  beginLife(partial, life)
  sync(partial)
  renameSync(partial, log)
}

/** One transaction that reads, so the copy is of one moment, whatever is committed meanwhile; nothing erased is in it. */
function copyDatabase(from: string, to: string): void {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5_000 })
  try {
    source.prepare('VACUUM INTO ?').run(to)
  } finally {
    source.close()
  }
  sync(to)
  const copied = new DatabaseSync(to, { readOnly: true })
  try {
    const [found] = copied.prepare('PRAGMA quick_check(1)').all()
    if (found?.['quick_check'] !== 'ok') throw new BackupRefused(`The log in ${from} is damaged; it was not copied.`)
  } finally {
    copied.close()
  }
}

/** Whoever is told that there is a copy may pull the plug. */
function sync(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const writeLife =
  'INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value'

function beginLife(path: string, life: string): void {
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA synchronous = FULL')
    db.prepare(writeLife).run({ $1: lifeFact, $2: life })
  } finally {
    db.close()
  }
}

async function beginLifeOnPostgres(url: string, life: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(writeLife, [lifeFact, life])
  } finally {
    await client.end()
  }
}

/** What is being put just now; it was promised to nobody, and is somewhere else a moment later. */
const unfinished = [join('blobs', 'incoming'), join('attachments', 'incoming')]

/** What is not there is left out, also where it goes away meanwhile: content is deleted, and what was delivered is. */
function copy(from: string, to: string): void {
  if (unfinished.some((end) => from.endsWith(end))) return
  try {
    if (statSync(from).isDirectory()) {
      mkdirSync(to, { mode: 0o700, recursive: true })
      for (const name of readdirSync(from)) copy(join(from, name), join(to, name))
    } else cpSync(from, to, { preserveTimestamps: true, errorOnExist: false })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

function readLabel(from: string): Label {
  try {
    const label = JSON.parse(readFileSync(join(from, labelFile), 'utf8')) as Partial<Label>
    if (label.version === 1 && (label.database === 'sqlite' || label.database === 'postgres')) return label as Label
  } catch {
    // Not there, or of somebody else: the same for whoever asked.
  }
  throw new BackupRefused(`${from} is not a copy that this version of Hotline has taken.`)
}
