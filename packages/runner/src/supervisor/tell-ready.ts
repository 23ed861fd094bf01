import { type AgentFacts, type AgentSession, runsProgram } from '../adapters/adapter.ts'
import { asConfigured } from '../profiles/abilities.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import { stateReport } from './endings.ts'
import { profileReport } from './report-of.ts'
import type { Reporter } from './reporter.ts'
import type { SessionLog } from './session-log.ts'

/** Reports that an agent was started, and what it can do. */
export function tellReady(
  agent: AgentSession,
  of: { session: string; profile: AgentProfile; sessionLog: SessionLog; reporter: Reporter },
): void {
  const { profile, sessionLog, reporter } = of
  const { pid, startedAt, tree } = agent
  const capabilities = asConfigured(agent.capabilities, profile)
  const facts = factsOf(agent.facts, profile, sessionLog.state?.native ?? of.session)
  const set = sessionLog.state?.budget
  if (profile.budget && sessionLog.state?.startedAt === undefined) {
    reporter.put({ type: 'budget.changed', data: { budget: { ...profile.budget, ...set } } })
  }
  const fence = profile.contain === 'files' ? 'files' : 'none'
  reporter.put(profileReport(facts, { capabilities, pid, startedAt, reach: tree?.reach, fence }))
  if (sessionLog.state?.status !== 'active') reporter.put(stateReport('active', 'agent_ready'))
  for (const { control, action } of sessionLog.controls) {
    if (action === 'resume') reporter.put({ type: 'control.done', data: { control, action } })
  }
  if (!runsProgram(profile.adapter) && profile.asking.by === 'settings') {
    reporter.output('log', 'This agent was told by its settings to ask; nothing confirms that it does.\n')
  }
}

/** A program has no name for its session; by the command line that takes it up again it goes by ours. */
function factsOf(facts: AgentFacts, { adapter, interactive }: AgentProfile, session: string): AgentFacts {
  return runsProgram(adapter) && interactive?.resumeArgv !== undefined ? { ...facts, native: session } : facts
}
