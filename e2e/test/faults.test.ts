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
  expect(Object.values(counts).some((count) => count > 0)).toBe(true)
}

describe('rows of the list of faults', () => {
  it('[D1] row 1: the server is killed, on SQLite', () => run(1, 'sqlite'))
  it('[D1] row 1: the server is killed, on PostgreSQL', () => run(1, 'postgres'))
})
