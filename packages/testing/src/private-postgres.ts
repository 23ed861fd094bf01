import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { findPostgresBinaries } from './postgres-binaries.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { createDatabaseOn, probeDatabase } from './postgres-databases.ts'
import type { DatabaseOptions } from './postgres-databases.ts'
import { launchPostgres, postgresEnvironment } from './postgres-process.ts'
import type { PostgresProcess } from './postgres-process.ts'
import { openTempDir } from './temp-dir.ts'
import type { TempDir } from './temp-dir.ts'
import { waitFor } from './wait-for.ts'

/** How a private cluster is set up. */
export interface PrivatePostgresOptions {
  /** `on` when absent, as in real life; `off` where only speed counts. */
  fsync?: 'on' | 'off'
  /** Further settings of postgresql.conf. */
  settings?: Readonly<Record<string, string>>
}

/** A PostgreSQL cluster of a test's own, on a free port of 127.0.0.1, in a temporary directory. */
export interface PrivatePostgres extends AsyncDisposable {
  /** Of the superuser, with its password, to the database `postgres`. Stays the same over restarts. */
  readonly url: string
  readonly port: number
  /** Holds the Unix socket and the data directory. */
  readonly directory: string
  /** What the server said so far, at most the last 256 KiB. */
  readonly log: string
  /** Creates a database of its own and gives its URL. Throws what the server throws. */
  createDatabase(options?: DatabaseOptions): Promise<string>
  /** Ends all processes of the cluster with SIGKILL and waits until they are gone. */
  kill9(): Promise<void>
  /** Starts the cluster again on the same port, after a clean stop if it runs, and waits until it answers. */
  restart(): Promise<void>
  /** Ends it without ado and removes its directory; a second call does nothing. */
  stop(): Promise<void>
}

/** Recovery after a kill, on a slow disk, takes seconds. */
const startDeadlineMs = 30_000

/** Another process may take the port between our look and the start: then the next one is tried. */
const portAttempts = 5

const logLimitChars = 256 * 1024

async function findFreePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Creates the files of a cluster. Throws an Error with the output when that fails. */
async function createCluster(binaries: PostgresBinaries, dataDirectory: string, passwordFile: string): Promise<void> {
  const command = join(binaries.directory, 'initdb')
  const place = ['--pgdata', dataDirectory, '--no-sync', '--no-instructions']
  const access = ['--username', 'hotline', '--pwfile', passwordFile, '--auth', 'scram-sha-256']
  const child = spawn(command, [...place, ...access, '--encoding', 'UTF8', '--no-locale'], {
    ...binaries.account,
    env: postgresEnvironment(),
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => output.push(bytes))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${command} failed with code ${code}: ${Buffer.concat(output).toString()}`)
}

async function startIn(
  directory: TempDir,
  binaries: PostgresBinaries,
  { fsync = 'on', settings = {} }: PrivatePostgresOptions,
): Promise<PrivatePostgres> {
  const { account } = binaries
  const dataDirectory = join(directory.path, 'data')
  const passwordFile = join(directory.path, 'password')
  // A password, because other accounts of this machine reach 127.0.0.1 too, and a superuser can run programs.
  const password = randomBytes(18).toString('hex')
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (account !== undefined) {
    for (const path of [directory.path, passwordFile]) await chown(path, account.uid, account.gid)
  }
  await createCluster(binaries, dataDirectory, passwordFile)

  let log = ''
  let server: PostgresProcess | undefined
  const urlFor = (port: number): string => `postgres://hotline:${password}@127.0.0.1:${port}/postgres`
  const end = async (signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> => {
    await server?.end(signal)
    server = undefined
  }
  const start = async (port: number): Promise<void> => {
    server = await launchPostgres({
      binaries,
      directory: directory.path,
      dataDirectory,
      settings: {
        listen_addresses: '127.0.0.1',
        port: String(port),
        unix_socket_directories: directory.path,
        max_connections: '200',
        fsync,
        ...settings,
      },
      onLog: (text) => {
        log = (log + text).slice(-logLimitChars)
      },
    })
    try {
      await waitFor(() => probeDatabase(urlFor(port)).then(() => true), {
        what: 'PostgreSQL to answer',
        deadlineMs: startDeadlineMs,
        signal: server.gone,
      })
    } catch (error) {
      await end('SIGKILL')
      throw new Error(`PostgreSQL did not start: ${log}`, { cause: error })
    }
  }

  const startOnFreePort = async (attemptsLeft: number): Promise<number> => {
    const port = await findFreePort()
    try {
      await start(port)
      return port
    } catch (error) {
      if (attemptsLeft === 1 || !log.includes('could not bind')) throw error
      log = ''
      return startOnFreePort(attemptsLeft - 1)
    }
  }
  const port = await startOnFreePort(portAttempts)
  const url = urlFor(port)
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= end('SIGQUIT').then(() => directory.remove())
    return stopped
  }
  return {
    url,
    port,
    directory: directory.path,
    get log() {
      return log
    },
    createDatabase: (databaseOptions) => createDatabaseOn(url, databaseOptions),
    kill9: () => end('SIGKILL'),
    async restart() {
      await end('SIGINT')
      await start(port)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Starts a private cluster. Throws an Error with the reason when there are no binaries or it does not start. */
export async function startPrivatePostgres(options: PrivatePostgresOptions = {}): Promise<PrivatePostgres> {
  const search = findPostgresBinaries()
  if (search.kind === 'missing') throw new Error(search.reason)
  const directory = await openTempDir('hotline-pg-')
  try {
    return await startIn(directory, search.binaries, options)
  } catch (error) {
    await directory.remove()
    throw error
  }
}
