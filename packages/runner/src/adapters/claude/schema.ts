import { z } from 'zod'

/**
 * What is read of Claude Code's control protocol (`--input-format stream-json`): as little as is used, and as forgiving as
 * it can be. It has no published specification; names and meaning are those of version 2.1.329.
 */

/** An optional field that is dropped where it makes no sense. */
const maybe = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined)

/** A number that every reader reads alike. */
const Amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER)

const Name = z.string().min(1).max(500)

/** The answer to a request of ours. */
export const ControlResponse = z.object({
  response: z.object({
    subtype: z.string(),
    request_id: Name,
    response: z.unknown().optional(),
    error: maybe(z.string()),
  }),
})

/** The answer to `initialize`. */
export const Initialized = z.object({
  current_permission_mode: maybe(z.string().max(200)),
  commands: maybe(z.array(z.object({ name: z.string(), builtin: maybe(z.boolean()) })).max(5_000)),
  account: maybe(
    z.object({ tokenSource: maybe(z.string()), apiKeySource: maybe(z.string()), apiProvider: maybe(z.string()) }),
  ),
})
export type Initialized = z.infer<typeof Initialized>

/** The answer to `set_permission_mode`. */
export const ModeSet = z.object({ mode: maybe(z.string().max(200)) })

/** A request of the agent, before it is known which one. */
export const ControlRequest = z.object({ request_id: Name, request: z.looseObject({ subtype: z.string().max(200) }) })

/** How a permission might be given for longer, as the agent proposes it. */
export const Suggestion = z.looseObject({
  type: z.string(),
  behavior: maybe(z.string()),
  rules: maybe(z.array(z.object({ toolName: z.string(), ruleContent: maybe(z.string()) }))),
})
export type Suggestion = z.infer<typeof Suggestion>

/** May it use a tool? */
export const CanUseTool = z.object({
  tool_name: z.string().min(1).max(500),
  display_name: maybe(z.string()),
  description: maybe(z.string()),
  decision_reason: maybe(z.string()),
  blocked_path: maybe(z.string()),
  input: z.record(z.string(), z.unknown()),
  permission_suggestions: maybe(z.array(Suggestion).max(100)),
  tool_use_id: Name,
  agent_id: maybe(z.string()),
})
export type CanUseTool = z.infer<typeof CanUseTool>

/** A hook of ours, which hears how a tool came out. */
export const HookCallback = z.object({
  tool_use_id: maybe(Name),
  input: z.object({ hook_event_name: z.string().max(200), tool_use_id: maybe(Name) }),
})

/** A question of an MCP server. */
export const Elicitation = z.object({
  message: z.string(),
  mode: maybe(z.string()),
  requested_schema: maybe(z.looseObject({})),
})

/** A request that its sender takes back. */
export const CancelRequest = z.object({ request_id: Name })

/** What `AskUserQuestion` asks. */
export const Questions = z.object({
  questions: z
    .array(
      z.object({
        question: z.string().min(1),
        header: maybe(z.string()),
        multiSelect: maybe(z.boolean()),
        options: z
          .array(z.object({ label: z.string().min(1), description: maybe(z.string()) }))
          .max(50)
          .catch([]),
      }),
    )
    .min(1)
    .max(20),
})
export type Questions = z.infer<typeof Questions>

/** At the beginning of each turn. */
export const SystemInit = z.object({
  session_id: maybe(Name),
  permissionMode: maybe(z.string().max(200)),
  model: maybe(z.string().max(200)),
})

/** What it is at: a change of its mode among it. */
export const SystemStatus = z.object({ status: maybe(z.string()), permissionMode: maybe(z.string().max(200)) })

/** The model did not answer, and is asked again. */
export const ApiRetry = z.object({
  attempt: maybe(Amount),
  max_retries: maybe(Amount),
  retry_delay_ms: maybe(Amount),
  error_status: maybe(Amount),
  error: maybe(z.string()),
})

/** Something that ran beside the conversation has ended. */
export const TaskNotification = z.object({
  tool_use_id: maybe(Name),
  status: maybe(z.string()),
  summary: maybe(z.string()),
})

/** What becomes of a message of ours. */
export const CommandLifecycle = z.object({ command_uuid: z.string(), state: z.string() })

const Block = z.looseObject({
  type: z.string(),
  text: maybe(z.string()),
  thinking: maybe(z.string()),
  id: maybe(Name),
  name: maybe(z.string().max(500)),
  input: z.unknown().optional(),
  tool_use_id: maybe(Name),
  content: z.unknown().optional(),
  is_error: maybe(z.boolean()),
})
export type Block = z.infer<typeof Block>

/** A message of the model, in pieces: each has one block, and all have the same id. */
export const AssistantLine = z.object({
  message: z.object({
    id: maybe(z.string()),
    model: maybe(z.string()),
    content: z.array(Block),
    usage: maybe(
      z.object({
        input_tokens: Amount.catch(0),
        cache_read_input_tokens: Amount.catch(0),
        cache_creation_input_tokens: Amount.catch(0),
      }),
    ),
  }),
  parent_tool_use_id: maybe(Name),
  error: maybe(z.string()),
  is_api_error_message: maybe(z.boolean()),
})

/** What goes to the model: results of tools, and repetitions of what we sent. */
export const UserLine = z.object({
  message: z.object({ content: z.union([z.string(), z.array(Block)]) }),
  parent_tool_use_id: maybe(Name),
  tool_use_result: z.unknown().optional(),
  tool_result_meta: maybe(
    z.array(z.object({ id: Name, permission_decision: maybe(z.object({ decision: maybe(z.string()) })) })),
  ),
})

/** A message of the model, or a part of it. */
export type AssistantLine = z.infer<typeof AssistantLine>

/** An event of the model's stream, as its API has it. */
export const StreamLine = z.object({
  parent_tool_use_id: maybe(Name),
  event: z.looseObject({
    type: z.string(),
    index: maybe(Amount),
    message: maybe(z.object({ id: maybe(z.string()) })),
    content_block: maybe(z.object({ type: z.string() })),
    delta: maybe(z.looseObject({ type: maybe(z.string()), text: maybe(z.string()), thinking: maybe(z.string()) })),
  }),
})

const ModelUsage = z.object({
  inputTokens: Amount.catch(0),
  outputTokens: Amount.catch(0),
  cacheReadInputTokens: Amount.catch(0),
  cacheCreationInputTokens: Amount.catch(0),
  contextWindow: maybe(Amount),
  costUSD: Amount.catch(0),
})

/** The end of a turn. Failures of the model come with the subtype `success`, so that says nothing. */
export const ResultLine = z.object({
  subtype: maybe(z.string()),
  is_error: maybe(z.boolean()),
  terminal_reason: maybe(z.string()),
  stop_reason: maybe(z.string()),
  result: maybe(z.string()),
  errors: maybe(z.array(z.string())),
  total_cost_usd: maybe(Amount),
  modelUsage: maybe(z.record(z.string(), ModelUsage)),
})
export type ResultLine = z.infer<typeof ResultLine>

/** What a tool for files says of what it did. */
export const FileResult = z.object({
  type: maybe(z.string()),
  filePath: z.string(),
  content: maybe(z.string()),
  originalFile: maybe(z.string()),
  oldString: maybe(z.string()),
  newString: maybe(z.string()),
  replaceAll: maybe(z.boolean()),
  structuredPatch: maybe(z.array(z.object({ lines: z.array(z.string()) }))),
})
export type FileResult = z.infer<typeof FileResult>

/** Lines that are understood and not needed here. */
export const quietLines: ReadonlySet<string> = new Set([
  'keep_alive',
  'tool_progress',
  'tool_use_summary',
  'rate_limit_event',
  'auth_status',
  'prompt_suggestion',
  'streamlined_text',
])

/** Lines of the type `system` that are understood and not needed here. */
export const quietSystem: ReadonlySet<string> = new Set([
  'session_state_changed',
  'thinking_tokens',
  'task_started',
  'task_progress',
  'task_updated',
  'background_tasks_changed',
  'hook_started',
  'hook_progress',
  'hook_response',
  'local_command',
  'files_persisted',
  'turn_duration',
  'session_title_changed',
  'memory_saved',
  'memory_recall',
])
