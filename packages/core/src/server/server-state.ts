import type { PolicyState } from '../policy/policy-state.ts'

/** What the rules know of the server itself. Its accounts, keys and machines are in the log and in the lists, not here. */
export interface ServerState extends PolicyState {
  kind: 'server'
}
