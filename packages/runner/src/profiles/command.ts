import { commandAgent, logAgent, mcpAgent, pipeAgent } from '@hotline/protocol/commands/session'
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
  {
    agent: pipeAgent,
    name: 'Any command, by lines',
    description: 'Any program without a terminal: each message is a line of its input',
    adapter: 'pipe',
    argv: 'of-session',
    asking: { by: 'settings' },
    hint: '',
  },
  {
    agent: logAgent,
    name: 'A log file',
    description: 'Follows a file that something else writes; nothing is started',
    adapter: 'log',
    argv: 'of-session',
    asking: { by: 'settings' },
    hint: '',
  },
  {
    agent: mcpAgent,
    name: 'An agent from elsewhere',
    description: 'An agent that Hotline did not start, and that asks and tells by the tools of Hotline',
    adapter: 'mcp',
    argv: [],
    asking: { by: 'settings' },
    hint: 'Its own MCP client starts it: hotline mcp --new',
  },
]
