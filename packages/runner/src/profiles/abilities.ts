import type { Capabilities } from '@hotline/protocol/capabilities'
import { type AdapterName, runsProgram } from '../adapters/adapter.ts'
import type { AgentProfile } from './profile.ts'

/** What is known of an agent before it was ever started; what it says of itself later counts more. */
export type Abilities = Partial<Capabilities>

const speaking: Abilities = { input: 'turns', interrupt: true, pause: 'signal', questions: true, screen: false }
const program: Abilities = {
  interrupt: false,
  pause: 'signal',
  resume: false,
  verdicts: [],
  denyReason: false,
  questions: false,
}

/** Through the Agent Client Protocol an agent says only when it starts whether it can take up a session again. */
const byAdapter: Record<AdapterName, Abilities> = {
  acp: { ...speaking, verdicts: ['allow', 'deny'], denyReason: false },
  claude: { ...speaking, steer: true, verdicts: ['allow', 'deny', 'modify'], denyReason: true, resume: true },
  codex: { ...speaking, steer: true, verdicts: ['allow', 'deny'], denyReason: true, resume: true },
  pty: { ...program, input: 'keys', screen: true },
  pipe: { ...program, input: 'lines', screen: false },
  log: { ...program, input: 'none', pause: 'none', screen: false },
  mcp: { ...program, input: 'none', pause: 'none', screen: false, questions: true },
}

/** What an agent can do, as far as its adapter and its profile tell. */
export function abilitiesOf(profile: AgentProfile): Abilities {
  return asConfigured(byAdapter[profile.adapter], profile)
}

/** What a profile takes from an agent, or adds to it: no input where people shall not write, and a way to take it up again. */
export function asConfigured<T extends Abilities>(abilities: T, { interactive, adapter }: AgentProfile): T {
  if (!interactive) return abilities
  return {
    ...abilities,
    ...(interactive.allowHumanInput ? {} : { input: 'none' as const, steer: false }),
    ...(interactive.resumeArgv !== undefined && runsProgram(adapter) ? { resume: true } : {}),
  }
}
