/** Characters of an input that are repeated to the model; of a longer one it hears the beginning. */
const inputChars = 8_000

/** Calls of which something is to be told. */
const notesMax = 200

/**
 * What the model has to hear about a call beside its result. It does not see that a person changed an input: in its
 * conversation stands what it wrote itself. Nor does it hear what they said in allowing it.
 */
export class Notes {
  readonly #notes = new Map<string, string>()

  /** `call`: the agent's id of it. */
  changed(call: string | undefined, input: unknown): void {
    const text = JSON.stringify(input)
    const shown = text.length > inputChars ? `${text.slice(0, inputChars).toWellFormed()}…` : text
    this.#note(
      call,
      `A person changed the input of this call before it ran. It ran with this input, not with yours: ${shown}`,
    )
  }

  /** What a person said in allowing it. */
  said(call: string | undefined, words: string): void {
    this.#note(call, `The person who allowed this call says: ${words}`)
  }

  #note(call: string | undefined, text: string): void {
    if (call === undefined) return
    const before = this.#notes.get(call)
    this.#notes.set(call, `${before === undefined ? '' : `${before}\n`}[Hotline] ${text}`)
    for (const oldest of this.#notes.keys()) {
      if (this.#notes.size <= notesMax) break
      this.#notes.delete(oldest)
    }
  }

  /** What is to be told about a call, once. */
  take(call: string): string | undefined {
    const note = this.#notes.get(call)
    this.#notes.delete(call)
    return note
  }
}
