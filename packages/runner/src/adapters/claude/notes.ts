/** Characters of an input that are repeated to the model; of a longer one it hears the beginning. */
const inputChars = 8_000

/** Calls of which something is to be told. */
const notesMax = 200

/**
 * What the model has to hear about a call beside its result. It does not see that a person changed an input: in its
 * conversation stands what it wrote itself.
 */
export class Notes {
  readonly #notes = new Map<string, string>()

  /** `call`: the agent's id of it. */
  changed(call: string | undefined, input: unknown): void {
    if (call === undefined) return
    const text = JSON.stringify(input)
    const shown = text.length > inputChars ? `${text.slice(0, inputChars).toWellFormed()}…` : text
    this.#notes.set(
      call,
      `[Hotline] A person changed the input of this call before it ran. It ran with this input, not with yours: ${shown}`,
    )
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
