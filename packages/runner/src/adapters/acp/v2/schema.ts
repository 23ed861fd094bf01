import { z } from 'zod'

/**
 * What is read of the draft of ACP v2 where it differs from v1: as little as is used, and as forgiving as it can be. Names and
 * meaning are those of the protocol's schema (@agentclientprotocol/sdk 2.4.0, experimental/v2).
 */

const maybe = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined)

const Block = z.looseObject({ type: z.string(), text: maybe(z.string()) })

/** A part of what a tool call shows. */
export const Content = z.union([
  z.looseObject({ type: z.literal('content'), content: Block }),
  z.looseObject({
    type: z.literal('diff'),
    changes: maybe(z.array(z.looseObject({ path: maybe(z.string()) }))),
    patch: maybe(z.looseObject({ format: z.string(), text: z.string() })),
  }),
  z.looseObject({ type: z.literal('terminal'), terminalId: z.string().max(500) }),
  z.looseObject({ type: z.string() }),
])
export type Content = z.infer<typeof Content>

const ToolCall = z.looseObject({ toolCallId: z.string().min(1).max(500), content: maybe(z.array(Content)) })
export type ToolCall = z.infer<typeof ToolCall>

const Subject = z.union([
  z.looseObject({ type: z.literal('tool_call'), toolCall: ToolCall }),
  z.looseObject({
    type: z.literal('command'),
    command: z.string(),
    cwd: maybe(z.string()),
    toolCallId: maybe(z.string().max(500)),
  }),
  z.looseObject({ type: z.string() }),
])

/** What session/request_permission asks. */
export const Permission = z.looseObject({
  title: z.string(),
  description: maybe(z.string()),
  subject: maybe(Subject),
})

/** Whether the agent works, waits for a person, or is done with what it was asked. */
export const State = z.looseObject({
  state: z.string(),
  stopReason: maybe(z.string()),
  error: maybe(z.looseObject({ code: maybe(z.number()), message: z.string().catch('') })),
  usage: z.unknown().optional(),
})

/** Bytes of a terminal, in Base64. */
const Bytes = z.string()

/** Updates that v1 does not have. */
export const NewUpdate = z.discriminatedUnion('sessionUpdate', [
  z.looseObject({ sessionUpdate: z.literal('agent_message'), messageId: z.string(), content: maybe(z.array(Block)) }),
  z.looseObject({ sessionUpdate: z.literal('agent_thought'), messageId: z.string(), content: maybe(z.array(Block)) }),
  ToolCall.extend({ sessionUpdate: z.literal('tool_call_update') }),
  z.looseObject({
    sessionUpdate: z.literal('tool_call_content_chunk'),
    toolCallId: z.string().min(1).max(500),
    content: Content,
  }),
  z.looseObject({
    sessionUpdate: z.literal('terminal_update'),
    terminalId: z.string().max(500),
    output: maybe(z.object({ data: Bytes })),
  }),
  z.looseObject({ sessionUpdate: z.literal('terminal_output_chunk'), terminalId: z.string().max(500), data: Bytes }),
  z.looseObject({ sessionUpdate: z.literal('plan_update'), plan: z.looseObject({ entries: z.unknown() }) }),
])
