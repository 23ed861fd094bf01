import { z } from 'zod'
import { accountCommands } from './commands/account.ts'
import { agentCommands } from './commands/agent.ts'
import { approvalCommands } from './commands/approval.ts'
import { checkpointCommands } from './commands/checkpoint.ts'
import { draftCommands } from './commands/draft.ts'
import { messageCommands } from './commands/message.ts'
import { policyCommands } from './commands/policy.ts'
import { projectCommands } from './commands/project.ts'
import { sessionCommands } from './commands/session.ts'
import { taskCommands } from './commands/task.ts'
import { terminalCommands } from './commands/terminal.ts'
import { webhookCommands } from './commands/webhook.ts'
import { Id, StreamId } from './ids.ts'

/** The data of every command, by type. Unknown members are refused, never dropped. */
export const commandData = {
  ...sessionCommands,
  ...messageCommands,
  ...approvalCommands,
  ...terminalCommands,
  ...checkpointCommands,
  ...draftCommands,
  ...projectCommands,
  ...taskCommands,
  ...policyCommands,
  ...agentCommands,
  ...accountCommands,
  ...webhookCommands,
} as const

/** The name of a command, `noun.verb`. */
export type CommandType = keyof typeof commandData

/** All of them, for whoever walks the commands. */
export const commandTypes = Object.keys(commandData) as [CommandType, ...CommandType[]]

/**
 * The envelope of a command. `id` is made by the sender (UUIDv7); together with the sender it is the idempotency key:
 * the same id again returns the first answer, the same id with another content is refused.
 */
export const CommandEnvelope = z.strictObject({
  id: Id,
  stream: StreamId,
  type: z.enum(commandTypes),
  data: z.unknown(),
})

/** A command of one type as it was read: defaults are filled in. */
export type CommandOf<T extends CommandType> = T extends CommandType
  ? { id: string; stream: string; type: T; data: z.infer<(typeof commandData)[T]> }
  : never

/** Any command as it was read. */
export type Command = CommandOf<CommandType>
/** What a sender writes: members with a default may be left out. */
export type CommandInput<T extends CommandType> = z.input<(typeof commandData)[T]>

/** Reads a command from outside; the issues name the path and what is wrong there. */
export function parseCommand(input: unknown): { command: Command } | { issues: { path: string; message: string }[] } {
  const envelope = CommandEnvelope.safeParse(input)
  if (!envelope.success) return { issues: issuesOf(envelope.error, '') }
  return parseCommandData(envelope.data)
}

/** The same where the envelope was read before, as part of a frame. */
export function parseCommandData(
  envelope: z.infer<typeof CommandEnvelope>,
): { command: Command } | { issues: { path: string; message: string }[] } {
  const { id, stream, type } = envelope
  const data = commandData[type].safeParse(envelope.data)
  if (!data.success) return { issues: issuesOf(data.error, 'data') }
  return { command: { id, stream, type, data: data.data } as Command }
}

/** Validation issues as short sentences, at most ten. */
export function issuesOf(error: z.ZodError, prefix: string): { path: string; message: string }[] {
  return error.issues.slice(0, 10).map((issue) => ({
    path: [prefix, ...issue.path.map(String)].filter((part) => part !== '').join('.'),
    message: issue.message,
  }))
}
