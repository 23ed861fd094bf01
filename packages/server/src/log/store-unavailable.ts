/** The store cannot be reached or written now; trying again later may help. Thrown by reads; `append` answers it. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
  readonly kind = 'unavailable'
}

/** What is stored does not hold what its hash says. It is never served; `where` names the stream and position. */
export class LogDamaged extends Error {
  override readonly name = 'LogDamaged'
  constructor(stream: string, seq: number, reason: string) {
    super(`the log is damaged at ${stream} event ${seq}: ${reason}`)
  }
}

/** The one line that an operator reads about an error from below. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
