/** What was pressed: keys for the program, or something for this side. */
export type Pressed =
  | { kind: 'keys'; bytes: Buffer }
  /** The chord has begun: what it knows is said. */
  | { kind: 'chord' }
  | { kind: 'leave' }
  /** Takes the keyboard, or gives it back. */
  | { kind: 'keyboard' }
  /** After the chord came something that it does not know. */
  | { kind: 'unknown' }

/** Ctrl-]: rare in programs, and what telnet users know. Pressed twice, it is a key as others. */
const chordByte = 0x1d

const pasteBegin = '\u001b[200~'
const pasteEnd = '\u001b[201~'

/** Tells keys from what is meant for this side. What is pasted, where the terminal marks it, is never a chord. */
export class KeyReader {
  #isChord = false
  #isPaste = false
  #tail = ''

  take(chunk: Buffer): Pressed[] {
    const pressed: Pressed[] = []
    let keys: number[] = []
    const flush = (): void => {
      if (keys.length > 0) pressed.push({ kind: 'keys', bytes: Buffer.from(keys) })
      keys = []
    }
    for (const byte of chunk) {
      this.#tail = `${this.#tail}${String.fromCharCode(byte)}`.slice(-pasteBegin.length)
      if (this.#tail === pasteBegin) this.#isPaste = true
      if (this.#tail === pasteEnd) this.#isPaste = false
      if (this.#isChord) {
        this.#isChord = false
        if (byte === chordByte) keys.push(byte)
        else pressed.push(meant(byte))
      } else if (byte === chordByte && !this.#isPaste) {
        flush()
        this.#isChord = true
        pressed.push({ kind: 'chord' })
      } else keys.push(byte)
    }
    flush()
    return pressed
  }
}

function meant(byte: number): Pressed {
  const letter = String.fromCharCode(byte).toLowerCase()
  if (letter === 'q') return { kind: 'leave' }
  return letter === 'k' ? { kind: 'keyboard' } : { kind: 'unknown' }
}
