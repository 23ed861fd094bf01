/** One step of the schema. Steps are never edited once released; a change is a new step. */
export interface Migration {
  /** 1, 2, 3, … */
  version: number
  statements: readonly string[]
}

/** The database was written by a newer Hotline (or by something else), or is damaged: it is not opened. */
export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused'
}

/** The steps that are still to be done, in order. Throws `DatabaseRefused` for a schema from the future. */
export function missingSteps(migrations: readonly Migration[], current: number, where: string): readonly Migration[] {
  const newest = migrations.at(-1)?.version ?? 0
  if (current > newest) {
    throw new DatabaseRefused(
      `${where} has schema version ${current}, this Hotline knows versions up to ${newest}: start the newer Hotline that wrote it, or restore a backup`,
    )
  }
  return migrations.filter((migration) => migration.version > current)
}
