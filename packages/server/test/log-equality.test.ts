import { seededIds } from '@hotline/testing/log-bench'
import type { OpenLogBench } from '@hotline/testing/log-bench'
import { dumpLog, runLogWorkload } from '@hotline/testing/log-workload'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { expect, test } from 'vitest'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const turns = 400

async function runOn(open: OpenLogBench, seed: number): Promise<unknown> {
  const random = seededRandom(seed)
  await using bench = await open({ ids: seededIds(random.fork('ids')) })
  const said = await runLogWorkload(bench.store, random.fork('workload'), turns)
  const before = await dumpLog(bench.store, bench.lists)
  await bench.reopen()
  expect(await dumpLog(bench.store, bench.lists)).toEqual(before)
  return { said, before }
}

/** 952360142: a group that conflicts by a command and by a row has to name the same one on both. */
const found = [952360142]

test.each<{ name: string; given?: number }>([
  { name: 'a random seed' },
  ...found.map((seed) => ({ name: `seed ${seed}`, given: seed })),
])('[L17] the same workload gives the same answers and the same bytes on both stores ($name)', async ({ given }) => {
  const seed = given ?? randomSeed('equality of stores')
  await using server = await openTestPostgres()
  const sqlite = await runOn(openSqliteBench, seed)
  expect(await runOn(postgresBenches(server), seed)).toEqual(sqlite)
})
