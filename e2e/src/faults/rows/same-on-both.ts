import { isDeepStrictEqual } from 'node:util'
import { type DatabasePlace, openDatabase } from '@hotline/server/log/open-database'
import { systemClock } from '@hotline/server/machine/clock'
import { seededIds } from '@hotline/testing/log-bench'
import { dumpLog, runLogWorkload } from '@hotline/testing/log-workload'
import { seededRandom } from '@hotline/testing/seed'
import { type Done, FaultFound, type FaultRow, type Ground } from '../fault-row.ts'

/** Row 32: the same workload leaves the same bytes on both stores, also after they were opened again. */
export const sameOnBoth: FaultRow = {
  row: 32,
  name: 'the same workload on SQLite and on PostgreSQL',
  stores: ['sqlite'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount, dir } = ground
    const turns = amount === 'some' ? 300 : 2_000
    const seed = random.int(0, 0xffffffff)
    const places: DatabasePlace[] = [
      { kind: 'sqlite', dir },
      { kind: 'postgres', url: await ground.openPostgres() },
    ]
    const outcomes: unknown[] = []
    for (const place of places) {
      const own = seededRandom(seed)
      const means = { clock: systemClock, ids: seededIds(own.fork('ids')) }
      const database = await openDatabase(place, means)
      const said = await runLogWorkload(database.store, own.fork('workload'), turns)
      const before = await dumpLog(database.store, database.lists)
      await database[Symbol.asyncDispose]()
      const again = await openDatabase(place, means)
      const after = await dumpLog(again.store, again.lists)
      await again[Symbol.asyncDispose]()
      if (!isDeepStrictEqual(plain(before), plain(after)))
        throw new FaultFound(`${place.kind} reads differently when it is opened again`)
      outcomes.push({ said, before })
    }
    if (!isDeepStrictEqual(plain(outcomes[0]), plain(outcomes[1])))
      throw new FaultFound('the stores answered or stored something else')
    return { counts: { turns: turns * 2 } }
  },
}

/** Drivers make rows with and without a prototype, and an absent member may be undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
