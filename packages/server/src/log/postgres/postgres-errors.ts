import { describeError, StoreUnavailable } from '../store-unavailable.ts'

/**
 * What an error means for the transaction that it ended. `moved`: a head is not where we thought. `exists`: a row that must
 * be new is there. `again`: deadlock or serialization, the same may work now. `unavailable`: refused, nothing was written.
 * `unknown`: the connection broke, and the transaction may or may not have been committed. `bug`: everything else.
 */
export type PostgresTrouble = 'moved' | 'exists' | 'again' | 'unavailable' | 'unknown' | 'bug'

/** What the statement that writes raises on purpose when a head has moved on: division_by_zero. */
export const movedCode = '22012'

/** The connection broke, or gave no answer in time; what was sent may still be carried out. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/**
 * Waits for an answer of the server. What fails without a SQLSTATE was not the server's refusal but the way to it; except
 * for a parameter that cannot be sent at all.
 */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (sqlState(error) !== undefined || error instanceof TypeError || error instanceof RangeError) throw error
    throw new ConnectionLost(describeError(error), { cause: error })
  }
}

/** SQLSTATE of an error that the server sent; undefined where the connection broke. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** Sorts an error of pg (or a failpoint's) by its SQLSTATE. */
export function postgresTrouble(error: unknown): PostgresTrouble {
  const code = sqlState(error)
  if (error instanceof ConnectionLost) return 'unknown'
  if (code === undefined) return 'bug'
  if (code === movedCode) return 'moved'
  if (code === '23505') return 'exists'
  // Deadlock, serialization failure, lock not available.
  if (code === '40P01' || code === '40001' || code === '55P03') return 'again'
  // The server is shutting down or was restarted under us; a commit may have been on its way.
  if (code.startsWith('08') || code.startsWith('57P')) return 'unknown'
  // Out of disk, memory or connections; a standby; cancelled by a time-out; an error of its disk or files.
  if (/^(53|58|XX)/.test(code) || code === '25006' || code === '57014') return 'unavailable'
  // Cannot sign in: the password, the database or its rules have changed.
  if (code.startsWith('28') || code === '3D000') return 'unavailable'
  return 'bug'
}

/** The error to throw or to report for it. */
export function postgresError(error: unknown): Error {
  const trouble = postgresTrouble(error)
  if (trouble === 'bug' || trouble === 'exists' || trouble === 'moved') {
    return error instanceof Error ? error : new Error(String(error))
  }
  return new StoreUnavailable(describeError(error), { cause: error })
}
