import { type Problem, problem } from '@hotline/protocol/error'

/** The store cannot be reached or written now; trying again later may help. Thrown by reads; `append` answers it. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
  readonly kind = 'unavailable'
}

/** What is stored does not hold what its hash says. It is never served; `where` names the stream and position. */
export class LogDamaged extends Error {
  override readonly name = 'LogDamaged'
  readonly kind = 'damaged'
  constructor(stream: string, seq: number, reason: string) {
    super(`the log is damaged at ${stream} event ${seq}: ${reason}`)
  }
}

/** What people are told of it; undefined for any other error. */
export function damageOf(error: unknown): Problem | undefined {
  if (!(error instanceof LogDamaged)) return undefined
  const { message } = error
  return problem('log_damaged', `${message.charAt(0).toUpperCase()}${message.slice(1)}. \`hotline doctor\` tells more.`)
}

/** The one line that an operator reads about an error from below. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
