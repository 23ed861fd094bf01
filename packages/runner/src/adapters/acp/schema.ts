import { FileChange } from '@hotline/protocol/events/turn'
import { z } from 'zod'

/**
 * What is read of ACP v1: as little as is used, and as forgiving as it can be, because a field of a newer version must
 * not cost the rest of a message. Names and meaning are those of the protocol's schema (@agentclientprotocol/sdk 2.4.0).
 */

/** An optional field that is dropped where it makes no sense. */
const maybe = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined)

const Mode = z.object({ id: z.string().max(200), name: z.string().max(200).catch('') })

/** Which modes an agent has, and in which it is. */
export const ModeState = z.object({
  currentModeId: z.string().max(200),
  availableModes: z.array(Mode).max(100).catch([]),
})
export type ModeState = z.infer<typeof ModeState>

const SelectValue = z.object({ value: z.string().max(200), name: z.string().max(200).catch('') })
const SelectGroup = z.object({ options: z.array(SelectValue).max(500) })

/** A setting that the agent offers, such as its model. Its name is `configId` in v2. */
const ConfigOption = z
  .object({
    id: maybe(z.string().max(200)),
    configId: maybe(z.string().max(200)),
    category: maybe(z.string()),
    currentValue: z.unknown(),
    options: maybe(z.array(z.union([SelectValue, SelectGroup])).max(500)),
  })
  .transform(({ id, configId, ...rest }) => ({ ...rest, id: id ?? configId ?? '' }))

/** All of them; one that cannot be read is passed over. */
export const ConfigOptions = z
  .array(ConfigOption.catch({ id: '', category: undefined, currentValue: undefined, options: undefined }))
  .max(500)
export type ConfigOptions = z.infer<typeof ConfigOptions>

/** Answer to session/set_config_option. */
export const ConfigOptionsResult = z.object({ configOptions: ConfigOptions })

/** Answer to initialize. */
export const InitializeResult = z
  .object({
    protocolVersion: z.number(),
    /** Only v2 says so who it is: an agent that merely repeats the number that it was asked for does not. */
    info: maybe(z.looseObject({})),
    agentCapabilities: maybe(
      z.object({
        loadSession: maybe(z.boolean()),
        promptCapabilities: maybe(z.object({ image: maybe(z.boolean()) })),
        sessionCapabilities: maybe(z.object({ resume: maybe(z.looseObject({})) })),
      }),
    ),
    /** Extensions that it offers. */
    _meta: maybe(z.looseObject({ steering: maybe(z.looseObject({ supported: maybe(z.boolean()) })) })),
    authMethods: maybe(z.array(z.object({ id: z.string(), name: z.string().catch('') }))),
  })
  .transform(({ _meta, ...rest }) => ({ ...rest, steers: _meta?.steering?.supported === true }))
export type InitializeResult = z.infer<typeof InitializeResult>

/** Answer to session/new, load and resume. */
export const OpenedSession = z.object({
  sessionId: maybe(z.string().max(500)),
  modes: maybe(ModeState),
  configOptions: maybe(ConfigOptions),
  models: maybe(z.object({ currentModelId: z.string().max(200) })),
})
export type OpenedSession = z.infer<typeof OpenedSession>

/** Answer to _session/steering. */
export const SteeringResult = z.looseObject({ outcome: z.string() })

/** A message of a person, as an agent repeats it. */
export const UserMessage = z.looseObject({
  content: z.preprocess(
    (content) => (Array.isArray(content) ? content : [content]),
    z.array(z.looseObject({ text: maybe(z.string()) })),
  ),
})

/** A number that every reader reads alike. */
const Amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER)

/** Of one turn. What was read from a cache, or written into it, is not among the input here, and is for us. */
const TokenUsage = z
  .object({
    inputTokens: maybe(Amount),
    outputTokens: maybe(Amount),
    cachedReadTokens: maybe(Amount),
    cachedWriteTokens: maybe(Amount),
  })
  .transform(({ inputTokens, outputTokens, cachedReadTokens, cachedWriteTokens }) => ({
    inputTokens: (inputTokens ?? 0) + (cachedReadTokens ?? 0) + (cachedWriteTokens ?? 0),
    outputTokens: outputTokens ?? 0,
  }))

/** Where Gemini CLI counts a turn. */
const Quota = z.object({ token_count: maybe(z.object({ input_tokens: maybe(Amount), output_tokens: maybe(Amount) })) })

/** Answer to session/prompt, which is the end of a turn. */
export const PromptResult = z
  .object({ stopReason: z.string(), usage: maybe(TokenUsage), _meta: maybe(z.looseObject({ quota: maybe(Quota) })) })
  .transform(({ stopReason, usage, _meta }) => {
    const counted = _meta?.quota?.token_count
    const quota = counted && {
      inputTokens: counted.input_tokens ?? 0,
      outputTokens: counted.output_tokens ?? 0,
    }
    return { stopReason, usage: usage ?? quota }
  })

const Block = z.looseObject({ type: z.string(), text: maybe(z.string()) })
const ToolContent = z.union([
  z.object({ type: z.literal('content'), content: Block }),
  z.object({
    type: z.literal('diff'),
    path: z.string(),
    oldText: maybe(z.string()),
    newText: z.string(),
    /** Not of the protocol: known where a patch of v2 was read. */
    partial: maybe(z.boolean()),
    cameFrom: maybe(FileChange.shape.cameFrom),
    modes: maybe(FileChange.shape.modes),
    binary: maybe(z.boolean()),
    removed: maybe(z.boolean()),
  }),
  z.object({ type: z.string() }),
])

/** A tool call, whole or in part: whatever is there is new. */
export const ToolPatch = z.object({
  toolCallId: z.string().min(1).max(500),
  title: maybe(z.string()),
  name: maybe(z.string()),
  kind: maybe(z.string()),
  status: maybe(z.string()),
  content: maybe(z.array(ToolContent)),
  locations: maybe(z.array(z.object({ path: z.string() }))),
  rawInput: z.unknown().optional(),
  rawOutput: z.unknown().optional(),
  _meta: maybe(z.looseObject({ claudeCode: maybe(z.looseObject({ toolName: maybe(z.string()) })) })),
})
export type ToolPatch = z.infer<typeof ToolPatch>

/** What session/request_permission asks. */
export const PermissionParams = z.object({
  sessionId: z.string(),
  toolCall: ToolPatch,
  options: z
    .array(z.object({ optionId: z.string(), name: z.string().catch(''), kind: z.string() }))
    .min(1)
    .max(50),
})
export type PermissionParams = z.infer<typeof PermissionParams>

/** A question with a form. */
export const ElicitationParams = z.object({
  mode: z.literal('form'),
  sessionId: maybe(z.string()),
  message: z.string(),
  requestedSchema: maybe(z.looseObject({})),
})

/** The agent no longer waits for an answer. */
export const CancelRequest = z.object({ requestId: z.union([z.string(), z.number()]) })

const chunk = { content: Block, messageId: maybe(z.string().max(500)) }

/** What a session/update may say, of that which is shown. */
export const KnownUpdate = z.discriminatedUnion('sessionUpdate', [
  z.object({ sessionUpdate: z.literal('agent_message_chunk'), ...chunk }),
  z.object({ sessionUpdate: z.literal('agent_thought_chunk'), ...chunk }),
  z.object({ sessionUpdate: z.literal('tool_call'), ...ToolPatch.shape }),
  z.object({ sessionUpdate: z.literal('tool_call_update'), ...ToolPatch.shape }),
  z.object({
    sessionUpdate: z.literal('plan'),
    entries: z.array(
      z.object({ content: z.string(), status: z.enum(['pending', 'in_progress', 'completed']).catch('pending') }),
    ),
  }),
  z.object({ sessionUpdate: z.literal('current_mode_update'), currentModeId: z.string().max(200) }),
  z.object({ sessionUpdate: z.literal('config_option_update'), configOptions: ConfigOptions }),
  z.object({
    sessionUpdate: z.literal('usage_update'),
    used: maybe(Amount),
    size: maybe(Amount),
    cost: maybe(z.object({ amount: Amount, currency: z.string().max(10) })),
  }),
])
export type KnownUpdate = z.infer<typeof KnownUpdate>

/** Updates that are understood and not needed here. */
export const quietUpdates: ReadonlySet<string> = new Set([
  'user_message_chunk',
  'available_commands_update',
  'session_info_update',
  'notice',
  'compaction_update',
  'compaction_summary_chunk',
])

/** A session/update before it is known which one. */
export const UpdateParams = z.object({ sessionId: z.string(), update: z.looseObject({ sessionUpdate: z.string() }) })
