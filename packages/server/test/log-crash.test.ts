import { guardChildren } from '@hotline/testing/child-guard'
import { startPrivatePostgres } from '@hotline/testing/private-postgres'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import type { SeededRandom } from '@hotline/testing/seed'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, expect, test } from 'vitest'
import { openDatabase } from '../src/log/open-database.ts'
import type { DatabasePlace } from '../src/log/open-database.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import { acknowledgedBy, crashCommand, crashStreams, expectKept } from './log-crash.ts'
import type { Acknowledged } from './log-crash.ts'

const guard = guardChildren()
afterEach(() => guard.assertNoSurvivors())

const means = { clock: systemClock, ids: systemIds(() => systemClock.wallMs()) }

/** Some lives end before the log has outgrown what was laid out, some after. */
const logBytes = 1024 * 1024

/** How one life of the child ends: by itself at a failpoint, or killed after so many acknowledged appends. */
type Death = { failpoint: string } | { afterAcks: number }

/** Runs a child until it is dead, recovers, and looks that everything acknowledged in this and all earlier lives is there. */
async function liveAndDie(
  place: DatabasePlace,
  random: SeededRandom,
  life: number,
  death: Death,
  acknowledged: Acknowledged[],
): Promise<void> {
  const failpoint = 'failpoint' in death ? death.failpoint : undefined
  const seed = random.int(0, 0xffffffff)
  await using child = await guard.startChild(crashCommand({ place, failpoint, seed, life, writers: 8 }))
  if ('afterAcks' in death) {
    await waitFor(() => child.exit !== undefined || acknowledgedBy(child).length >= death.afterAcks, {
      what: `${death.afterAcks} acknowledged appends`,
      deadlineMs: 30_000,
      everyMs: random.int(1, 7),
    })
    child.kill('SIGKILL')
  }
  expect(await child.exited, child.stderr).toMatchObject({ signal: 'SIGKILL' })
  acknowledged.push(...acknowledgedBy(child))
  await using database = await openDatabase(place, means)
  await expectKept(database, acknowledged)
}

test('[L16] kill -9 at random moments: what was acknowledged is there, life after life', async () => {
  const random = seededRandom(randomSeed('kill -9 on SQLite'))
  await using dir = await openTempDir('hotline-crash-')
  const place: DatabasePlace = { kind: 'sqlite', dir: dir.path, logBytes }
  const acknowledged: Acknowledged[] = []
  for (let life = 1; life <= 5; life += 1) {
    await liveAndDie(place, random, life, { afterAcks: random.int(1, 400) }, acknowledged)
  }
  expect(acknowledged.length).toBeGreaterThan(5)
})

test('[L16] kill -9 at each failpoint: what was acknowledged is there, and recovery can be repeated', async () => {
  const random = seededRandom(randomSeed('failpoints on SQLite'))
  await using dir = await openTempDir('hotline-crash-')
  const place: DatabasePlace = { kind: 'sqlite', dir: dir.path, logBytes }
  const acknowledged: Acknowledged[] = []
  const failpoints = [
    'during_migration:kill',
    `before_write:kill:${random.int(1, 40)}`,
    `after_write_before_sync:kill:${random.int(1, 40)}`,
    `after_commit_before_publish:kill:${random.int(1, 40)}`,
    'before_checkpoint:kill',
    `before_write:kill:${random.int(300, 900)}`,
  ]
  for (const [at, failpoint] of failpoints.entries()) {
    await liveAndDie(place, random, at + 1, { failpoint }, acknowledged)
  }
  const heads: unknown[] = []
  for (let recovery = 0; recovery < 5; recovery += 1) {
    await using database = await openDatabase(place, means)
    heads.push(await Promise.all(crashStreams.map((stream) => database.store.head(stream))))
  }
  expect(heads).toEqual(heads.map(() => heads[0]))
})

test('[L16] kill -9 of the server in front of PostgreSQL, at random moments and at each failpoint', async () => {
  const random = seededRandom(randomSeed('kill -9 in front of PostgreSQL'))
  await using postgres = await startPrivatePostgres()
  const place: DatabasePlace = { kind: 'postgres', url: await postgres.createDatabase() }
  const acknowledged: Acknowledged[] = []
  const deaths: Death[] = [
    { failpoint: 'during_migration:kill' },
    { afterAcks: random.int(1, 200) },
    { failpoint: `before_write:kill:${random.int(1, 40)}` },
    { failpoint: `after_write_before_sync:kill:${random.int(1, 40)}` },
    { failpoint: `after_commit_before_publish:kill:${random.int(1, 40)}` },
    { afterAcks: random.int(1, 200) },
  ]
  for (const [at, death] of deaths.entries()) await liveAndDie(place, random, at + 1, death, acknowledged)
})

test('[L16] kill -9 of PostgreSQL itself: the server carries on when it is back, and nothing acknowledged is lost', async () => {
  const random = seededRandom(randomSeed('kill -9 of PostgreSQL'))
  await using postgres = await startPrivatePostgres()
  const place: DatabasePlace = { kind: 'postgres', url: await postgres.createDatabase() }
  const seed = random.int(0, 0xffffffff)
  await using child = await guard.startChild(crashCommand({ place, failpoint: undefined, seed, life: 1, writers: 8 }))
  for (let round = 0; round < 3; round += 1) {
    const wanted = acknowledgedBy(child).length + random.int(20, 200)
    const goesOn = { what: `${wanted} acknowledged appends`, deadlineMs: 30_000, everyMs: random.int(1, 7) }
    await waitFor(() => acknowledgedBy(child).length >= wanted, goesOn)
    await postgres.kill9()
    await postgres.restart()
  }
  const wanted = acknowledgedBy(child).length + 50
  await waitFor(() => acknowledgedBy(child).length >= wanted, { what: 'appends after the last restart' })
  child.kill('SIGKILL')
  await child.exited
  await using database = await openDatabase(place, means)
  await expectKept(database, acknowledgedBy(child))
})
