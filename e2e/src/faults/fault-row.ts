import type { SeededRandom } from '@hotline/testing/seed'
import type { DiskShim } from './disk-shim.ts'

/** Where a row keeps its log. */
export type StoreKind = 'sqlite' | 'postgres'

/** How much a row does: `some` fits into every run of CI, `much` is for a person who looks for faults. */
export type Amount = 'some' | 'much'

/** What one run of a row is given. */
export interface Ground {
  random: SeededRandom
  amount: Amount
  store: StoreKind
  /** An empty directory; removed afterwards. */
  dir: string
  /** Where a server of this run keeps its log: `dir`, and a fresh database where the row is for PostgreSQL. */
  openStore: () => Promise<{ dir: string; databaseUrl: string | undefined }>
  /** The URL of a fresh database of a private PostgreSQL. */
  openPostgres: () => Promise<string>
  /** A library that makes a disk fail on demand; a reason where there is none here. */
  shim: () => Promise<DiskShim | { absent: string }>
}

/** What was done, in numbers and in the order to be shown; and what could not be done here, with the reason. */
export interface Done {
  counts: Readonly<Record<string, number>>
  notes?: readonly string[]
}

/** One row of the list of faults: something goes wrong, and afterwards everything must hold. */
export interface FaultRow {
  row: number
  /** What goes wrong, in a few words. */
  name: string
  /** The kinds of store for which the row means something. */
  stores: readonly StoreKind[]
  /** Does it once, and throws `FaultFound` where something does not hold. */
  run(ground: Ground): Promise<Done>
}

/** Something was lost, doubled, out of order or untrue. */
export class FaultFound extends Error {
  override readonly name = 'FaultFound'
}

/** Throws `FaultFound` unless the list is empty. */
export function expectNothing(violations: readonly string[]): void {
  if (violations.length === 0) return
  const more = violations.length > 12 ? `\n  … and ${violations.length - 12} more` : ''
  throw new FaultFound(`${violations.slice(0, 12).join('\n  ')}${more}`)
}
