import { commandAgent } from '@hotline/protocol/commands/session'
import type { AgentProfile } from './profile.ts'

/** Programs that are no agents. */
export const commandProfiles: readonly AgentProfile[] = [
  {
    agent: commandAgent,
    name: 'Any command',
    description: 'Any program, in a terminal',
    adapter: 'pty',
    argv: 'of-session',
    asking: { by: 'settings' },
    hint: '',
  },
]
