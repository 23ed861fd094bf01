import { mkdirSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { agentEvent, bareEvent, findCommand } from '@hotline/testing/log-bench'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { noFailpoints } from '../src/log/failpoints.ts'
import { openDatabase } from '../src/log/open-database.ts'
import { sqliteMigrations } from '../src/log/sqlite/migrations.ts'
import { SqliteFile } from '../src/log/sqlite/sqlite-file.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'

const ids = systemIds(() => systemClock.wallMs())
const streams = ['session:one', 'session:two']

test('[L14] open approvals of the fourth schema stay open, in the order of their deadlines', async () => {
  await using dir = await openTempDir('hotline-schema-')
  const path = join(dir.path, 'hotline.db')
  const schema = sqliteMigrations.slice(0, 4)
  new SqliteFile({ path, migrations: schema, failpoints: noFailpoints })[Symbol.dispose]()
  const old = new DatabaseSync(path)
  const insert = old.prepare(
    'INSERT INTO approvals (approval, session, project, expires_at, requested_at) VALUES (?, ?, ?, ?, ?)',
  )
  const rows = [
    ['a', 's2', 'p1', '2026-01-03', '2026-01-01'],
    ['a', 's1', 'p1', '2026-01-02', '2026-01-01'],
    ['b', 's1', 'p2', '2026-01-04', '2026-01-01'],
  ]
  for (const row of rows) insert.run(...row)
  old.close()
  await using database = await openDatabase({ kind: 'sqlite', dir: dir.path }, { clock: systemClock, ids })
  const found = await database.lists.approvals('all', 10)
  expect(found.map(({ approval, session }) => [approval, session])).toEqual([
    ['a', 's1'],
    ['a', 's2'],
    ['b', 's1'],
  ])
  expect(await database.lists.approvals({ projects: ['p2'] }, 10)).toHaveLength(1)
})

test('[L14] a database of the second schema is opened, and everything is there', async () => {
  await using dir = await openTempDir('hotline-schema-')
  const [first, second] = ['a', 'b'].map((name) => ({ kind: 'sqlite', dir: join(dir.path, name) }) as const)
  if (!first || !second) throw new Error('two places are needed')
  const written = await openDatabase(first, { clock: systemClock, ids })
  for (const stream of streams) {
    for (let at = 0; at < 30; at += 1) {
      await written.store.append([
        {
          stream,
          expect: at * 2,
          events: [agentEvent(`${stream} ${at}`, `message:${at % 3}`), bareEvent({ at })],
          commands: [{ principal: 'person:dana', id: `c${at}`, bodyHash: 'h', answer: '{"seq":1}' }],
        },
      ])
    }
  }
  await written.store.erase(streams[0] ?? '', { subject: 'message:1', upTo: 40 })
  const read = async (database: typeof written): Promise<unknown[]> => {
    const all: unknown[] = []
    for (const stream of streams) {
      all.push(await database.store.head(stream), await database.store.verify(stream))
      all.push(await database.store.read(stream, { after: 0, limit: 100, maxBytes: 1_000_000 }))
      all.push(await database.store.readSubjects(stream, ['message:2'], 3, 100))
      all.push(await findCommand(database.store, stream, 'person:dana', 'c7'))
    }
    return all
  }
  const before = await read(written)
  await written[Symbol.asyncDispose]()

  mkdirSync(second.dir)
  const path = join(second.dir, 'hotline.db')
  const schema = sqliteMigrations.slice(0, 2)
  new SqliteFile({ path, migrations: schema, failpoints: noFailpoints })[Symbol.dispose]()
  const old = new DatabaseSync(path)
  old.exec(`ATTACH '${join(first.dir, 'hotline.db')}' AS source`)
  for (const [table, columns] of [
    ['streams', '*'],
    ['states', '*'],
    ['commands', 'no, principal, id, body_hash, answer'],
    ['events', 'no, seq, type, subject, header, salt, body, digest, hash'],
  ]) {
    old.exec(`INSERT INTO main.${table} SELECT ${columns} FROM source.${table}`)
  }
  old.close()

  await using moved = await openDatabase(second, { clock: systemClock, ids })
  expect(await read(moved)).toEqual(before)
  const next = await moved.store.append([{ stream: streams[1] ?? '', expect: 60, events: [bareEvent({ at: 60 })] }])
  expect(next).toMatchObject({ ok: true })
})
