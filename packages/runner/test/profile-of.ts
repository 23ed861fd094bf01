import { fileURLToPath } from 'node:url'
import type { Asking } from '../src/adapters/adapter.ts'
import type { AgentProfile } from '../src/profiles/profile.ts'
import type { FakeCodexOptions } from './fake-codex.ts'
import type { Oddness } from './odd-agent.ts'

const file = fileURLToPath(new URL('odd-agent.ts', import.meta.url))

/** A profile of an agent with oddities. */
export function profileOf(agent: string, odd: Oddness, asking: Asking = { by: 'mode', modes: ['ask'] }): AgentProfile {
  return {
    agent,
    name: agent,
    description: '',
    adapter: 'acp',
    argv: [process.execPath, file, JSON.stringify(odd)],
    asking,
    hint: '',
  }
}

const fakeCodex = fileURLToPath(new URL('fake-codex.ts', import.meta.url))

/** A profile of an app-server that does what its prompts say. */
export function codexProfileOf(agent: string, options: FakeCodexOptions): AgentProfile {
  return {
    ...profileOf(agent, {}, { by: 'mode', modes: ['workspace-write', 'read-only'] }),
    adapter: 'codex',
    argv: [process.execPath, fakeCodex, JSON.stringify(options)],
    allowAlways: 'session',
  }
}
