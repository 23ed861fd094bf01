import { readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { isExecutable } from './executable.ts'

/** The environment variable with the URL of a PostgreSQL server to use instead of a private one. */
export const postgresUrlVariable = 'HOTLINE_TEST_POSTGRES_URL'

/** Whether tests can have a PostgreSQL, and in plain words why not. */
export type PostgresAvailability = { readonly available: true } | { readonly available: false; readonly reason: string }

/** An account of this machine. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

/** What a private cluster is started with. */
export interface PostgresBinaries {
  /** Holds `initdb` and `postgres`. */
  readonly directory: string
  /** PostgreSQL refuses to run as root: the account that it runs as instead; undefined to run as we do. */
  readonly account: Account | undefined
}

/** The outcome of the search. */
export type PostgresSearch =
  | { readonly kind: 'found'; readonly binaries: PostgresBinaries }
  | { readonly kind: 'missing'; readonly reason: string }

/** Where Debian and its relatives keep each major version. */
const versionsDirectory = '/usr/lib/postgresql'

function listVersions(): string[] {
  try {
    return readdirSync(versionsDirectory).toSorted((a, b) => Number(b) - Number(a))
  } catch {
    return []
  }
}

function findAccount(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

/** Looks for installed binaries (the newest version first, then PATH) and, for root, for an account to run them. */
export function findPostgresBinaries(): PostgresSearch {
  const directories = [
    ...listVersions().map((version) => join(versionsDirectory, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ]
  const directory = directories.find((path) => ['initdb', 'postgres'].every((name) => isExecutable(join(path, name))))
  if (directory === undefined) {
    return {
      kind: 'missing',
      reason: `no PostgreSQL server is installed (looked for initdb and postgres in ${versionsDirectory}/*/bin and PATH), and ${postgresUrlVariable} is not set`,
    }
  }
  if (process.getuid?.() !== 0) return { kind: 'found', binaries: { directory, account: undefined } }
  const account = findAccount('postgres') ?? findAccount('nobody')
  if (account === undefined) {
    return {
      kind: 'missing',
      reason: 'PostgreSQL does not run as root, and there is neither an account postgres nor nobody to run it',
    }
  }
  return { kind: 'found', binaries: { directory, account } }
}

/** Whether tests can have a PostgreSQL of either kind, so that they can be skipped with a reason. */
export function postgresAvailability(): PostgresAvailability {
  return (process.env[postgresUrlVariable] ?? '') === '' ? privatePostgresAvailability() : { available: true }
}

/** Whether a private cluster can be started, for tests that must be able to kill it. */
export function privatePostgresAvailability(): PostgresAvailability {
  const search = findPostgresBinaries()
  return search.kind === 'found' ? { available: true } : { available: false, reason: search.reason }
}
