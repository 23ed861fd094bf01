import { accepted, agentEvent, freely, parseWire, readAll } from '@hotline/testing/log-bench'
import { startFaultProxy } from '@hotline/testing/fault-proxy'
import type { FaultProxy } from '@hotline/testing/fault-proxy'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { databaseName } from '@hotline/testing/postgres-databases'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { parseFailpoint } from '../src/log/failpoints.ts'
import type { LogStore } from '../src/log/log-store.ts'
import { openDatabase } from '../src/log/open-database.ts'
import type { Database } from '../src/log/open-database.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'

const server = await openTestPostgres()
afterAll(() => server.stop())

const stream = 'session:one'
const means = { clock: systemClock, ids: systemIds(() => systemClock.wallMs()) }

function open(url: string, failpoint?: string): Promise<Database> {
  const failpoints = failpoint === undefined ? undefined : parseFailpoint(failpoint)
  return openDatabase({ kind: 'postgres', url }, { ...means, failpoints })
}

async function openThrough(url: string): Promise<{ proxy: FaultProxy; database: Database }> {
  const direct = new URL(url)
  const proxy = await startFaultProxy({ target: { host: direct.hostname, port: Number(direct.port) } })
  direct.host = `${proxy.host}:${proxy.port}`
  return { proxy, database: await open(direct.href) }
}

async function textsOf(store: LogStore, of = stream): Promise<(string | undefined)[]> {
  return (await readAll(store, of)).map((event) => parseWire(event).body?.text)
}

test('[L1] eight nodes that write to one stream leave no gap', async () => {
  const url = await server.createDatabase()
  const nodes = await Promise.all(Array.from({ length: 8 }, () => open(url)))
  await Promise.all(
    nodes.map(async ({ store }, node) => {
      for (let turn = 0; turn < 25; turn += 1) {
        const two = turn % 5 === 0 ? [freely('project:p', agentEvent(`${node} ${turn}`))] : []
        accepted(await store.append([freely(stream, agentEvent(`${node} ${turn}`)), ...two]))
      }
    }),
  )
  const [first] = nodes
  const texts = first === undefined ? [] : await textsOf(first.store)
  expect(texts).toHaveLength(200)
  for (let node = 0; node < 8; node += 1) {
    const own = texts.filter((text) => text?.startsWith(`${node} `))
    expect(own).toEqual(Array.from({ length: 25 }, (_, turn) => `${node} ${turn}`))
  }
  expect(await first?.store.verify(stream)).toBeUndefined()
  expect(await first?.store.head('project:p')).toMatchObject({ head: 40 })
  for (const node of nodes) await node[Symbol.asyncDispose]()
})

test('[L2] [L4] what another node wrote is seen before an append is refused or fenced', async () => {
  const url = await server.createDatabase()
  await using one = await open(url)
  await using other = await open(url)
  accepted(await one.store.append([{ stream, expect: 0, events: [agentEvent('a')], generation: 1 }]))
  accepted(await other.store.append([{ stream, expect: 1, events: [agentEvent('b')], generation: 2 }]))
  // What `one` remembers is too old now, and must not be the reason to refuse what is right.
  accepted(await one.store.append([{ stream, expect: 2, events: [agentEvent('c')] }]))
  expect(await other.store.append([{ stream, expect: 2, events: [agentEvent('x')] }])).toMatchObject({
    reason: 'conflict',
  })
  expect(await one.store.append([{ stream, expect: 3, events: [agentEvent('x')], generation: 1 }])).toEqual({
    ok: false,
    reason: 'fenced',
  })
  expect(await textsOf(other.store)).toEqual(['a', 'b', 'c'])
})

test('[L21] an answer that is lost on its way back does not make an append happen twice', async () => {
  const { proxy, database } = await openThrough(await server.createDatabase())
  const { store } = database
  accepted(await store.append([freely(stream, agentEvent('0'))]))
  for (let turn = 1; turn <= 6; turn += 1) {
    proxy.dropAnswer({ connections: 'all' })
    const command = { principal: 'person:a', id: `c${turn}`, bodyHash: 'ab', answer: '1' }
    const rows = [{ table: 'facts' as const, put: { name: 'turn', value: String(turn) } }]
    const extra = turn % 2 === 0 ? { commands: [command], rows } : {}
    const appending = store.append([{ ...freely(stream, agentEvent(String(turn))), ...extra }])
    await expect.poll(() => proxy.cuts).toBeGreaterThanOrEqual(turn)
    proxy.restore()
    expect(accepted(await appending)[0]?.head).toBe(turn + 1)
  }
  expect(await textsOf(store)).toEqual(['0', '1', '2', '3', '4', '5', '6'])
  expect(await store.verify(stream)).toBeUndefined()
  await database[Symbol.asyncDispose]()
  await proxy.stop()
})

test('[L21] connections that are cut at random never lose or double what was acknowledged', async () => {
  const random = seededRandom(randomSeed('cut connections'))
  const { proxy, database } = await openThrough(await server.createDatabase())
  const { store } = database
  const streams = ['session:a', 'session:b', 'session:c']
  const acknowledged: string[] = []
  const refused: string[] = []
  const left = { writers: 6 }
  const writers = Array.from({ length: left.writers }, async (_, writer) => {
    for (let turn = 0; turn < 60; turn += 1) {
      const text = `${writer}.${turn}`
      const result = await store.append([freely(random.pick(streams), agentEvent(text))])
      if (result.ok) acknowledged.push(text)
      else refused.push(text)
    }
    left.writers -= 1
  })
  const cutting = (async () => {
    while (left.writers > 0) {
      proxy.cutAfterBytes(random.int(0, 20_000), random.chance(0.5) ? 'toClient' : 'toTarget')
      const passed = proxy.cuts + 1
      await expect.poll(() => proxy.cuts >= passed || left.writers === 0, { interval: 5 }).toBe(true)
      proxy.restore()
    }
  })()
  await Promise.all([...writers, cutting])
  proxy.restore()
  const written = (await Promise.all(streams.map((one) => textsOf(store, one)))).flat()
  expect(new Set(written).size).toBe(written.length)
  expect(acknowledged.filter((text) => !written.includes(text))).toEqual([])
  expect(acknowledged.length + refused.length).toBe(360)
  expect(acknowledged.length).toBeGreaterThan(0)
  for (const one of streams) expect(await store.verify(one)).toBeUndefined()
  await database[Symbol.asyncDispose]()
  await proxy.stop()
})

test('[L15] a store that is away refuses appends and reads, and works again when it is back', async () => {
  const { proxy, database } = await openThrough(await server.createDatabase())
  const { store, lists } = database
  accepted(await store.append([freely(stream, agentEvent('a'))]))
  proxy.refuse()
  proxy.cut()
  expect(await store.append([freely(stream, agentEvent('b'))])).toMatchObject({ reason: 'unavailable' })
  await expect(store.head(stream)).rejects.toMatchObject({ kind: 'unavailable' })
  await expect(lists.accounts()).rejects.toMatchObject({ kind: 'unavailable' })
  proxy.restore()
  accepted(await store.append([{ stream, expect: 1, events: [agentEvent('c')] }]))
  expect(await textsOf(store)).toEqual(['a', 'c'])
  await database[Symbol.asyncDispose]()
  await proxy.stop()
})

test('[L15] a full disk refuses what is written then, whole, and nothing else', async () => {
  for (const failpoint of ['before_write:disk_full:2', 'after_write_before_sync:disk_full:2']) {
    await using database = await open(await server.createDatabase(), failpoint)
    const { store } = database
    accepted(await store.append([freely(stream, agentEvent('a'))]))
    const full = [
      { ...freely(stream, agentEvent('b')), rows: [{ table: 'facts' as const, insert: { name: 'f', value: '1' } }] },
    ]
    expect(await store.append(full), failpoint).toMatchObject({ reason: 'unavailable' })
    expect(await database.lists.fact('f')).toBeUndefined()
    expect(await textsOf(store)).toEqual(['a'])
    accepted(await store.append(full))
    expect(await textsOf(store)).toEqual(['a', 'b'])
  }
})

test('[L15] a deadlock with a stranger is tried again', async () => {
  const url = await server.createDatabase()
  const stranger = new Client({ connectionString: url })
  await stranger.connect()
  // Each looks once, so long after it began to wait: the store after the stranger waits too, and before the stranger.
  await stranger.query(`ALTER DATABASE "${databaseName(url)}" SET deadlock_timeout = '4s'`)
  await using database = await open(url)
  const { store } = database
  accepted(await store.append([freely('session:a', agentEvent('1')), freely('session:b', agentEvent('1'))]))
  await stranger.query(`BEGIN; SET LOCAL deadlock_timeout = '60s'`)
  await stranger.query(`UPDATE streams SET generation = generation WHERE stream = 'session:b'`)
  const appending = store.append([freely('session:a', agentEvent('2')), freely('session:b', agentEvent('2'))])
  const waiting = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  await expect.poll(async () => (await stranger.query<{ n: number }>(waiting)).rows[0]?.n).toBe(1)
  await stranger.query(`UPDATE streams SET generation = generation WHERE stream = 'session:a'`)
  await stranger.query('COMMIT')
  expect(accepted(await appending).map(({ head }) => head)).toEqual([2, 2])
  await stranger.end()
})

test('[L19] a schema from the future is refused', async () => {
  const url = await server.createDatabase()
  await (await open(url))[Symbol.asyncDispose]()
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('UPDATE schema_version SET version = 999')
  await client.end()
  await expect(open(url)).rejects.toThrow('schema version 999')
})

test('[L14] servers that start at the same time share one schema', async () => {
  const url = await server.createDatabase()
  const databases = await Promise.all(Array.from({ length: 5 }, () => open(url)))
  for (const database of databases) await database[Symbol.asyncDispose]()
})
