import type { Ending } from './turns.ts'
import type { ResultLine } from './schema.ts'

const errorChars = 4_000

/** How a turn ended. The subtype alone says nothing: a model that cannot be reached ends as a success with an error in it. */
export function endingOf(line: ResultLine): Ending {
  const { subtype, is_error: isError, terminal_reason: reason, stop_reason: stop, result, errors } = line
  if (reason?.startsWith('aborted')) return { end: 'cancelled' }
  if (subtype === 'error_max_turns' || subtype === 'error_max_budget_usd') return { end: 'limit' }
  if (isError === true || (subtype && subtype !== 'success')) {
    const said = [result, ...(errors ?? []), reason, subtype].find((text) => typeof text === 'string' && text !== '')
    return { end: 'error', error: (said ?? 'The agent did not say why.').slice(0, errorChars) }
  }
  if (stop === 'refusal') return { end: 'refused' }
  return { end: stop === 'max_tokens' ? 'limit' : 'end' }
}
