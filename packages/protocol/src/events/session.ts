import { z } from 'zod'
import { Budget } from '../budget.ts'
import { Capabilities } from '../capabilities.ts'
import { defineEvent } from '../event.ts'
import { PauseKind } from './control.ts'
import { Bring, Isolation } from '../place.ts'
import { FileFence, TreeReach } from '../process-tree.ts'
import { SessionStatus } from '../status-schema.ts'
import { Id } from '../ids.ts'

/** How a process ended: an exit code or a signal, never both. */
export const Exit = z.looseObject({ code: z.int().nullable(), signal: z.string().nullable() })
export type Exit = z.infer<typeof Exit>

/** Why a session changed its state. */
export const ChangeReason = z.enum([
  'claimed',
  'agent_ready',
  'start_failed',
  'agent_exited',
  'agent_lost',
  'adapter_error',
  'goal_reached',
  /** Nothing happened for the time that the agent's profile names. */
  'idle',
  'requested',
  /** A budget is used up. */
  'budget_spent',
  'taken_over',
])
export type ChangeReason = z.infer<typeof ChangeReason>

/** The life of a session: its states, who holds it, what is known of its agent. */
export const sessionEvents = {
  'session.created': defineEvent(
    1,
    z.looseObject({
      project: Id,
      task: Id.optional(),
      /** The agent profile, for example `demo`, or `command` for any command line. */
      agent: Id,
      /** The runner that must take it; absent: any runner of the project. */
      runner: Id.optional(),
      /** What that runner has to be, or have. */
      labels: z.array(z.string()).optional(),
      personMessageChars: z.int(),
      agentMessageChars: z.int(),
      approvalTimeoutMs: z.int(),
      /** Whoever started it knew that nobody is asked about what it does, and had the right to decide. */
      unasked: z.boolean().optional(),
      /** Whoever started it wanted no fence around its agent, and had the right to decide. */
      unfenced: z.boolean().optional(),
      /** Whoever started it wanted edits to be free in a place of its own behind a fence, and had the right to decide. */
      freeEdits: z.boolean().optional(),
      /** It completes by itself at the end of its agent's turn. */
      endsAfter: z.literal('turn').optional(),
      budget: Budget.optional(),
      /** Absent: as its profile and the folder have it. */
      isolation: Isolation.optional(),
      bring: z.array(Bring).optional(),
    }),
    z.looseObject({
      title: z.string(),
      cwd: z.string().optional(),
      command: z.array(z.string()).optional(),
      mode: z.string().optional(),
    }),
  ),
  'session.state_changed': defineEvent(
    1,
    z.looseObject({
      from: SessionStatus,
      to: SessionStatus,
      reason: ChangeReason,
      exit: Exit.optional(),
      /** How it is paused, where nobody asked for that. */
      paused: z
        .looseObject({ kind: PauseKind, reach: TreeReach.optional(), processes: z.int().min(0).optional() })
        .optional(),
    }),
    z.looseObject({ note: z.string().optional() }),
  ),
  'session.renamed': defineEvent(1, z.looseObject({}), z.looseObject({ title: z.string() })),
  /** What the adapter learned about its agent: what it can do and the mode it is in. */
  'session.profile_changed': defineEvent(
    1,
    z.looseObject({
      capabilities: Capabilities.optional(),
      mode: z.string().optional(),
      modes: z.array(z.looseObject({ id: z.string(), name: z.string() })).optional(),
      model: z.string().optional(),
      pid: z.int().optional(),
      startedAt: z.string().optional(),
      /** How far stopping and ending it reaches. */
      reach: TreeReach.optional(),
      /** What it is kept from. */
      fence: FileFence.optional(),
      /** The agent's own name for its session: with it the adapter can resume. */
      native: z.string().optional(),
    }),
  ),
  'session.lease_taken': defineEvent(1, z.looseObject({ runner: Id, fence: z.int().min(1) })),
  /** A person gave it to another runner. From here on the former one is not heard: `fence` is above its own. */
  'session.taken_over': defineEvent(
    1,
    z.looseObject({ from: Id.optional(), runner: Id, fence: z.int().min(1) }),
    z.looseObject({ cwd: z.string().optional() }),
  ),
  /** What a former runner delivered afterwards: a branch to be read, which is no part of the conversation. */
  'report.recovered': defineEvent(
    1,
    z.looseObject({ runner: Id, fence: z.int().min(1), reported: z.string() }),
    z.looseObject({ data: z.looseObject({}), body: z.looseObject({}).optional() }),
  ),
  /** The runner has not been heard from since then. It changes no state: silence is no evidence. */
  'session.contact_lost': defineEvent(1, z.looseObject({ since: z.string() })),
  'session.contact_restored': defineEvent(1, z.looseObject({})),
  /** Somebody with the right said so, the agent by the tool for it, or a program by lines that ended well. */
  'goal.completed': defineEvent(
    1,
    z.looseObject({ by: z.enum(['person', 'agent', 'program']).optional() }),
    z.looseObject({ summary: z.string().optional() }),
  ),
}
