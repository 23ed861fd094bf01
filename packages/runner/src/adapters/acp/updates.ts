import type { Usage } from '@hotline/core/session/state'
import type { AgentEvent } from '../adapter.ts'
import type { Breaker } from '../wire/breaker.ts'
import { type KnownUpdate, KnownUpdate as KnownUpdateSchema, quietUpdates, type ToolPatch } from './schema.ts'

/** Entries of a plan that are kept, and characters of each. */
const planEntriesMax = 200
const planTextChars = 2_000

/** What updates are turned into, besides events. */
export interface UpdateSink {
  emit(event: AgentEvent): void
  tool(patch: ToolPatch): void
  /** What the whole session has cost, where the agent has counted so much. */
  cost(told: NonNullable<Usage['cost']>): NonNullable<Usage['cost']>
  mode(update: Extract<KnownUpdate, { sessionUpdate: 'current_mode_update' | 'config_option_update' }>): void
}

/** Turns session updates into events. Messages that the agent does not number end where it does something else. */
export class Updates {
  readonly #sink: UpdateSink
  readonly #breaker: Breaker
  readonly #id: () => string
  #open: { role: 'agent' | 'thought'; native: string | undefined; message: string } | undefined

  /** `id` makes ids. */
  constructor(sink: UpdateSink, breaker: Breaker, id: () => string) {
    this.#sink = sink
    this.#id = id
    this.#breaker = breaker
  }

  /** Whatever comes next begins a new message. */
  breakText(): void {
    this.#open = undefined
  }

  handle(update: { sessionUpdate: string }): void {
    const parsed = KnownUpdateSchema.safeParse(update)
    if (parsed.success) return this.#known(parsed.data)
    if (quietUpdates.has(update.sessionUpdate)) return
    const isKnown = KnownUpdateSchema.options.some(({ shape }) => shape.sessionUpdate.value === update.sessionUpdate)
    this.#breaker.count(isKnown ? 'update that cannot be read' : 'unknown update', isKnown ? 'broken' : 'odd')
  }

  #known(update: KnownUpdate): void {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
      case 'agent_thought_chunk': {
        const role = update.sessionUpdate === 'agent_message_chunk' ? 'agent' : 'thought'
        const picture = role === 'agent' ? pictureIn(update.content) : undefined
        if (picture) {
          this.breakText()
          return this.#sink.emit({ t: 'picture', message: this.#id(), ...picture })
        }
        const delta = textOf(update.content)
        if (delta !== '') this.#sink.emit({ t: 'text', role, message: this.#messageOf(role, update.messageId), delta })
        return
      }
      case 'tool_call':
      case 'tool_call_update':
        this.breakText()
        return this.#sink.tool(update)
      case 'plan':
        return this.#sink.emit({
          t: 'plan',
          entries: update.entries
            .slice(0, planEntriesMax)
            .map(({ content, status }) => ({ text: content.slice(0, planTextChars), status })),
        })
      case 'current_mode_update':
      case 'config_option_update':
        return this.#sink.mode(update)
      case 'usage_update':
        return this.#sink.emit({
          t: 'usage',
          contextUsed: update.used ?? undefined,
          contextSize: update.size ?? undefined,
          cost: update.cost ? this.#sink.cost(update.cost) : undefined,
        })
    }
  }

  #messageOf(role: 'agent' | 'thought', native: string | null | undefined): string {
    const same = this.#open?.role === role && (native === undefined || native === null || this.#open.native === native)
    if (!this.#open || !same) this.#open = { role, native: native ?? undefined, message: this.#id() }
    return this.#open.message
  }
}

/** A picture that an agent says; undefined for everything else. */
function pictureIn(block: { type: string; [member: string]: unknown }): { type: string; base64: string } | undefined {
  const { type, data, mimeType } = block
  if (type !== 'image' || typeof data !== 'string' || data === '') return undefined
  return { type: typeof mimeType === 'string' ? mimeType.slice(0, 100) : '', base64: data }
}

/** Text as it is; anything else by name, so that nothing vanishes without a word. */
function textOf(block: { type: string; text?: string | null | undefined }): string {
  return block.type === 'text' ? (block.text ?? '') : `[${block.type.slice(0, 50)}]`
}
