import { formsOf, ownToken, ownTokenCut, ownTokenFrom, ownTokenStart } from './secret-forms.ts'

/** A value that the runner handed to an agent and that nobody shall read in what the agent says. */
export interface Secret {
  name: string
  value: string
}

/** Characters of a possible secret that may be shown while nobody knows how it goes on, so that a terminal does not stall. */
const shownEarlyChars = 4

/** Characters of a secret that are masked where a text was cut in the middle of it. */
const cutCharsMin = 8

/** What whoever cut a text before it came here put in its place. */
const cutMark = /(\s?(?:…|\.{3})\)?\s?)/

/**
 * Masks the exact values of secrets, in the forms that `secret-forms` names, and every key of Hotline. It knows values, not
 * meanings: what an agent encodes otherwise or cuts up itself gets through.
 */
export class Redactor {
  readonly #names = new Map<string, string>()
  readonly #pattern: RegExp
  readonly #formCharsMax: number

  constructor(secrets: readonly Secret[]) {
    for (const { name, value } of secrets) for (const form of formsOf(value)) this.#names.set(form, name)
    const forms = [...this.#names.keys()].toSorted((a, b) => b.length - a.length)
    this.#pattern = new RegExp([ownToken, ...forms.map((form) => escapePattern(form))].join('|'), 'g')
    this.#formCharsMax = forms[0]?.length ?? 0
  }

  /** A whole text. */
  text(text: string): string {
    return text.replace(this.#pattern, (form) => this.mask(form))
  }

  /**
   * Any JSON value: all strings in it, names of members too. The same object where nothing was masked. A string may have been
   * cut before it came here: what could be a part of a secret at its ends is masked as well.
   */
  value<T>(value: T): T {
    return this.#deep(value) as T
  }

  /** A text that comes in pieces. */
  stream(): RedactedStream {
    return new RedactedStream(this)
  }

  /** What stands in place of a secret. */
  mask(form: string): string {
    return `[redacted:${this.#names.get(form) ?? 'a key of Hotline'}]`
  }

  /** The first secret in a text from a position on; undefined where there is none. */
  find(text: string, from: number): { from: number; to: number } | undefined {
    this.#pattern.lastIndex = from
    const match = this.#pattern.exec(text)
    return match ? { from: match.index, to: match.index + match[0].length } : undefined
  }

  /** Where the longest end of `text`, not before `from`, begins that could become a secret; its length where none does. */
  possibleFrom(text: string, from: number): number {
    let first = ownTokenFrom(text, from)
    for (const form of this.#names.keys()) {
      const start = form[0] ?? ''
      const near = Math.max(from, text.length - form.length + 1)
      for (let at = text.indexOf(start, near); at >= 0 && at < first; at = text.indexOf(start, at + 1)) {
        if (form.startsWith(text.slice(at))) first = at
      }
    }
    return first
  }

  /** A text that was cut, perhaps in the middle of a secret. */
  #cutText(text: string): string {
    const masked = this.text(text)
    if (!cutMark.test(masked)) return this.#cutPiece(masked)
    return masked
      .split(cutMark)
      .map((piece) => this.#cutPiece(piece))
      .join('')
  }

  /** At both ends the longest part of a secret is masked. */
  #cutPiece(piece: string): string {
    if (piece.length < cutCharsMin) return piece
    const text = piece.includes(ownTokenStart) ? piece.replace(ownTokenCut, this.mask('')) : piece
    const begins = text.slice(0, this.#formCharsMax)
    const ends = text.slice(-this.#formCharsMax)
    let [atStart, atEnd] = [
      { chars: 0, form: '' },
      { chars: 0, form: '' },
    ]
    for (const form of this.#names.keys()) {
      const tail = begins.indexOf(form.slice(-cutCharsMin))
      const isTail = tail >= 0 && form.endsWith(begins.slice(0, tail + cutCharsMin))
      if (isTail && tail + cutCharsMin > atStart.chars) atStart = { chars: tail + cutCharsMin, form }
      const head = ends.lastIndexOf(form.slice(0, cutCharsMin))
      const isHead = head >= 0 && form.startsWith(ends.slice(head))
      if (isHead && ends.length - head > atEnd.chars) atEnd = { chars: ends.length - head, form }
    }
    if (atStart.chars + atEnd.chars > text.length) atEnd = { chars: 0, form: '' }
    const shown = text.slice(atStart.chars, text.length - atEnd.chars)
    return `${atStart.chars > 0 ? this.mask(atStart.form) : ''}${shown}${atEnd.chars > 0 ? this.mask(atEnd.form) : ''}`
  }

  #deep(value: unknown): unknown {
    if (typeof value === 'string') return this.#cutText(value)
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#deep(item))
      return items.some((item, index) => item !== value[index]) ? items : value
    }
    if (value === null || typeof value !== 'object') return value
    const entries = Object.entries(value)
    const masked = entries.map(([key, member]): [string, unknown] => [this.text(key), this.#deep(member)])
    const isSame = masked.every(([key, member], index) => key === entries[index]?.[0] && member === entries[index][1])
    return isSame ? value : Object.fromEntries(masked)
  }
}

/**
 * A text in pieces: what could be the beginning of a secret is held back until it is clear, and half a surrogate pair
 * until its other half is there. `early` is the part of the held-back text that was shown already.
 */
export class RedactedStream {
  readonly #redactor: Redactor
  #held = ''
  #early = 0

  constructor(redactor: Redactor) {
    this.#redactor = redactor
  }

  /** The next piece; answers what can be shown now. */
  push(piece: string): string {
    const text = this.#held + piece
    const secrets: { from: number; to: number }[] = []
    for (let at = 0; ;) {
      const next = this.#redactor.find(text, at)
      let end = this.#redactor.possibleFrom(text, at)
      if (next && next.from < end) {
        secrets.push(next)
        at = next.to
        continue
      }
      // What begins here may still become a secret, or a longer one than it is already.
      if (end === text.length && end > at && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1
      return this.#show(text, secrets, end)
    }
  }

  /** Nothing came for a while: a few characters of what is held back may be shown, so that a prompt is not cut off. */
  release(): string {
    const shown = this.#held.slice(this.#early, shownEarlyChars)
    this.#early = Math.max(this.#early, Math.min(this.#held.length, shownEarlyChars))
    return shown
  }

  /** The text is over; answers what was held back. */
  end(): string {
    const secrets: { from: number; to: number }[] = []
    for (let next = this.#redactor.find(this.#held, 0); next; next = this.#redactor.find(this.#held, next.to)) {
      secrets.push(next)
    }
    return this.#show(this.#held, secrets, this.#held.length)
  }

  get isHolding(): boolean {
    return this.#held.length > this.#early
  }

  /** Bytes of what is held back. */
  get heldBytes(): number {
    return Buffer.byteLength(this.#held)
  }

  #show(text: string, secrets: readonly { from: number; to: number }[], end: number): string {
    let shown = ''
    let at = this.#early
    for (const { from, to } of secrets) {
      if (from > at) shown += text.slice(at, from)
      shown += this.#redactor.mask(text.slice(from, to))
      at = to
    }
    if (end > at) shown += text.slice(at, end)
    this.#held = text.slice(end)
    this.#early = Math.max(0, Math.max(at, end) - end)
    return shown.toWellFormed()
  }
}

/** RegExp.escape needs a newer Node than the oldest that is promised. */
function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}
