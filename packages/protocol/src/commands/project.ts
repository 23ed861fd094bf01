import { z } from 'zod'
import { Actor, Role } from '../actor.ts'
import { Digest } from '../events/approval.ts'
import { Id } from '../ids.ts'
import { FolderPath } from '../folder-path.ts'
import { Title } from './session.ts'

/** Projects and their members. */
export const projectCommands = {
  /** Creates the project stream it is sent to; the sender becomes its owner. */
  'project.create': z.strictObject({ name: Title }),
  'project.rename': z.strictObject({ name: Title }),
  /** How many of its sessions may be at work at once; null for as many as there are machines for. Those at work stay so. */
  'project.limit_sessions': z.strictObject({ sessions: z.int().min(1).max(10_000).nullable() }),
  'member.add': z.strictObject({ account: Id, role: Role }),
  'member.change': z.strictObject({ account: Id, role: Role }),
  'member.remove': z.strictObject({ account: Id }),
  /** What a person allowed for the whole project in a session: its settings start agents without a question. */
  'folder.trust': z.strictObject({ runner: Id, folder: FolderPath, digest: Digest, session: Id, by: Actor }),
  /** The next start asks again. */
  'folder.distrust': z.strictObject({ runner: Id, digest: Digest }),
}
