import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { guardChildren } from '../src/child-guard.ts'
import { findPostgresBinaries, postgresAvailability, postgresUrlVariable } from '../src/postgres-binaries.ts'
import { databaseName } from '../src/postgres-databases.ts'
import { startPrivatePostgres } from '../src/private-postgres.ts'
import type { PrivatePostgres } from '../src/private-postgres.ts'
import { findDescendants, findProcess, listProcesses } from '../src/process-list.ts'
import { openTestPostgres } from '../src/test-postgres.ts'
import { waitFor } from '../src/wait-for.ts'

async function open(url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.end().catch(() => undefined))
  return client
}

async function readNumbers(client: Client): Promise<number[]> {
  const { rows } = await client.query<{ n: number }>('SELECT n FROM numbers ORDER BY n')
  return rows.map((row) => row.n)
}

describe.skipIf(findPostgresBinaries().kind === 'missing')('a private cluster', () => {
  let postgres: PrivatePostgres

  beforeAll(async () => {
    postgres = await startPrivatePostgres({ settings: { statement_timeout: '30s' } })
  })

  afterAll(async () => {
    await postgres[Symbol.asyncDispose]()
  })

  test('runs with its settings, by a password, and not as root', async () => {
    const client = await open(postgres.url)
    const { rows } = await client.query<{ fsync: string; timeout: string; address: string }>(
      "SELECT current_setting('fsync') AS fsync, current_setting('statement_timeout') AS timeout, current_setting('listen_addresses') AS address",
    )
    expect(rows).toEqual([{ fsync: 'on', timeout: '30s', address: '127.0.0.1' }])
    const stranger = new URL(postgres.url)
    stranger.password = 'guessed'
    await expect(open(stranger.href)).rejects.toMatchObject({ code: '28P01' })
  })

  test('gives databases of their own, quickly from a template', async () => {
    const first = await postgres.createDatabase()
    const client = await open(first)
    await client.query('CREATE TABLE numbers (n integer); INSERT INTO numbers VALUES (7)')
    await client.end()
    const [copy, empty] = await Promise.all([
      postgres.createDatabase({ template: databaseName(first) }),
      postgres.createDatabase(),
    ])
    expect(await readNumbers(await open(copy))).toEqual([7])
    await expect(readNumbers(await open(empty))).rejects.toMatchObject({ code: '42P01' })
  })

  test('an acknowledged row survives kill -9, and one that was not committed does not', async () => {
    const url = await postgres.createDatabase()
    const client = await open(url)
    await client.query('CREATE TABLE numbers (n integer)')
    await client.query('INSERT INTO numbers VALUES (1)')
    await client.query('BEGIN; INSERT INTO numbers VALUES (2)')
    const before = listProcesses().filter((entry) => entry.command.includes(postgres.directory))
    const family = [
      ...before,
      ...findDescendants(
        listProcesses(),
        before.map((entry) => entry.pid),
      ),
    ]
    expect(family.length).toBeGreaterThan(3)
    await postgres.kill9()
    await expect(open(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    const left = listProcesses().map((entry) => entry.pid)
    expect(left.filter((pid) => family.some((entry) => entry.pid === pid))).toEqual([])
    await postgres.restart()
    expect(postgres.log).toContain('was not properly shut down')
    expect(await readNumbers(await open(url))).toEqual([1])
  })

  test('a restart without a kill keeps the port and the data', async () => {
    const url = await postgres.createDatabase()
    const client = await open(url)
    await client.query('CREATE TABLE numbers (n integer); INSERT INTO numbers VALUES (3)')
    await postgres.restart()
    await expect(client.query('SELECT 1')).rejects.toThrow()
    expect(await readNumbers(await open(url))).toEqual([3])
  })

  test('is ended by its watchdog when the test run is killed', async () => {
    const guard = guardChildren()
    onTestFinished(() => guard[Symbol.asyncDispose]())
    const source = fileURLToPath(new URL('../src/private-postgres.ts', import.meta.url))
    const run = await guard.startChild({
      command: process.execPath,
      args: [
        '--input-type=module',
        '-e',
        `const { startPrivatePostgres } = await import(${JSON.stringify(source)})
         const { directory } = await startPrivatePostgres({ fsync: 'off' })
         console.log('running in', directory)`,
      ],
    })
    const [, directory = ''] = await run.waitForLine(/^running in (.+)$/, { deadlineMs: 30_000 })
    const server = listProcesses().find((entry) => entry.command.includes(`-D ${directory}/data`))
    expect(server).toBeDefined()
    run.kill('SIGKILL')
    await waitFor(() => !existsSync(directory), { what: 'the directory to be removed' })
    expect(findProcess(server?.pid ?? 0)?.command ?? 'gone').not.toContain(directory)
  })

  test('leaves nothing behind when it is stopped', async () => {
    const other = await startPrivatePostgres({ fsync: 'off' })
    await other.stop()
    await other.stop()
    expect(existsSync(other.directory)).toBe(false)
    const left = listProcesses().filter((entry) => entry.command.includes(other.directory))
    expect(left).toEqual([])
  })

  test('that cannot start says why', async () => {
    const wrong = startPrivatePostgres({ settings: { shared_buffers: 'plenty' } })
    await expect(wrong).rejects.toThrow(/did not start[^]*shared_buffers/)
  })

  test('a server that is named is used in its place, and what was created there is dropped', async () => {
    vi.stubEnv(postgresUrlVariable, postgres.url)
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    const named = await openTestPostgres()
    expect(named.url).toBe(postgres.url)
    const url = await named.createDatabase()
    await (await open(url)).query('SELECT 1')
    await named.stop()
    await expect(open(url)).rejects.toMatchObject({ code: '3D000' })
    await (await open(postgres.url)).query('SELECT 1')
  })
})

test('where there is no PostgreSQL the reason is said in plain words', () => {
  vi.stubEnv(postgresUrlVariable, 'postgres://elsewhere/db')
  expect(postgresAvailability()).toEqual({ available: true })
  vi.unstubAllEnvs()
  const availability = postgresAvailability()
  if (!availability.available) expect(availability.reason).toMatch(/PostgreSQL/)
})
