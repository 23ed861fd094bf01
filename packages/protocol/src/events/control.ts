import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { TreeReach } from '../process-tree.ts'
import { Id } from '../ids.ts'

/** What can be done to an agent besides writing to it. */
export const ControlAction = z.enum(['pause', 'resume', 'interrupt', 'kill', 'set_mode'])
export type ControlAction = z.infer<typeof ControlAction>

/** `now`: every process is stopped where it is; `next_step`: the agent is held when it next asks, or ends its turn. */
export const PauseMoment = z.enum(['now', 'next_step'])
export type PauseMoment = z.infer<typeof PauseMoment>

/** How a paused agent is kept: its processes are stopped, or it waits for an answer or a message that it does not get. */
export const PauseKind = z.enum(['frozen', 'held'])
export type PauseKind = z.infer<typeof PauseKind>

/** Somebody wants something done to the agent, and what became of it. */
export const controlEvents = {
  /** A person wants something done to the agent; the runner that holds it answers with done or failed. */
  'control.requested': defineEvent(
    1,
    z.looseObject({
      control: Id,
      action: ControlAction,
      mode: z.string().optional(),
      /** For `pause`; absent: now. */
      when: PauseMoment.optional(),
      /** For `interrupt`: what it has started in this turn is ended as well, at once. */
      hard: z.boolean().optional(),
      /** For `kill`: how the session ends once nothing is left running. */
      ending: z.enum(['aborted', 'completed']).optional(),
    }),
    z.looseObject({ reason: z.string().optional() }),
  ),
  /**
   * The agent did not stop its turn by itself, or somebody did not want to wait: what it had started in that turn was ended,
   * so many processes. Where that did not help whoever did not want to wait, the agent itself gets a signal (`agent`). The
   * end of the turn, that of the agent, or a failure follows.
   */
  'control.escalated': defineEvent(
    1,
    z.looseObject({
      control: Id,
      action: ControlAction,
      processes: z.int().min(0),
      agent: z.literal(true).optional(),
      afterMs: z.int().min(0),
    }),
  ),
  /** With the evidence: how far it reached, and how many processes it found. */
  'control.done': defineEvent(
    1,
    z.looseObject({
      control: Id,
      action: ControlAction,
      kind: PauseKind.optional(),
      reach: TreeReach.optional(),
      processes: z.int().min(0).optional(),
    }),
  ),
  'control.failed': defineEvent(
    1,
    z.looseObject({ control: Id, action: ControlAction }),
    z.looseObject({ reason: z.string() }),
  ),
}
