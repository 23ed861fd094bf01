import { z } from 'zod'

/**
 * What is read of the app-server's protocol: as little as is used, and forgiving, because a field of a newer version must
 * not cost the rest of a message. Names and meaning are those of the types that codex 0.169 writes (`generate-ts`).
 */

/** An optional field that is dropped where it makes no sense. */
const maybe = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined)

const Name = z.string().max(500)

/** Answer to account/read. */
export const AccountResult = z.object({ account: z.unknown().optional(), requiresOpenaiAuth: maybe(z.boolean()) })

/** How a thread asks: what is forced, and read back. */
export const AskingSettings = z.object({
  approvalPolicy: z.unknown(),
  approvalsReviewer: z.unknown(),
  sandbox: z.looseObject({ type: z.string() }),
})
export type AskingSettings = z.infer<typeof AskingSettings>

/** Answer to thread/start and thread/resume. */
export const OpenedThread = AskingSettings.extend({
  thread: z.object({ id: Name }),
  model: maybe(Name),
})
export type OpenedThread = z.infer<typeof OpenedThread>

/** thread/settings/updated. */
export const SettingsUpdated = z.object({
  threadId: Name,
  threadSettings: z
    .object({
      approvalPolicy: z.unknown(),
      approvalsReviewer: z.unknown(),
      sandboxPolicy: z.looseObject({ type: z.string() }),
      model: maybe(Name),
    })
    .transform(({ sandboxPolicy: sandbox, ...rest }) => ({ ...rest, sandbox })),
})

const Change = z.object({
  path: z.string(),
  kind: z.object({ type: z.enum(['add', 'delete', 'update']), move_path: maybe(z.string()) }),
  /** The content of a file that is added or deleted; hunks of one that is changed. */
  diff: z.string(),
})
/** A change to one file. */
export type Change = z.infer<typeof Change>

const CommandAction = z.object({ type: z.string(), command: maybe(z.string()) })

/** Things that a thread is made of, as far as they are shown. */
export const Item = z.discriminatedUnion('type', [
  z.object({ type: z.literal('userMessage'), clientId: maybe(Name) }),
  z.object({ type: z.literal('agentMessage'), id: Name, text: z.string().catch('') }),
  z.object({ type: z.literal('plan'), id: Name, text: z.string().catch('') }),
  z.object({
    type: z.literal('reasoning'),
    id: Name,
    summary: z.array(z.string()).catch([]),
    content: z.array(z.string()).catch([]),
  }),
  z.object({
    type: z.literal('commandExecution'),
    id: Name,
    command: z.string(),
    cwd: maybe(z.string()),
    status: maybe(z.string()),
    commandActions: z.array(CommandAction).catch([]),
    aggregatedOutput: maybe(z.string()),
    exitCode: maybe(z.number()),
  }),
  z.object({ type: z.literal('fileChange'), id: Name, changes: z.array(Change), status: maybe(z.string()) }),
  z.object({
    type: z.literal('mcpToolCall'),
    id: Name,
    server: z.string().catch(''),
    tool: z.string().catch(''),
    arguments: z.unknown(),
    status: maybe(z.string()),
    result: maybe(z.object({ content: z.unknown() })),
    error: maybe(z.object({ message: z.string() })),
  }),
  z.object({ type: z.literal('webSearch'), id: Name, query: z.string().catch('') }),
  z.object({ type: z.literal('imageView'), id: Name, path: z.string().catch('') }),
  z.object({
    type: z.literal('collabAgentToolCall'),
    id: Name,
    tool: z.string().catch(''),
    status: maybe(z.string()),
    prompt: maybe(z.string()),
  }),
  z.object({ type: z.literal('contextCompaction'), id: Name }),
  z.object({
    type: z.literal('subAgentActivity'),
    id: Name,
    kind: z.string().catch(''),
    agentPath: z.string().catch(''),
  }),
])
export type Item = z.infer<typeof Item>

/** item/started and item/completed; the item is read by itself, because there are kinds that are not shown. */
export const ItemNews = z.object({ threadId: Name, turnId: maybe(Name), item: z.looseObject({ type: z.string() }) })

/** The deltas: of words, thoughts and output. */
export const Delta = z.object({
  threadId: Name,
  itemId: Name,
  delta: z.string(),
  summaryIndex: maybe(z.number()),
  contentIndex: maybe(z.number()),
})

/** item/fileChange/patchUpdated. */
export const PatchUpdated = z.object({ threadId: Name, itemId: Name, changes: z.array(Change) })

/** Why a turn failed. */
export const TurnError = z.object({
  message: z.string().catch(''),
  codexErrorInfo: z.unknown().optional(),
  additionalDetails: maybe(z.string()),
})
export type TurnError = z.infer<typeof TurnError>

const Turn = z.object({ id: Name, status: maybe(z.string()), error: maybe(TurnError) })

/** Answer to turn/start. */
export const StartedTurn = z.object({ turn: Turn })

/** turn/started and turn/completed. */
export const TurnNews = z.object({ threadId: Name, turn: Turn })

/** turn/diff/updated. */
export const DiffUpdated = z.object({ threadId: Name, turnId: Name, diff: z.string() })

/** turn/plan/updated. */
export const PlanUpdated = z.object({
  threadId: Name,
  plan: z.array(
    z.object({ step: z.string(), status: z.enum(['pending', 'inProgress', 'completed']).catch('pending') }),
  ),
})

const Tokens = z.object({ totalTokens: z.number(), inputTokens: z.number(), outputTokens: z.number() })

/** thread/tokenUsage/updated. */
export const TokenUsage = z.object({
  threadId: Name,
  tokenUsage: z.object({ total: Tokens, last: Tokens, modelContextWindow: maybe(z.number()) }),
})

/** error: of the model or of the way to it. */
export const ErrorNews = z.object({ threadId: Name, error: TurnError, willRetry: z.boolean().catch(false) })

/** warning and its relatives: some say it in `message`, some in `summary`. */
export const Warning = z.object({
  message: maybe(z.string()),
  summary: maybe(z.string()),
  details: maybe(z.string()),
})

/** model/rerouted. */
export const Rerouted = z.object({ threadId: Name, toModel: Name })

/** serverRequest/resolved. */
export const RequestResolved = z.object({ requestId: z.union([z.string(), z.number()]) })

const OfItem = z.object({ threadId: Name, turnId: maybe(Name), itemId: Name, reason: maybe(z.string()) })

/** item/commandExecution/requestApproval. */
export const CommandApproval = OfItem.extend({
  kind: maybe(z.string()),
  command: maybe(z.string()),
  cwd: maybe(z.string()),
  commandActions: maybe(z.array(CommandAction)),
  networkApprovalContext: z.unknown().optional(),
  additionalPermissions: z.unknown().optional(),
  availableDecisions: maybe(z.array(z.unknown())),
})
export type CommandApproval = z.infer<typeof CommandApproval>

/** item/fileChange/requestApproval. */
export const FileApproval = OfItem.extend({ grantRoot: maybe(z.string()) })
export type FileApproval = z.infer<typeof FileApproval>

/** item/permissions/requestApproval. */
export const PermissionsApproval = OfItem.extend({
  cwd: maybe(z.string()),
  permissions: z.record(z.string(), z.unknown()),
})
export type PermissionsApproval = z.infer<typeof PermissionsApproval>

/** One thing that the agent asks a person. */
export const Question = z.object({
  id: z.string().max(200),
  header: z.string().catch(''),
  question: z.string().catch(''),
  isOther: z.boolean().catch(false),
  isSecret: z.boolean().catch(false),
  options: maybe(z.array(z.object({ label: z.string(), description: z.string().catch('') }))),
})
export type Question = z.infer<typeof Question>

/** item/tool/requestUserInput. */
export const UserInputRequest = z.object({ threadId: Name, questions: z.array(Question).min(1).max(50) })

/** mcpServer/elicitation/request. */
export const Elicitation = z.object({
  threadId: Name,
  serverName: z.string().catch(''),
  mode: z.string(),
  message: z.string().catch(''),
  requestedSchema: z.unknown().optional(),
  url: maybe(z.string()),
})
export type Elicitation = z.infer<typeof Elicitation>

/** Answer to thread/backgroundTerminals/list. */
export const Terminals = z.object({ data: z.array(z.object({ itemId: Name, processId: Name })).max(10_000) })
