import { z } from 'zod'
import { Actor, Role } from '../actor.ts'
import { defineEvent } from '../event.ts'
import { Digest } from './approval.ts'
import { ChangeReason, Exit } from './session.ts'
import { PolicyModeName } from '../policy-mode-schema.ts'
import { SessionStatus } from '../status-schema.ts'
import { Id } from '../ids.ts'

/** Projects, members, and the line of each session in its project. */
export const projectEvents = {
  'project.created': defineEvent(1, z.looseObject({ project: Id }), z.looseObject({ name: z.string() })),
  'project.renamed': defineEvent(1, z.looseObject({}), z.looseObject({ name: z.string() })),
  /** So many of its sessions are at work at once; absent for as many as there are machines for. */
  'project.sessions_limited': defineEvent(1, z.looseObject({ sessions: z.int().min(1).optional() })),
  'member.added': defineEvent(1, z.looseObject({ account: Id, role: Role })),
  'member.changed': defineEvent(1, z.looseObject({ account: Id, role: Role })),
  'member.removed': defineEvent(1, z.looseObject({ account: Id })),
  /** The line of one session in the project's lists and inbox, written together with what changed it. */
  'session.indexed': defineEvent(
    1,
    z.looseObject({
      session: Id,
      task: Id.optional(),
      agent: Id,
      runner: Id.optional(),
      /** The session's position that this line describes. */
      at: z.int(),
      status: SessionStatus,
      turn: z.enum(['idle', 'running', 'waiting', 'watched']),
      openApprovals: z.array(Id),
      /** Approvals that came to their end with what this line describes; absent where none did. */
      endedApprovals: z.array(Id).optional(),
      openQuestions: z.array(Id),
      /** Approvals that wait behind the open ones; absent where there are none. */
      waitingApprovals: z.int().optional(),
      /** Approvals that a person has answered, and whose agent does not have the answer yet; absent where there are none. */
      answersUnderWay: z.int().optional(),
      /** When the oldest of what is open was asked for; absent where nothing is. */
      oldestApprovalAt: z.string().optional(),
      staleSince: z.string().optional(),
      since: z.string(),
      /** Why it is in this status, and how its process ended where it did. */
      reason: ChangeReason.optional(),
      exit: Exit.optional(),
      /** A person has ended it, and its agent is not yet gone. */
      ending: z.enum(['aborted', 'completed']).optional(),
      /** What is not asked in it; absent where everything is. */
      policyMode: z.looseObject({ mode: PolicyModeName, until: z.string().optional() }).optional(),
    }),
    z.looseObject({ title: z.string() }),
  ),
  /** A person allowed it for the project: on this machine, settings of this digest are not asked about any more. */
  'folder.trusted': defineEvent(
    1,
    z.looseObject({ runner: Id, digest: Digest, session: Id, by: Actor }),
    z.looseObject({ folder: z.string() }),
  ),
  'folder.distrusted': defineEvent(1, z.looseObject({ runner: Id, digest: Digest })),
}
