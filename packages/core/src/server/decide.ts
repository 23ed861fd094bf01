import type { Command } from '@hotline/protocol/command'
import { type Context, type Decision, refuse } from '../decision.ts'
import { decidePolicy } from '../policy/decide-policy.ts'
import type { ServerState } from './server-state.ts'

/** What a command means for the server itself. Accounts and keys are no matter of commands. */
export function decideServer(state: ServerState | undefined, command: Command, context: Context): Decision {
  const decision = decidePolicy(state ?? {}, command, context)
  const detail = `"${command.type}" is not a command for the server; use the HTTP API for accounts and keys.`
  return decision ?? refuse('invalid_request', detail)
}
