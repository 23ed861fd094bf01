import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { accepted, agentEvent, freely } from '@hotline/testing/log-bench'
import { machine, type Middle, openMiddle } from '@hotline/testing/middle'
import { serverStream } from '@hotline/protocol/stream'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DatabasePlace, openDatabase } from '../../src/log/open-database.ts'
import { openToProve } from '../../src/log/open-to-prove.ts'
import { systemClock } from '../../src/machine/clock.ts'
import { systemIds } from '../../src/machine/ids.ts'
import { type Proof, proveLog } from '../../src/ops/prove-log.ts'
import { systemPrincipal } from '../../src/scheduler/approval-timer.ts'

const stream = 'session:s1'
const needle = 'a needle that stands in the file once'
const postgres = await openTestPostgres()
let middle: Middle
let temp: TempDir

beforeAll(async () => {
  temp = await openTempDir()
  middle = await openMiddle()
  for (const session of ['s1', 's2']) {
    await middle.send(systemPrincipal, `session:${session}`, 'session.start', { project: 'p1', agent: 'demo' })
    await middle.send(machine, `session:${session}`, 'lease.take', {})
    await middle.send(systemPrincipal, `session:${session}`, 'session.rename', { title: 'Called otherwise' })
  }
  await middle.send(systemPrincipal, stream, 'message.send', { text: needle })
  // The server's own stream has a state from its first rule on, among lines that change none.
  const line = [freely(serverStream, agentEvent('x'))]
  accepted(await middle.store.append(line))
  const deny = { effect: 'deny', match: { tool: 'x' }, note: 'Never.' } as const
  await middle.send(systemPrincipal, serverStream, 'policy.set_rule', deny, 'no')
  accepted(await middle.store.append(line))
  const time = { approvalTimeoutMs: 60_000, risk: 'high' } as const
  expect(await middle.send(systemPrincipal, serverStream, 'policy.set_timeout', time)).toMatchObject({ ok: true })
})
afterAll(async () => {
  await middle.close()
  await temp.remove()
  await postgres.stop()
})

async function prove(place: DatabasePlace): Promise<Proof> {
  const log = await openToProve(place)
  try {
    return await proveLog(log)
  } finally {
    await log[Symbol.asyncDispose]()
  }
}

/** Another folder with the same log; it is damaged by statements, or by its bytes. */
function copy(name: string, ...damage: readonly string[]): string {
  const dir = join(temp.path, name)
  mkdirSync(dir)
  const source = new DatabaseSync(join(middle.dir, 'hotline.db'), { readOnly: true })
  source.prepare('VACUUM INTO ?').run(join(dir, 'hotline.db'))
  source.close()
  const copied = new DatabaseSync(join(dir, 'hotline.db'))
  for (const statement of damage) copied.exec(statement)
  copied.close()
  return dir
}

const ofStream = `no = (SELECT no FROM streams WHERE stream = '${stream}')`
const last = `(SELECT max(seq) FROM events WHERE ${ofStream})`

describe('the proof of a log', () => {
  it('[B18] a log that a server works with holds, and so does what is kept of each stream', async () => {
    const { streams, events, faults } = await prove({ kind: 'sqlite', dir: middle.dir })
    expect(faults).toEqual([])
    expect(streams).toBe(4)
    expect(events).toBeGreaterThan(8)
  })

  it('[B18] what was erased is no damage, and its name is kept', async () => {
    const dir = copy('erased')
    const database = await openDatabase(
      { kind: 'sqlite', dir },
      { clock: systemClock, ids: systemIds(() => systemClock.wallMs()) },
    )
    await database.store.erase(stream, { upTo: 100 })
    await database[Symbol.asyncDispose]()
    expect((await prove({ kind: 'sqlite', dir })).faults).toEqual([])
  })

  it.each([
    ['a missing end', `DELETE FROM events WHERE ${ofStream} AND seq = ${last}`, /does not hold at event 5: .*missing/],
    ['a missing beginning', `DELETE FROM events WHERE ${ofStream} AND seq = 1`, /event 1 is missing\.$/],
    ['an event too many', `UPDATE streams SET head = head - 1 WHERE stream = '${stream}'`, /does not hold at event 4/],
    ['a changed type', `UPDATE events SET type = 'x' WHERE ${ofStream} AND seq = 2`, /at event 2: its type/],
    [
      'another state',
      `UPDATE states SET state = json_set(state, '$.status', 'failed', '$.counts.messages', 0) WHERE ${ofStream}`,
      /not what they give: status, counts\.$/,
    ],
    ['a state that is none', `UPDATE states SET state = '{' WHERE ${ofStream}`, /cannot be read/],
    ['no state', `DELETE FROM states WHERE ${ofStream}`, /not what they give: all of it/],
  ])('[B18] %s is found, where it is, and nowhere else', async (name, damage, what) => {
    const dir = copy(name.replaceAll(' ', '-'), damage)
    const { faults } = await prove({ kind: 'sqlite', dir })
    expect(faults).toEqual([{ stream, what: expect.stringMatching(what) as string }])
  })

  it('[B18] so is a byte of the file that was flipped', async () => {
    const dir = copy('flipped')
    const path = join(dir, 'hotline.db')
    const bytes = readFileSync(path)
    const at = bytes.indexOf(needle)
    expect(at).toBeGreaterThan(0)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(path, bytes)
    const { faults } = await prove({ kind: 'sqlite', dir })
    expect(faults).toEqual([{ stream, what: expect.stringMatching(/do not give its hash/) as string }])
  })

  it('[B18] the log of another Hotline is left to it', async () => {
    const dir = copy('older', 'UPDATE schema_version SET version = 1')
    await expect(prove({ kind: 'sqlite', dir })).rejects.toThrow('start its server once')
  })

  it('[B18] in PostgreSQL too', async () => {
    const url = await postgres.createDatabase()
    const place = { kind: 'postgres', url } as const
    const ids = systemIds(() => systemClock.wallMs())
    const database = await openDatabase(place, { clock: systemClock, ids })
    const events = Array.from({ length: 20 }, (_, at) => agentEvent(`text ${at}`))
    accepted(await database.store.append([freely(stream, ...events), freely('session:s2', ...events)]))
    expect(await prove(place)).toEqual({ streams: 2, events: 40, faults: [] })
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query(`DELETE FROM events WHERE ${ofStream} AND seq > 17`)
    await client.end()
    expect(await prove(place)).toMatchObject({
      faults: [{ stream, what: expect.stringContaining('event 18') as string }],
    })
    await database[Symbol.asyncDispose]()
  })
})
