import { createHash } from 'node:crypto'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { guardChildren } from '@hotline/testing/child-guard'
import { waitFor } from '@hotline/testing/wait-for'
import type { RecoverOrder } from '../children/recover.ts'
import { expectSoundLog, line, linesOf, openCrowd } from '../crowd.ts'
import type { DiskShim } from '../disk-shim.ts'
import { type Done, expectNothing, FaultFound, type FaultRow, type Ground } from '../fault-row.ts'
import { startServerProcess } from '../server-process.ts'

const recover = fileURLToPath(new URL('../children/recover.ts', import.meta.url))
const deadlineMs = 40_000

type Run = (dir: string, more?: { failpoint?: string; env?: Readonly<Record<string, string>> }) => Promise<boolean>

/** Row 3: the server dies while it moves its log into the database, while it recovers, and while it makes its schema. */
export const crashInUpkeep: FaultRow = {
  row: 3,
  name: 'a crash in a checkpoint, in a recovery, in a migration and in the start',
  stores: ['sqlite'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount, dir } = ground
    const shim = await ground.shim()
    await using guard = guardChildren()
    const counts = { migrations: 0, checkpoints: 0, 'in a page write': 0, recoveries: 0, starts: 0 }

    /** Opens and closes the log in a process; true where it died on the way. */
    const open: Run = async (place, { failpoint, env = {} } = {}) => {
      const order: RecoverOrder = { dir: place, failpoint }
      await using child = await guard.startChild({
        command: process.execPath,
        args: [recover, JSON.stringify(order)],
        env,
      })
      const { code, signal } = await child.exited
      if (signal === 'SIGKILL') return true
      if (code !== 0) throw new FaultFound(`the log is not opened again: ${child.stderr}`)
      return false
    }

    // The schema, made in several lives.
    const data = join(dir, 'data')
    await mkdir(data, { mode: 0o700 })
    if (await open(data, { failpoint: 'during_migration:kill' })) counts.migrations += 1
    if (!('absent' in shim)) {
      for (let life = 0; life < 3; life += 1) {
        shim.fail(['write', 'sync'], '*hotline.db', 'kill', random.int(0, 40))
        if (await open(data, { env: shim.env })) counts.migrations += 1
      }
      shim.heal()
    }

    await using server = await startServerProcess({ dir, env: 'absent' in shim ? {} : shim.env })
    const readers = [server.link(), server.link()]
    const crowd = await openCrowd(server, random, { sessions: 2, readers, machine: server.link('runner') })
    const bulk = await server.startSession(server.link('runner'))
    let lines = 0
    let pending: Promise<unknown> = Promise.resolve()
    for (let life = 0; life < (amount === 'some' ? 3 : 10); life += 1) {
      const kind = random.pick(['before', 'between', 'after', ...('absent' in shim ? [] : ['page', 'page', 'sync'])])
      if (kind === 'page' || kind === 'sync') {
        if ('absent' in shim) throw new Error(shim.absent)
        if (kind === 'page') shim.fail(['write'], '/hotline.db', 'kill', random.int(0, 1_200))
        else shim.fail(['sync'], '/hotline.db', 'kill', random.int(0, 1))
      } else {
        await server.kill()
        const name = { before: 'before_checkpoint', between: 'between_checkpoint_passes', after: 'after_checkpoint' }[
          kind
        ]
        if ((await server.start({ HOTLINE_FAILPOINT: `${name}:kill` })) === 'ended') throw new Error(server.complaints)
      }
      const over = new AbortController()
      const ended = server.ended().then(() => over.abort())
      const filling = (async () => {
        while (!over.signal.aborted) {
          const report = Array.from({ length: 10 }, (_, at) => line(lines + at, 40_000))
          lines += 10
          crowd.act()
          void crowd.work()
          // Over the end of a life too: the next one takes it.
          pending = bulk.report(...report)
          await Promise.race([ended, pending])
        }
      })()
      await waitFor(() => over.signal.aborted, { what: `the end in a checkpoint (${kind})`, deadlineMs })
      await filling
      if (!('absent' in shim)) shim.heal()
      counts.checkpoints += 1
      if (kind === 'page') counts['in a page write'] += 1

      const clean = join(dir, `clean-${life}`)
      await cp(data, clean, { recursive: true })
      if (await open(clean)) throw new Error('a recovery without a fault died')
      if (!('absent' in shim)) counts.recoveries += await recoverBadly(open, data, shim, () => random.int(0, 60))
      await open(data)
      if (digestOf(data) !== digestOf(clean)) expectNothing([`after a crash ${kind} a checkpoint, recoveries differ`])
      if (!('absent' in shim) && random.chance(0.5)) {
        shim.fail(['write', 'sync', 'read'], '*hotline.db', 'kill', random.int(0, 40))
        if ((await server.start()) === 'ended') counts.starts += 1
        else await server.kill()
        shim.heal()
      }
      if ((await server.start()) === 'ended') throw new FaultFound(`it does not start: ${server.complaints}`)
    }
    await pending
    await crowd.compare()
    expectNothing(linesOf(bulk.stream, await server.stored(bulk.session), lines))
    await server.kill()
    await expectSoundLog(
      server,
      [...crowd.sessions, bulk].map(({ stream }) => stream),
    )
    const notes = 'absent' in shim ? [shim.absent] : []
    return { counts: { ...counts, 'MiB written': Math.round((lines * 40_000) / 1024 / 1024) }, notes }
  },
}

/** Recoveries that die at some read, write or sync; answers how many did. */
async function recoverBadly(open: Run, data: string, shim: DiskShim, after: () => number): Promise<number> {
  let died = 0
  for (let recovery = 0; recovery < 4; recovery += 1) {
    shim.fail(['read', 'write', 'sync'], '*hotline.db', 'kill', after())
    if (await open(data, { env: shim.env })) died += 1
  }
  shim.heal()
  return died
}

/** Over every row of every table, whatever their order. */
function digestOf(data: string): string {
  const db = new DatabaseSync(join(data, 'hotline.db'), { readOnly: true })
  try {
    const hash = createHash('sha256')
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
    for (const { name } of tables) {
      const rows = db
        .prepare(`SELECT * FROM "${String(name)}"`)
        .all()
        .map(rowDigest)
      hash.update(`\0${String(name)}\0`).update(rows.toSorted().join())
    }
    return hash.digest('hex')
  } finally {
    db.close()
  }
}

function rowDigest(row: Record<string, unknown>): string {
  const hash = createHash('sha256')
  for (const value of Object.values(row)) {
    hash.update(value instanceof Uint8Array ? value : String(value)).update('\0')
  }
  return hash.digest('hex')
}
