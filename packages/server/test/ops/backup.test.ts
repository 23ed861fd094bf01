import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { accepted, agentEvent, freely, readAll } from '@hotline/testing/log-bench'
import { openTempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { Client } from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { type DatabasePlace, openDatabase } from '../../src/log/open-database.ts'
import { systemClock } from '../../src/machine/clock.ts'
import { systemIds } from '../../src/machine/ids.ts'
import { BackupRefused, putBack, takeBackup } from '../../src/ops/backup.ts'

const server = await openTestPostgres()
afterAll(() => server.stop())

const means = { clock: systemClock, ids: systemIds(() => systemClock.wallMs()) }
const stream = 'session:one'
const now = new Date().toISOString()

/** A database that holds what another one holds, as after `pg_dump` and `pg_restore`. */
async function copyOf(url: string): Promise<string> {
  const copy = await server.createDatabase()
  const [from, to] = [url, copy].map((one) => new URL(one).pathname.slice(1))
  const client = new Client({ connectionString: server.url })
  await client.connect()
  await client.query(`DROP DATABASE "${to}"`)
  await client.query(`CREATE DATABASE "${to}" TEMPLATE "${from}"`)
  await client.end()
  return copy
}

interface Place {
  dataDir: string
  databaseUrl: string | undefined
}

const placeOf = ({ dataDir, databaseUrl }: Place): DatabasePlace =>
  databaseUrl === undefined ? { kind: 'sqlite', dir: dataDir } : { kind: 'postgres', url: databaseUrl }

describe.each(['sqlite', 'postgres'] as const)('a copy of a log on %s', (kind) => {
  it('[O7] has the same chain under other epochs, each time it is put back', async () => {
    await using temp = await openTempDir().then((dir) => ({ ...dir, [Symbol.asyncDispose]: () => dir.remove() }))
    const first: Place = {
      dataDir: join(temp.path, 'first'),
      databaseUrl: kind === 'postgres' ? await server.createDatabase() : undefined,
    }
    const original = await openDatabase(placeOf(first), means)
    const texts = Array.from({ length: 20 }, (_, at) => agentEvent(`number ${at}`))
    const [was] = accepted(await original.store.append([freely(stream, ...texts)]))
    const bytes = (await readAll(original.store, stream)).map((event) => Buffer.from(event.bytes).toString('utf8'))
    await original[Symbol.asyncDispose]()
    takeBackup(first, join(temp.path, 'copy'), now)

    const epochs = new Set([was?.epoch])
    for (const name of ['second', 'third']) {
      const next: Place = {
        dataDir: join(temp.path, name),
        databaseUrl: first.databaseUrl === undefined ? undefined : await copyOf(first.databaseUrl),
      }
      await putBack(join(temp.path, 'copy'), next, name)
      const database = await openDatabase(placeOf(next), means)
      const head = await database.store.head(stream)
      expect(head).toMatchObject({ head: 20, epoch: expect.stringMatching(/^[a-z0-9]{8}$/) as string })
      expect(epochs.has(head?.epoch)).toBe(false)
      epochs.add(head?.epoch)
      expect((await readAll(database.store, stream)).map((event) => Buffer.from(event.bytes).toString('utf8'))).toEqual(
        bytes,
      )
      const [grown] = accepted(await database.store.append([freely(stream, agentEvent('after'))]))
      expect(grown).toMatchObject({ epoch: head?.epoch, head: 21 })
      expect(await database.store.verify(stream)).toBe(undefined)
      await database[Symbol.asyncDispose]()
      // The same life, however often it is opened.
      const again = await openDatabase(placeOf(next), means)
      expect(await again.store.head(stream)).toMatchObject({ epoch: head?.epoch, head: 21 })
      await again[Symbol.asyncDispose]()
    }
  })

  it('[O7] a copy that fails leaves nothing behind', async () => {
    await using temp = await openTempDir().then((dir) => ({ ...dir, [Symbol.asyncDispose]: () => dir.remove() }))
    const nowhere: Place = { dataDir: join(temp.path, 'none'), databaseUrl: undefined }
    expect(() => takeBackup(nowhere, join(temp.path, 'copy'), now)).toThrow(BackupRefused)
    await expect(putBack(temp.path, nowhere, 'x')).rejects.toThrow(BackupRefused)
    expect(existsSync(join(temp.path, 'copy'))).toBe(false)
    expect(existsSync(nowhere.dataDir)).toBe(false)
  })
})

/** Puts, renames and removes files as a server and its runner at work do, in a thread of its own. */
const busy = `
  const { mkdirSync, renameSync, rmSync, writeFileSync } = require('node:fs')
  const { join } = require('node:path')
  const { workerData } = require('node:worker_threads')
  for (let at = 0; ; at += 1) {
    const place = at % 2 === 0 ? 'blobs' : 'attachments'
    const incoming = join(workerData, place, 'incoming')
    const kept = join(workerData, place, 'ab')
    const [session, file] = [join(workerData, 'runner', 'sessions', String(at % 7)), String(at % 5)]
    mkdirSync(incoming, { recursive: true })
    mkdirSync(kept, { recursive: true })
    mkdirSync(session, { recursive: true })
    writeFileSync(join(incoming, file), 'content')
    writeFileSync(join(session, 'spool.jsonl'), 'a line')
    renameSync(join(incoming, file), join(kept, file))
    rmSync(session, { recursive: true })
  }
`

it('[O7] a copy is taken while content is put and spools go away', async () => {
  const temp = await openTempDir()
  const dataDir = join(temp.path, 'data')
  const database = await openDatabase({ kind: 'sqlite', dir: dataDir }, means)
  await database[Symbol.asyncDispose]()
  const worker = new Worker(busy, { eval: true, workerData: dataDir })
  const failed: unknown[] = []
  worker.on('error', (error) => failed.push(error))
  const places = ['blobs', 'attachments']
  await expect.poll(() => places.every((place) => existsSync(join(dataDir, place, 'ab', '4')))).toBe(true)
  for (let time = 0; time < 60; time += 1) {
    const to = join(temp.path, `copy-${time}`)
    takeBackup({ dataDir, databaseUrl: undefined }, to, now)
    for (const place of places) {
      expect(existsSync(join(to, place, 'incoming'))).toBe(false)
      expect(existsSync(join(to, place, 'ab', '4'))).toBe(true)
    }
  }
  await worker.terminate()
  expect(failed).toEqual([])
  await temp.remove()
})
