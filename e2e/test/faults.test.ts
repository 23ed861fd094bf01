import { randomSeed } from '@hotline/testing/seed'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoreKind } from '../src/faults/fault-row.ts'
import { faultRows } from '../src/faults/rows.ts'
import { type FaultField, openFaultField } from '../src/faults/run-rows.ts'

/** `npm run faults` repeats these rows for as long as wanted; here each runs a few times, with another seed in every run. */
let field: FaultField
const seed = randomSeed('rows of faults')

beforeAll(async () => {
  field = await openFaultField()
})
afterAll(async () => {
  await field[Symbol.asyncDispose]()
})

async function run(row: number, store: StoreKind): Promise<void> {
  const found = faultRows.find((known) => known.row === row)
  if (!found) throw new Error(`there is no row ${row}`)
  const { counts, notes = [] } = await field.run(found, { seed, store, amount: 'some' })
  console.log(`row ${row} on ${store}: ${Object.entries(counts).flat().join(' ')} ${notes.join(', ')}`)
  // Nothing done is only right where the machine cannot do it, and says so.
  expect(Object.values(counts).some((count) => count > 0) || notes.length > 0).toBe(true)
}

describe('rows of the list of faults', () => {
  it('[D1] row 1: the server is killed, on SQLite', () => run(1, 'sqlite'))
  it('[D1] row 1: the server is killed, on PostgreSQL', () => run(1, 'postgres'))
  it('[D2] row 3: it dies in a checkpoint, a recovery, a migration and a start', () => run(3, 'sqlite'))
  it('[D3] row 5: what is gone stays gone, on SQLite', () => run(5, 'sqlite'))
  it('[D4] row 6: the disk is sick', () => run(6, 'sqlite'))
  it('[D5] row 8: a follow begins anywhere, on SQLite', () => run(8, 'sqlite'))
  it('[D5] row 8: a follow begins anywhere, on PostgreSQL', () => run(8, 'postgres'))
  it('[D6] row 9: a reconnect at every position', () => run(9, 'sqlite'))
  it('[D7] row 18: readers that do not read', () => run(18, 'sqlite'))
  it('[D8] row 20: everything is said twice, on SQLite', () => run(20, 'sqlite'))
  it('[D8] row 20: everything is said twice, on PostgreSQL', () => run(20, 'postgres'))
  it('[D9] row 21: a client dies', () => run(21, 'sqlite'))
  it('[AM3] [T32] row 22: somebody dies at each step of an approval, on SQLite', () => run(22, 'sqlite'))
  it('[AM3] [T32] row 22: somebody dies at each step of an approval, on PostgreSQL', () => run(22, 'postgres'))
  it('[D12] row 24: frames are tortured', () => run(24, 'sqlite'))
  it('[C16] [N1] [N2] row 26: transports switch in mid-session', () => run(26, 'sqlite'))
  it('[D14] row 27: old and new speak with each other', () => run(27, 'sqlite'))
  it('[D13] row 29: it stands still, and works for long', () => run(29, 'sqlite'))
  it('[D10] row 31: a snapshot and its tail', () => run(31, 'sqlite'))
  it('[D11] row 32: both stores', () => run(32, 'sqlite'))
  it('[R114] row 35: server, runner, keeper and agents are killed', () => run(35, 'sqlite'))
})
