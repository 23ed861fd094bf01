import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { chmod, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { guardChildren } from '@hotline/testing/child-guard'
import { accepted, agentEvent, freely, parseWire, readAll } from '@hotline/testing/log-bench'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, expect, test } from 'vitest'
import { DeviceFailed, type FailpointName, type Failpoints, parseFailpoint } from '../src/log/failpoints.ts'
import type { LogStore } from '../src/log/log-store.ts'
import { openDatabase } from '../src/log/open-database.ts'
import type { Database } from '../src/log/open-database.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import { acknowledgedBy, crashCommand, expectKept } from './log-crash.ts'

const run = promisify(execFile)
const guard = guardChildren()
afterEach(() => guard.assertNoSurvivors())

const stream = 'session:one'
const means = { clock: systemClock, ids: systemIds(() => systemClock.wallMs()) }

function open(dir: string, more: { maxPages?: number; failpoint?: string } = {}): Promise<Database> {
  const failpoints = more.failpoint === undefined ? undefined : parseFailpoint(more.failpoint)
  return openDatabase({ kind: 'sqlite', dir, maxPages: more.maxPages }, { ...means, failpoints })
}

/** Appends until it is refused; answers how many were accepted. */
async function fill(store: LogStore): Promise<number> {
  for (let count = 0; ; count += 1) {
    const result = await store.append([
      { ...freely(stream, agentEvent(`${count} ${'x'.repeat(20_000)}`)), state: `${count}` },
    ])
    if (result.ok) continue
    expect(result).toMatchObject({ reason: 'unavailable' })
    return count
  }
}

async function textsOf(store: LogStore): Promise<readonly (string | undefined)[]> {
  return (await readAll(store, stream)).map((event) => parseWire(event).body?.text)
}

async function expectWhole(store: LogStore, count: number): Promise<void> {
  expect(await store.head(stream)).toMatchObject({ head: count, state: `${count - 1}` })
  const texts = (await textsOf(store)).map((text) => text?.split(' ')[0])
  expect(texts).toEqual(Array.from({ length: count }, (_, at) => String(at)))
  expect(await store.verify(stream)).toBeUndefined()
}

test('[L15] a database that may not grow refuses, stays readable, and works again with room', async () => {
  await using dir = await openTempDir()
  const full = await open(dir.path, { maxPages: 200 })
  const count = await fill(full.store)
  expect(count).toBeGreaterThan(10)
  await expectWhole(full.store, count)
  await full[Symbol.asyncDispose]()
  await using roomy = await open(dir.path)
  await expectWhole(roomy.store, count)
  accepted(await roomy.store.append([{ stream, expect: count, events: [agentEvent(`${count} `)], state: `${count}` }]))
  await expectWhole(roomy.store, count + 1)
})

test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  '[L15] a full disk refuses, stays readable, and works again when there is space (a small tmpfs, as root)',
  async () => {
    await using dir = await openTempDir()
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir.path])
    try {
      await using database = await open(join(dir.path, 'data'))
      await writeFile(join(dir.path, 'ballast'), Buffer.alloc(2 * 1024 * 1024))
      const count = await fill(database.store)
      expect(count).toBeGreaterThan(10)
      await expectWhole(database.store, count)
      expect(await database.lists.accounts()).toEqual([])
      await rm(join(dir.path, 'ballast'))
      const more = { stream, expect: count, events: [agentEvent(`${count} `)], state: `${count}` }
      accepted(await database.store.append([more]))
      await expectWhole(database.store, count + 1)
    } finally {
      await run('umount', [dir.path])
    }
  },
)

test.skipIf(process.platform !== 'linux')(
  '[L15] writes that fail in the file system are refused until they work again',
  async () => {
    await using dir = await openTempDir()
    const order = {
      place: { kind: 'sqlite' as const, dir: dir.path },
      failpoint: undefined,
      seed: 1,
      life: 1,
      writers: 4,
    }
    const { command, args } = crashCommand(order)
    // Past this size of a file, the kernel answers EFBIG, which SQLite reports as an I/O error.
    const limited = ['--fsize=1000000:unlimited', command, ...args]
    await using child = await guard.startChild({ command: 'prlimit', args: limited })
    await child.waitForLine(/^refused .*unavailable/)
    const before = acknowledgedBy(child).length
    expect(before).toBeGreaterThan(0)
    await run('prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
    await waitFor(() => acknowledgedBy(child).length > before + 20, { what: 'appends after the limit was raised' })
    child.kill('SIGKILL')
    await child.exited
    await using database = await open(dir.path)
    await expectKept(database, acknowledgedBy(child))
  },
)

test('[L15] a failed commit leaves nothing behind, and an error that is a bug fails alone', async () => {
  await using dir = await openTempDir()
  for (const [at, point] of ['before_write', 'after_write_before_sync'].entries()) {
    await using database = await open(dir.path, { failpoint: `${point}:disk_full:2` })
    const append = (text: string) => database.store.append([freely(stream, agentEvent(text))])
    accepted(await append('a'))
    expect(await append('b')).toMatchObject({ reason: 'unavailable' })
    accepted(await append('c'))
    expect(await database.store.head(stream)).toMatchObject({ head: 2 * (at + 1) })
    expect(await database.store.verify(stream)).toBeUndefined()
  }
  await using database = await open(dir.path, { failpoint: 'after_write_before_sync:throw' })
  await expect(database.store.append([freely(stream, agentEvent('d'))])).rejects.toThrow('failpoint')
  expect(await database.store.head(stream)).toMatchObject({ head: 4 })
})

test('[L15] after a device failed in a commit, the disk says which way it went, and nothing is written twice', async () => {
  await using dir = await openTempDir()
  {
    await using database = await open(dir.path, { failpoint: 'after_write_before_sync:io_error:2' })
    const append = (text: string) => database.store.append([freely(stream, agentEvent(text))])
    accepted(await append('kept'))
    const refused = await append('lost')
    expect(refused).toMatchObject({ ok: false, reason: 'unavailable' })
    expect(refused).not.toHaveProperty('outcome')
    accepted(await append('kept too'))
  }
  {
    await using database = await open(dir.path, { failpoint: 'after_sync:io_error' })
    accepted(await database.store.append([freely(stream, agentEvent('there after all'))]))
    accepted(await database.store.append([freely(stream, agentEvent('the last'))]))
    expect(await textsOf(database.store)).toEqual(['kept', 'kept too', 'there after all', 'the last'])
    expect(await database.store.verify(stream)).toBeUndefined()
  }
})

test('[L15] where the disk cannot say it, the outcome is said to be unknown, and it is asked again before the next commit', async () => {
  await using dir = await openTempDir()
  const path = join(dir.path, 'hotline.db')
  const away = `${path}-away`
  const failing = new Set<FailpointName>()
  // While the device fails, the file cannot be opened anew either.
  const failpoints: Failpoints = {
    hit: (name) => {
      if (!failing.delete(name)) return
      renameSync(path, away)
      mkdirSync(path)
      throw new DeviceFailed()
    },
  }
  await using database = await openDatabase({ kind: 'sqlite', dir: dir.path }, { ...means, failpoints })
  accepted(await database.store.append([freely(stream, agentEvent('first'))]))
  failing.add('after_sync')
  expect(await database.store.append([freely(stream, agentEvent('who knows'))])).toMatchObject({
    ok: false,
    reason: 'unavailable',
    outcome: 'unknown',
  })
  expect(await database.store.append([freely(stream, agentEvent('not while it is away'))])).toMatchObject({ ok: false })
  await rmdir(path)
  renameSync(away, path)
  accepted(await database.store.append([freely(stream, agentEvent('last'))]))
  expect(await textsOf(database.store)).toEqual(['first', 'who knows', 'last'])
  expect(await database.store.verify(stream)).toBeUndefined()
})

test('[L18] one directory has one server', async () => {
  await using dir = await openTempDir()
  await using database = await open(dir.path)
  await expect(open(dir.path)).rejects.toThrow(`in use by another Hotline server (process ${process.pid})`)
  const order = {
    place: { kind: 'sqlite' as const, dir: dir.path },
    failpoint: undefined,
    seed: 1,
    life: 1,
    writers: 1,
  }
  await using child = await guard.startChild(crashCommand(order))
  expect(await child.exited).toMatchObject({ code: 1 })
  expect(child.stderr).toContain('DirectoryInUse')
  accepted(await database.store.append([freely(stream, agentEvent('still mine'))]))
})

test('[L18] a lock that cannot be taken for another reason is not said to be held by somebody', async () => {
  await using dir = await openTempDir()
  await writeFile(join(dir.path, 'owner.lock'), 'this is no database, and long enough to be seen as none'.repeat(100))
  await expect(open(dir.path)).rejects.toThrow(/owner\.lock cannot be locked: .*not a database/)
})

test('[L20] files are for their owner alone, whatever the umask', async () => {
  await using dir = await openTempDir()
  const data = join(dir.path, 'deep', 'data')
  const before = process.umask(0)
  try {
    await using database = await open(data)
    accepted(await database.store.append([freely(stream, agentEvent('a'))]))
    const files = await readdir(data)
    expect(files).toContain('hotline.db-wal')
    for (const file of files) expect((await stat(join(data, file))).mode & 0o777, file).toBe(0o600)
    for (const folder of [data, join(dir.path, 'deep')]) expect((await stat(folder)).mode & 0o777).toBe(0o700)
  } finally {
    process.umask(before)
  }
  await chmod(join(data, 'hotline.db'), 0o644)
  await (await open(data))[Symbol.asyncDispose]()
  expect((await stat(join(data, 'hotline.db'))).mode & 0o777).toBe(0o600)
})

test('[L19] a database from the future, a foreign one and a damaged one are refused and left as they are', async () => {
  await using dir = await openTempDir()
  const path = join(dir.path, 'hotline.db')
  const database = await open(dir.path)
  for (let at = 0; at < 200; at += 1)
    accepted(await database.store.append([freely(stream, agentEvent(`${at}`.padEnd(900)))]))
  await database[Symbol.asyncDispose]()
  const good = readFileSync(path)
  const refusedAs = async (content: Buffer, message: string): Promise<void> => {
    writeFileSync(path, content)
    await expect(open(dir.path)).rejects.toThrow(message)
    expect(Buffer.compare(readFileSync(path), content)).toBe(0)
  }
  const alter = (sql: string): Buffer => {
    writeFileSync(path, good)
    const db = new DatabaseSync(path)
    db.exec(sql)
    db.close()
    return readFileSync(path)
  }
  await refusedAs(alter('UPDATE schema_version SET version = 999'), 'schema version 999')
  await refusedAs(alter('PRAGMA application_id = 7'), 'not a database of Hotline')
  await refusedAs(Buffer.from('This is a text file, and a long one. '.repeat(100)), 'is damaged')
  await refusedAs(good.subarray(0, good.length - 20_000), 'is damaged')
  await refusedAs(good.subarray(0, 8192 * 3 + 100), 'is damaged')
  const scribbled = Buffer.from(good)
  scribbled.fill(0xa5, 8192 * 12, 8192 * 14)
  await refusedAs(scribbled, 'is damaged')
  writeFileSync(path, good)
  await using healed = await open(dir.path)
  expect(await healed.store.head(stream)).toMatchObject({ head: 200 })
})

test('[L16] a torn end of the write-ahead log is cut off, and what was complete before it stays', async () => {
  await using dir = await openTempDir()
  const order = {
    place: { kind: 'sqlite' as const, dir: dir.path },
    failpoint: undefined,
    seed: 3,
    life: 1,
    writers: 2,
  }
  await using child = await guard.startChild(crashCommand(order))
  await waitFor(() => acknowledgedBy(child).length > 60, { what: 'some appends' })
  child.kill('SIGKILL')
  await child.exited
  const wal = join(dir.path, 'hotline.db-wal')
  const sizeBytes = statSync(wal).size
  truncateSync(wal, sizeBytes - 5_000)
  for (let recovery = 0; recovery < 5; recovery += 1) {
    await using database = await open(dir.path)
    const heads = await Promise.all(['session:a', 'session:b'].map((one) => database.store.head(one)))
    expect(heads.every((head) => (head?.head ?? 0) > 0)).toBe(true)
    await expectKept(database, [])
  }
})

test('[L11] an erased body is not to be found in any file', async () => {
  await using dir = await openTempDir()
  await using database = await open(dir.path)
  const secret = 'the-words-that-have-to-go'
  const filesWithSecret = async (): Promise<string[]> =>
    (await readdir(dir.path)).filter(
      (name) => name.startsWith('hotline.db') && readFileSync(join(dir.path, name)).includes(secret),
    )
  for (let at = 0; at < 30; at += 1) {
    const text = at === 20 ? `${secret} ${'y'.repeat(30_000)}` : 'z'.repeat(700)
    accepted(await database.store.append([freely(stream, agentEvent(text, `message:${at}`))]))
  }
  expect(await filesWithSecret()).toEqual(['hotline.db-wal'])
  expect(await database.store.erase(stream, { subject: 'message:20', upTo: 30 })).toBe(1)
  expect(await filesWithSecret()).toEqual([])
  expect(await database.store.verify(stream)).toBeUndefined()
})

test('[L11] an erasure that died before it was acknowledged is made whole when it is asked for again', async () => {
  await using dir = await openTempDir()
  await using database = await open(dir.path)
  const secret = 'the-words-that-have-to-go'
  accepted(await database.store.append([freely(stream, agentEvent(secret, 'message:1'))]))
  // What an earlier life did before it died: the bodies are replaced, and the write-ahead log still has them.
  const died = new DatabaseSync(join(dir.path, 'hotline.db'))
  died.exec(
    'PRAGMA wal_autocheckpoint = 0; UPDATE events SET digest = hash, salt = NULL, body = NULL WHERE body IS NOT NULL',
  )
  died.close()
  const files = (): string[] =>
    ['hotline.db', 'hotline.db-wal'].filter((name) => readFileSync(join(dir.path, name)).includes(secret))
  expect(files()).toEqual(['hotline.db-wal'])
  expect(await database.store.erase(stream, { subject: 'message:1', upTo: 1 })).toBe(0)
  expect(files()).toEqual([])
})

test('[L22] the write-ahead log is moved into the database while appends go on without a pause', async () => {
  await using dir = await openTempDir()
  await using database = await open(dir.path)
  const wal = join(dir.path, 'hotline.db-wal')
  let largestBytes = 0
  let writtenBytes = 0
  // Without a move the log is as large as what was written; how soon one comes depends on who else uses the machine.
  while (writtenBytes < 120 * 1024 * 1024 || (largestBytes > writtenBytes / 2 && writtenBytes < 1024 * 1024 * 1024)) {
    const events = Array.from({ length: 20 }, () => agentEvent('w'.repeat(50_000)))
    accepted(await database.store.append([freely(stream, ...events)]))
    writtenBytes += 20 * 50_000
    largestBytes = Math.max(largestBytes, statSync(wal).size)
  }
  expect(largestBytes).toBeLessThan(writtenBytes / 2)
})
