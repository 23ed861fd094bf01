import type { Compilable, Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * A query whose text is made once: building it costs several times what SQLite needs to answer, and some are asked at
 * every request and every connection. `query` has a stand-in for each parameter, in their order.
 */
export function compiledOnce<R>(
  db: Kysely<Tables>,
  query: Compilable<R>,
): (...parameters: readonly string[]) => Promise<readonly R[]> {
  const compiled = query.compile()
  return async (...parameters) => {
    if (parameters.length !== compiled.parameters.length) throw new TypeError('one value for each parameter')
    const { rows } = await db.executeQuery<R>({ ...compiled, parameters })
    return rows
  }
}
