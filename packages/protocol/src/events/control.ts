import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Id } from '../stream.ts'

/** What can be done to an agent besides writing to it. */
export const ControlAction = z.enum(['pause', 'resume', 'interrupt', 'kill', 'set_mode'])
export type ControlAction = z.infer<typeof ControlAction>

/** Somebody wants something done to the agent, and what became of it. */
export const controlEvents = {
  /** A person wants something done to the agent; the runner that holds it answers with done or failed. */
  'control.requested': defineEvent(
    1,
    z.looseObject({
      control: Id,
      action: ControlAction,
      mode: z.string().optional(),
      /** For `kill`: how the session ends once nothing is left running. */
      ending: z.enum(['aborted', 'completed']).optional(),
    }),
    z.looseObject({ reason: z.string().optional() }),
  ),
  'control.done': defineEvent(1, z.looseObject({ control: Id, action: ControlAction })),
  'control.failed': defineEvent(
    1,
    z.looseObject({ control: Id, action: ControlAction }),
    z.looseObject({ reason: z.string() }),
  ),
}
