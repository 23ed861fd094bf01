import type { z } from 'zod'
import type { AgentEvent } from '../adapter.ts'
import type { Block, StreamLine } from './schema.ts'

type Role = 'agent' | 'thought'

/**
 * What the model says, as it says it. The text comes twice: in pieces as they are made, and whole at the end of its block;
 * of the second only what was not in the first is told.
 */
export class Words {
  readonly #emit: (event: AgentEvent) => void
  readonly #id: () => string
  /** The block that is being written: of which message of the model, and how many characters of it were told. */
  #open: { of: string; role: Role; message: string; chars: number } | undefined
  #speaking = ''

  /** `id` makes ids. */
  constructor(emit: (event: AgentEvent) => void, id: () => string) {
    this.#emit = emit
    this.#id = id
  }

  /** Whatever comes next begins a new message. */
  break(): void {
    this.#open = undefined
  }

  /** A piece of the model's stream. */
  piece({ event }: z.infer<typeof StreamLine>): void {
    const { type, message, content_block: block, delta } = event
    if (type === 'message_start') this.#speaking = message?.id ?? ''
    if (type === 'message_start' || type === 'content_block_start') this.#open = undefined
    if (type === 'content_block_start' && block?.type === 'text') this.#begin('agent')
    if (type === 'content_block_start' && block?.type === 'thinking') this.#begin('thought')
    if (type !== 'content_block_delta') return
    if (delta?.type === 'text_delta') this.#tell('agent', delta.text)
    if (delta?.type === 'thinking_delta') this.#tell('thought', delta.thinking)
  }

  /** A block as a whole. */
  whole(of: string | null | undefined, block: Block): void {
    const role = block.type === 'text' ? 'agent' : 'thought'
    const text = (role === 'agent' ? block.text : block.thinking) ?? ''
    const open = this.#open?.of === of && this.#open?.role === role ? this.#open : undefined
    const rest = text.slice(open?.chars ?? 0)
    if (rest !== '') {
      this.#emit({ t: 'text', role, message: open?.message ?? this.#id(), delta: rest })
    }
    this.#open = undefined
  }

  #begin(role: Role): { of: string; role: Role; message: string; chars: number } {
    this.#open = { of: this.#speaking, role, message: this.#id(), chars: 0 }
    return this.#open
  }

  #tell(role: Role, delta: string | null | undefined): void {
    if (!delta) return
    const open = this.#open?.role === role ? this.#open : this.#begin(role)
    open.chars += delta.length
    this.#emit({ t: 'text', role, message: open.message, delta })
  }
}
