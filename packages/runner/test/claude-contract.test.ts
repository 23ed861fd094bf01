import { randomBytes } from 'node:crypto'
import { type AdapterUnderTest, adapterContract } from '@hotline/testing/adapter-contract'
import type { AgentSession } from '../src/adapters/adapter.ts'
import { openClaudeDriver } from '../src/adapters/claude/claude-driver.ts'
import { runVariable } from '../src/process/environment.ts'
import { openLocalHolder } from '../src/process/local-holder.ts'
import { type Act, acts, fakeClaude } from './fake-claude-acts.ts'

// What a run started is found by its mark: two files at once must not end each other's.
const run = randomBytes(16).toString('hex')
const play = (agent: AgentSession, ...list: Act[]): Promise<void> => agent.prompt('t1', acts(...list))

const claude: AdapterUnderTest = {
  driver: openClaudeDriver(),
  openHolder: (folder) => openLocalHolder({ folder }),
  spec: (cwd, what) => ({
    session: 's1',
    argv: what === 'missing' ? ['/nowhere/program'] : fakeClaude(what === 'slow' ? { mute: true } : {}),
    cwd,
    env: { PATH: process.env['PATH'] ?? '', [runVariable]: run },
    run,
    asking: { by: 'mode', modes: ['default'] },
  }),
  flood: (agent, lines) => {
    const text = Array.from({ length: lines }, (_, n) => `line ${n + 1}\n`).join('')
    return play(agent, { do: 'say', text, pieces: lines }, { do: 'write', path: 'done' })
  },
  exit: (agent, code) => play(agent, { do: 'die', code }),
  spawnChild: (agent) => play(agent, { do: 'spawn' }),
  listen: (agent) => play(agent, { do: 'listen' }),
  ask: (agent) =>
    play(agent, { do: 'ask', tool: 'Bash', input: { command: 'x' }, onAllow: [{ do: 'write', path: 'allowed' }] }),
}

adapterContract('claude', claude)
