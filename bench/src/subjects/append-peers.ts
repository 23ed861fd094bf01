import { privatePostgresAvailability } from '@hotline/testing/postgres-binaries'
import { startPrivatePostgres } from '@hotline/testing/private-postgres'
import { type AppendSubject, Unavailable } from '../subject.ts'

function inScratch(name: string, script: string, references: readonly string[]): AppendSubject {
  return {
    name,
    references,
    writers: 1,
    script: new URL(`../peers/${script}`, import.meta.url),
    prepare: () => Promise.resolve({ url: '', [Symbol.asyncDispose]: () => Promise.resolve() }),
  }
}

/** On a PostgreSQL of its own, which is fresh for each sample and syncs as it does in real life. */
function onPostgres(name: string, script: string, references: readonly string[], writers = 1): AppendSubject {
  return {
    name,
    references,
    writers,
    script: new URL(`../peers/${script}`, import.meta.url),
    prepare: async () => {
      const availability = privatePostgresAvailability()
      if (!availability.available) throw new Unavailable(availability.reason)
      return await startPrivatePostgres()
    },
  }
}

/** The floor: a write into a preallocated file and `fdatasync`. */
export const fileAppend: AppendSubject = inScratch('preallocated file + fdatasync', 'append-file.ts', [])

/** A plain loop over node:sqlite, WAL, synchronous=FULL. */
export const sqliteAppend: AppendSubject = inScratch('raw node:sqlite, FULL', 'append-sqlite.ts', [fileAppend.name])

/** Our log on SQLite. */
export const hotlineSqliteAppend: AppendSubject = inScratch('hotline, SQLite', 'append-hotline.ts', [
  fileAppend.name,
  sqliteAppend.name,
])

/** A plain INSERT of several rows. */
export const postgresAppend: AppendSubject = onPostgres('PostgreSQL, plain INSERT', 'append-postgres.ts', [
  fileAppend.name,
])

/** Our log on PostgreSQL. */
export const hotlinePostgresAppend: AppendSubject = onPostgres('hotline, PostgreSQL', 'append-hotline.ts', [
  fileAppend.name,
  postgresAppend.name,
])

/** The same with eight stores that append to one stream at once: nothing may be lost between them. */
export const hotlinePostgresWriters: AppendSubject = onPostgres(
  'hotline, PostgreSQL, 8 writers',
  'append-hotline.ts',
  [postgresAppend.name],
  8,
)
