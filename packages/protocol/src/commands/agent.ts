import { z } from 'zod'
import { limits } from '../limits.ts'
import { Id } from '../ids.ts'

/** The types of events that a runner may report of its agent; everything else is the server's or a person's to say. */
export const reportable = [
  'session.state_changed',
  'session.profile_changed',
  'message.posted',
  'message.delta',
  'message.completed',
  'message.delivered',
  'message.seen',
  'message.delivery_unknown',
  'thought.delta',
  'thought.completed',
  'turn.started',
  'turn.ended',
  'step.started',
  'step.progressed',
  'step.finished',
  'loop.noticed',
  'plan.updated',
  'usage.reported',
  'output.appended',
  'screen.saved',
  'approval.requested',
  'approval.cancelled',
  'approval.dispatched',
  'approval.dispatch_refused',
  'approval.dispatch_unknown',
  'question.asked',
  'question.withdrawn',
  'goal.completed',
  'control.escalated',
  'control.done',
  'control.failed',
  'budget.changed',
  'budget.warned',
  'budget.exhausted',
  'checkpoint.created',
  'checkpoint.skipped',
  'undo.planned',
  'undo.refused',
  'checkpoint.restored',
  'workspace.prepared',
  'workspace.released',
  'draft.ready',
  'draft.refused',
  'draft.resolved',
] as const

/** Events that come from an agent's side, and from nowhere else. */
export type ReportableType = (typeof reportable)[number]

/** An event as a runner tells it; the rules decide whether it still fits. */
export const Report = z.strictObject({
  type: z.enum(reportable),
  /** When it happened on the runner's machine; kept as evidence inside `data.observedAt`. */
  data: z.looseObject({}),
  body: z.looseObject({}).optional(),
})
export type Report = z.infer<typeof Report>

/** What runners send, and the server's own clocks; people cannot send these. */
export const agentCommands = {
  /** A runner takes a queued or interrupted session, or its own again after a restart. The fence grows by one. */
  'lease.take': z.strictObject({}),
  /** What the agent did since the last report, in order, under the fence of the lease. */
  'agent.report': z.strictObject({ fence: z.int().min(1), events: z.array(Report).min(1).max(limits.reportEvents) }),
  /** What a runner still had to say of a session that was taken over from it, under its fence of then. It alters nothing. */
  'agent.recover': z.strictObject({ fence: z.int().min(1), events: z.array(Report).min(1).max(limits.reportEvents) }),
  /** The server's own clocks. */
  'approval.expire': z.strictObject({ approval: Id }),
  /** What is open is looked at again, by the rules of the project as they are now. */
  'approval.judge': z.strictObject({}),
  /** Hands-free is over; `until`: the time that was said, so that a later one is not meant. */
  'policy.end_mode': z.strictObject({ until: z.string() }),
  'contact.lose': z.strictObject({ since: z.string() }),
  'contact.restore': z.strictObject({}),
}
