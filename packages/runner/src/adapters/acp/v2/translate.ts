import { readGitPatch } from '@hotline/core/git-patch'
import type { RpcId, RpcOutcome } from '../../wire/peer.ts'
import { type Content, NewUpdate, Permission, State, type ToolCall } from './schema.ts'
import { Terminals } from './terminals.ts'

type Update = { sessionUpdate: string; [member: string]: unknown }

/** Tool calls and messages whose content is remembered; the oldest go first. */
const rememberedMax = 200
/** Parts of one tool call that are kept. */
const partsMax = 200

/** A code for errors of the agent that name none. */
const internalError = -32_603

/**
 * What an agent says in v2, in the words of v1, which the rest of the adapter reads: tool calls that are only ever updated,
 * content in chunks, output in terminals, changes as git patches, requests with a subject.
 */
export class Translation {
  readonly #terminals = new Terminals()
  readonly #contents = new Map<string, readonly Content[]>()
  /** Characters of each message that were passed on in chunks. */
  readonly #told = new Map<string, number>()

  /** None where there is nothing to show. */
  updates(update: Update): readonly Update[] {
    if (update.sessionUpdate.startsWith('_')) return []
    if (update.sessionUpdate.endsWith('_chunk') && typeof update['messageId'] === 'string') this.#note(update)
    const parsed = NewUpdate.safeParse(update)
    // What v1 has too, and what cannot be read: both are for the rest of the adapter.
    if (!parsed.success) return [update]
    const { data } = parsed
    switch (data.sessionUpdate) {
      case 'agent_message':
      case 'agent_thought':
        return this.#whole(
          data.sessionUpdate,
          data.messageId,
          (data.content ?? []).map(({ text }) => text ?? '').join(''),
        )
      case 'tool_call_update':
        return [{ ...this.#tool(data), sessionUpdate: 'tool_call_update' }]
      case 'tool_call_content_chunk': {
        const { toolCallId } = data
        const content = [...(this.#contents.get(toolCallId) ?? []), data.content].slice(-partsMax)
        return [{ ...this.#tool({ toolCallId, content }), sessionUpdate: 'tool_call_update' }]
      }
      case 'terminal_update':
        return data.output ? this.#printed(this.#terminals.wrote(data.terminalId, data.output.data, 'replace')) : []
      case 'terminal_output_chunk':
        return this.#printed(this.#terminals.wrote(data.terminalId, data.data, 'append'))
      case 'plan_update':
        return [{ sessionUpdate: 'plan', entries: data.plan.entries }]
    }
  }

  /** A request for permission: what it is about as a tool call, and the agent's own words about it. */
  permission(id: RpcId, params: unknown): unknown {
    const parsed = Permission.safeParse(params)
    if (!parsed.success) return params
    const { title, description, subject, ...rest } = parsed.data
    const words = description ? [{ type: 'content', content: { type: 'text', text: description } }] : []
    if (subject && 'toolCall' in subject) {
      const toolCall = subject.toolCall as ToolCall
      // What a terminal printed is no part of a request.
      const shown = (toolCall.content ?? []).flatMap((part) => (part.type === 'terminal' ? [] : this.#part(part)))
      return { ...rest, toolCall: { title, ...toolCall, content: [...shown, ...words] } }
    }
    if (subject && 'command' in subject) {
      const { command, cwd, toolCallId } = subject
      const rawInput = { command, ...(cwd ? { cwd } : {}) }
      const named = typeof toolCallId === 'string' ? toolCallId : `request:${id}`
      return { ...rest, toolCall: { toolCallId: named, title: command, kind: 'execute', rawInput, content: words } }
    }
    return { ...rest, toolCall: { toolCallId: `request:${id}`, title, content: words } }
  }

  #note({ messageId, content }: Update): void {
    const { text } = (content ?? {}) as { text?: unknown }
    const id = String(messageId)
    this.#remember(this.#told, id, (this.#told.get(id) ?? 0) + (typeof text === 'string' ? text.length : 0))
  }

  /** A message as a whole repeats what came in chunks; what is new of it is passed on. */
  #whole(kind: 'agent_message' | 'agent_thought', messageId: string, whole: string): readonly Update[] {
    const text = whole.slice(this.#told.get(messageId) ?? 0)
    if (text === '') return []
    this.#remember(this.#told, messageId, whole.length)
    return [{ sessionUpdate: `${kind}_chunk`, messageId, content: { type: 'text', text } }]
  }

  /** Its content in full; where this is its end, also what its terminal printed since that was last shown. */
  #tool(call: ToolCall): Record<string, unknown> {
    const { toolCallId, content } = call
    if (content) this.#remember(this.#contents, toolCallId, content)
    const known = this.#contents.get(toolCallId) ?? []
    for (const part of known) {
      if ('terminalId' in part && typeof part.terminalId === 'string')
        this.#terminals.belongs(part.terminalId, toolCallId)
    }
    const isOver = call['status'] === 'completed' || call['status'] === 'failed'
    if (!content && !isOver) return call
    const parts = known.flatMap((part) => this.#part(part))
    return content || parts.some(({ type }) => type === 'content') ? { ...call, content: parts } : call
  }

  #printed(toolCallId: string | undefined): readonly Update[] {
    if (toolCallId === undefined) return []
    const content = (this.#contents.get(toolCallId) ?? []).flatMap((part) => this.#part(part))
    return [{ sessionUpdate: 'tool_call_update', toolCallId, content }]
  }

  #part(part: Content): readonly Record<string, unknown>[] {
    if ('terminalId' in part && typeof part.terminalId === 'string') {
      const text = this.#terminals.show(part.terminalId)
      return text === '' ? [] : [{ type: 'content', content: { type: 'text', text } }]
    }
    if (part.type !== 'diff') return [part]
    const { patch } = part as { patch?: { format: string; text: string } | null }
    if (patch?.format !== 'git_patch') return []
    return readGitPatch(patch.text).map((change) => ({ type: 'diff', ...change }))
  }

  #remember<T>(map: Map<string, T>, key: string, value: T): void {
    map.set(key, value)
    const [oldest] = map.keys()
    if (map.size > rememberedMax && oldest !== undefined) map.delete(oldest)
  }
}

/** How the work that a prompt began came out, in the form of v1; undefined while it goes on. */
export function outcomeOf(update: Update): RpcOutcome | 'at work' | undefined {
  const parsed = State.safeParse(update)
  if (!parsed.success) return undefined
  const { state, stopReason, error, usage } = parsed.data
  if (state !== 'idle') return 'at work'
  if (stopReason === 'error') {
    return {
      ok: false,
      code: error?.code ?? internalError,
      message: error?.message || 'The agent says no more about it.',
    }
  }
  return { ok: true, result: { stopReason: stopReason ?? 'end_turn', usage } }
}
