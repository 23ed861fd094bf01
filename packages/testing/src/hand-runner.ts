import type { CommandOutcome } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import { approvalDigest, contextDigest, inputDigest } from '@hotline/core/approval-digest'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Report } from '@hotline/protocol/commands/agent'
import type { ApprovalRequest, Scope } from '@hotline/protocol/events/approval'
import { sha256 } from './sha256.ts'

/** A runner without an agent: it holds the lease and reports what a test wants to have happened. */
export interface HandRunner {
  readonly session: string
  readonly stream: string
  report(...events: Report[]): Promise<CommandOutcome>
  /**
   * Asks for permission; answers the id of the approval and the digest that a decision needs. `of`: under which id, for
   * which step, about which settings, and how far it may reach.
   */
  ask(
    request: ApprovalRequest,
    of?: { approval?: string; step?: string; trusts?: string; scopes?: readonly Scope[]; expiresAt?: string },
  ): Promise<{ approval: string; digest: string }>
}

/** What sends a command and answers what became of it: a link, or an oracle. */
export interface Sender {
  command<T extends CommandType>(stream: string, type: T, data: CommandInput<T>): Promise<CommandOutcome>
}

/** What its agent says that it can do. */
export const handCapabilities = {
  input: 'turns',
  interrupt: true,
  pause: 'signal',
  resume: false,
  verdicts: ['allow', 'deny', 'modify'],
  denyReason: true,
  questions: true,
  screen: false,
}

/** Takes a queued session with the credential of a runner, and says that its agent is ready. Throws what is refused. */
export async function takeByHand(session: string, sender: Sender): Promise<HandRunner> {
  const stream = `session:${session}`
  const taken = await sender.command(stream, 'lease.take', {})
  if (!taken.ok) throw new Error(`lease.take: ${taken.problem.detail}`)
  const { fence } = taken.accepted
  if (fence === undefined) throw new Error('lease.take was answered without a fence')
  const report: HandRunner['report'] = async (...events) => {
    const outcome = await sender.command(stream, 'agent.report', { fence, events })
    if (!outcome.ok) throw new Error(`agent.report: ${outcome.problem.detail}`)
    if (outcome.accepted.dropped) throw new Error(`dropped: ${JSON.stringify(outcome.accepted.dropped)}`)
    return outcome
  }
  await report(
    { type: 'session.profile_changed', data: { capabilities: handCapabilities } },
    { type: 'session.state_changed', data: { from: 'starting', to: 'active', reason: 'agent_ready' }, body: {} },
  )
  return {
    session,
    stream,
    report,
    ask: async (request, of) => {
      const approval = of?.approval ?? uuidV7()
      const context = contextDigest(session, 'demo', request, sha256)
      const digest = approvalDigest(context, inputDigest(request, sha256) ?? '', sha256)
      const data = {
        approval,
        digest,
        contextDigest: context,
        verdicts: ['allow', 'deny', 'modify'],
        scopes: ['once'],
        strength: 'enforced',
        ...of,
      }
      await report({ type: 'approval.requested', data, body: request })
      return { approval, digest }
    },
  }
}
