import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { evolvePolicy } from '../policy/policy-state.ts'
import type { ServerState } from './server-state.ts'

/** The fold of the server's stream; the lines of accounts and keys change lists, not rules. Undefined before the first rule. */
export function evolveServer(state: ServerState | undefined, event: Envelope): ServerState | undefined {
  const known = asKnown(event)
  const changed = known && evolvePolicy(state ?? {}, known, 'server')
  return changed ? { kind: 'server', ...state, ...changed } : state
}
