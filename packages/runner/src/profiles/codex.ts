import { logins } from './logins.ts'
import type { AgentProfile } from './profile.ts'
import { network, openai } from './variables.ts'

/** Codex by its own program, without anything in between. */
export const codexProfiles: readonly AgentProfile[] = [
  {
    agent: 'codex',
    name: 'Codex',
    description: 'Codex by its own program',
    adapter: 'codex',
    argv: ['codex', 'app-server'],
    env: [...network, ...openai, 'CODEX_API_KEY', 'CODEX_HOME'],
    // What it logs is read by people here.
    set: { NO_COLOR: '1' },
    // In the second one it changes its folder without asking: whoever wants that chooses it.
    asking: { by: 'mode', modes: ['read-only', 'workspace-write'] },
    allowAlways: 'session',
    hasSandbox: true,
    hint: 'Install it with: npm install -g @openai/codex, and sign in with: codex login',
    versionArgs: ['--version'],
    login: logins.codex,
    ownRules: 'codex',
  },
]
