import type { AgentEvent } from '../adapter.ts'

/** Messages that are being said at once; an agent says one or two. */
const openMax = 100

type Role = 'agent' | 'thought'

/** What codex says and thinks, by its own names for it. */
export class Texts {
  readonly #emit: (event: AgentEvent) => void
  readonly #id: () => string
  readonly #open = new Map<string, { message: string; chars: number }>()

  /** `id` makes ids. */
  constructor(emit: (event: AgentEvent) => void, id: () => string) {
    this.#emit = emit
    this.#id = id
  }

  /** A piece of it. `part`: which of several texts of one item. */
  piece(role: Role, item: string, part: string, delta: string): void {
    if (delta === '') return
    const key = `${item} ${part}`
    const known = this.#open.get(key)
    const open = known ?? { message: this.#id(), chars: 0 }
    if (!known) {
      this.#open.set(key, open)
      if (this.#open.size > openMax) this.#open.delete(this.#open.keys().next().value ?? '')
    }
    open.chars += delta.length
    this.#emit({ t: 'text', role, message: open.message, delta })
  }

  /** It is whole now; what has not come in pieces comes here. */
  whole(role: Role, item: string, part: string, text: string): void {
    const key = `${item} ${part}`
    const said = this.#open.get(key)?.chars ?? 0
    if (text.length > said) this.piece(role, item, part, text.slice(said))
    this.#open.delete(key)
  }

  /** Whatever comes next is another text. */
  forget(): void {
    this.#open.clear()
  }
}
