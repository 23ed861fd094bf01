/** A value of JSON, and where in the text it begins and ends: `end` is behind its last character. */
export type Placed = Value & { end: number }

type Value =
  | { kind: 'object'; at: number; members: ReadonlyMap<string, Placed> }
  | { kind: 'array'; at: number; items: readonly Placed[] }
  | { kind: 'text' | 'number' | 'yes or no' | 'null'; at: number }

/** What was read, or why and where it cannot be. */
export type Read = { ok: true; value: Placed } | { ok: false; why: string; at: number }

/** Deeper than what anybody edits by hand. */
const depthMax = 64
const blank = /[ \t\r\n]*/y
/** A text as JSON has it: no line break, no control character, and only the escapes that there are. */
const textForm = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const numberForm = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const wordForm = /[A-Za-z]+/y

/**
 * Reads JSON that a person has typed. Unlike `JSON.parse` it says in words what is wrong and where, in every engine alike,
 * and refuses what another reader would understand differently: a member that is there twice, a number that a double
 * cannot hold.
 */
export function readPlaced(text: string): Read {
  const reader = new Reader(text)
  try {
    return { ok: true, value: reader.document() }
  } catch (error) {
    if (error instanceof Wrong) return { ok: false, why: error.message, at: error.at }
    throw error
  }
}

class Wrong extends Error {
  readonly at: number
  constructor(why: string, at: number) {
    super(why)
    this.at = at
  }
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): Placed {
    const value = this.#value(0)
    if (this.#peek() !== '') throw new Wrong('Nothing may stand after the end.', this.#at)
    return value
  }

  #value(depth: number): Placed {
    const value = this.#begin(depth)
    return { ...value, end: this.#at }
  }

  #begin(depth: number): Value {
    const next = this.#peek()
    const at = this.#at
    if (depth > depthMax) throw new Wrong(`It is nested deeper than ${depthMax} levels.`, at)
    if (next === '{') return this.#object(depth)
    if (next === '[') return this.#array(depth)
    if (next === '"') {
      this.#string()
      return { kind: 'text', at }
    }
    const number = this.#take(numberForm)
    if (number !== undefined) {
      const value = Number(number)
      const isKept = Number.isFinite(value) && (/[.eE]/.test(number) || Number.isSafeInteger(value))
      if (!isKept) throw new Wrong('This number is too long to be kept as it is.', at)
      return { kind: 'number', at }
    }
    const word = this.#take(wordForm)
    if (word === 'true' || word === 'false') return { kind: 'yes or no', at }
    if (word === 'null') return { kind: 'null', at }
    if (next === '') throw new Wrong('It ends where a value is missing.', at)
    throw new Wrong(
      next === "'" ? 'Texts stand in "double quotes".' : 'A value is missing here: texts stand in "double quotes".',
      at,
    )
  }

  #object(depth: number): Value {
    const { at } = this.#open()
    const members = new Map<string, Placed>()
    if (this.#closes('}')) return { kind: 'object', at, members }
    for (;;) {
      if (this.#peek() !== '"') throw new Wrong('The name of a member is missing here, in "double quotes".', this.#at)
      const nameAt = this.#at
      const name = this.#string()
      if (members.has(name)) throw new Wrong(`"${name.slice(0, 50)}" is there twice.`, nameAt)
      if (this.#peek() !== ':') throw new Wrong('A colon is missing after the name.', this.#at)
      this.#at += 1
      members.set(name, this.#value(depth + 1))
      if (this.#ends('}')) return { kind: 'object', at, members }
    }
  }

  #array(depth: number): Value {
    const { at } = this.#open()
    const items: Placed[] = []
    if (this.#closes(']')) return { kind: 'array', at, items }
    for (;;) {
      items.push(this.#value(depth + 1))
      if (this.#ends(']')) return { kind: 'array', at, items }
    }
  }

  #open(): { at: number } {
    const at = this.#at
    this.#at += 1
    return { at }
  }

  #closes(mark: '}' | ']'): boolean {
    if (this.#peek() !== mark) return false
    this.#at += 1
    return true
  }

  /** After a member or an element: a comma and one more, or the end. */
  #ends(mark: '}' | ']'): boolean {
    if (this.#closes(mark)) return true
    const next = this.#peek()
    if (next !== ',') {
      const missing = next === '' ? `It ends before its "${mark}".` : `A comma or "${mark}" is missing before this.`
      throw new Wrong(missing, this.#at)
    }
    const comma = this.#at
    this.#at += 1
    if (this.#peek() === mark) throw new Wrong('After the last one there is no comma.', comma)
    return false
  }

  #string(): string {
    const at = this.#at
    const raw = this.#take(textForm)
    if (raw === undefined) {
      throw new Wrong(
        'This text does not end, or holds a line break (\\n) or a "\\" that is not written as "\\\\".',
        at,
      )
    }
    const value = JSON.parse(raw) as string
    if (!isWellFormed(value)) throw new Wrong('This text holds half a character.', at)
    return value
  }

  /** The next character that is no blank, where it then stands; empty at the end. */
  #peek(): string {
    this.#take(blank)
    return this.#text[this.#at] ?? ''
  }

  #take(form: RegExp): string | undefined {
    form.lastIndex = this.#at
    const found = form.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }
}

function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)
}
