import { privatePostgresAvailability } from '@hotline/testing/postgres-binaries'
import { startPrivatePostgres } from '@hotline/testing/private-postgres'
import { type AppendSubject, Unavailable } from '../subject.ts'

function inScratch(name: string, script: string, references: readonly string[]): AppendSubject {
  return {
    name,
    references,
    script: new URL(`../peers/${script}`, import.meta.url),
    prepare: () => Promise.resolve({ url: '', [Symbol.asyncDispose]: () => Promise.resolve() }),
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

/** A plain INSERT of several rows into a PostgreSQL of its own. */
export const postgresAppend: AppendSubject = {
  name: 'PostgreSQL, plain INSERT',
  references: [fileAppend.name],
  script: new URL('../peers/append-postgres.ts', import.meta.url),
  prepare: async () => {
    const availability = privatePostgresAvailability()
    if (!availability.available) throw new Unavailable(availability.reason)
    return await startPrivatePostgres()
  },
}
