import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type PrivatePostgres, startPrivatePostgres } from '@hotline/testing/private-postgres'
import { seededRandom } from '@hotline/testing/seed'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { compileShim, type DiskShim, openShim } from './disk-shim.ts'
import type { Amount, Done, FaultRow, StoreKind } from './fault-row.ts'

/** A place to run rows in: its directory, and what they share because it is slow to make. */
export interface FaultField extends AsyncDisposable {
  /** Throws what the row throws. The same seed does the same, as far as the clocks of several processes allow. */
  run(row: FaultRow, how: { seed: number; store: StoreKind; amount: Amount }): Promise<Done>
}

export async function openFaultField(): Promise<FaultField> {
  const dir: TempDir = await openTempDir('hotline-faults-')
  let postgres: Promise<PrivatePostgres> | undefined
  let shim: ReturnType<typeof compileShim> | undefined
  let runs = 0

  async function openShimIn(folder: string): Promise<DiskShim | { absent: string }> {
    const compiled = await (shim ??= compileShim(dir.path))
    return 'absent' in compiled ? compiled : openShim(compiled.library, join(folder, 'disk-shim'))
  }

  return {
    run: async (row, { seed, store, amount }) => {
      runs += 1
      const folder = join(dir.path, String(runs))
      await mkdir(folder)
      const openPostgres = async (): Promise<string> => (await (postgres ??= startPrivatePostgres())).createDatabase()
      return row.run({
        random: seededRandom(seed).fork(`row ${row.row}`),
        amount,
        store,
        dir: folder,
        openStore: async () => ({ dir: folder, databaseUrl: store === 'postgres' ? await openPostgres() : undefined }),
        openPostgres,
        shim: () => openShimIn(folder),
      })
    },
    [Symbol.asyncDispose]: async () => {
      await (await postgres)?.stop()
      await dir.remove()
    },
  }
}
