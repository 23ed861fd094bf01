/** The arguments of one program, or in words why the text is not plainly that. */
export type CommandReading = { ok: true; argv: readonly string[] } | { ok: false; why: string }

/** Longer than anything that a person would remember. */
const charsMax = 4_096
const wordsMax = 64

/** Joins programs; what it means is the same in every shell. */
const operator = /&&|\|\||[;|]/y
/** Throws output away, or puts the errors beside it. */
const quiet = /(?:2>&1|1?>&2|[12&]?>{1,2}\s?\/dev\/null|<\s?\/dev\/null)(?=[ ;|&]|$)/y
/** Sends what a program prints into a file, whose name comes after it. `&>` is not one: some shells read two things there. */
const redirection = /[0-9]?>{1,2} */y
/** A piece of a word that every shell reads in the same way: plain, in '…', or in "…" without anything that expands. */
const piece = /([A-Za-z0-9_@%+=:,./-]+)|\x27([^\x27]*)\x27|\x22([^\x22$\x60\\!]*)\x22/y

/** What a shell reads as something else where it stands first: an assignment, a job, a program's name by zsh. */
const notFirst = /^(?:[A-Za-z_][A-Za-z0-9_]*\+?=|[%=-])/

/** What a text is that every common shell takes apart in the same way. */
export interface Pieces {
  ok: true
  /** The programs that are joined, each with its arguments. */
  pieces: readonly (readonly string[])[]
  /** Files that the shell itself writes what they print into, as they are named there. */
  writes: readonly string[]
  /** Something that is printed is thrown away, or put beside the rest. */
  isQuiet: boolean
}

/** The same, or in words why it is none. */
export type PiecesReading = Pieces | { ok: false; why: string }

/**
 * Reads a shell command that is one program with its arguments and nothing else. Strict: whatever any common shell could
 * read in another way is no such command, so that nobody has to guess what would run.
 */
export function readCommand(text: string): CommandReading {
  const read = readPieces(text)
  if (!read.ok) return read
  const [argv, ...more] = read.pieces
  if (read.writes.length > 0) return { ok: false, why: 'it writes into a file beside what it runs' }
  if (more.length > 0 || read.isQuiet || !argv) return { ok: false, why: 'it is more than one plain program' }
  return { ok: true, argv }
}

/**
 * Programs that are joined by `&&`, `||`, `;` and `|`; each of them plain, and what it prints may go into a file of a plain name.
 * Nothing else of a shell.
 */
export function readPieces(text: string): PiecesReading {
  if (text.length > charsMax) return { ok: false, why: `it is longer than ${charsMax} characters` }
  if (/[^ -~]/.test(text)) return { ok: false, why: 'it has a line break, or a character that is not plain ASCII' }
  const pieces: (readonly string[])[] = []
  const writes: string[] = []
  let argv: string[] = []
  let isQuiet = false
  let at = 0
  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at
    const found = form.exec(text)
    if (found) at = form.lastIndex
    return found
  }
  while (at < text.length) {
    if (text[at] === ' ') at += 1
    else if (take(quiet)) isQuiet = true
    else if (take(redirection)) {
      const file = readWord(take)
      // By zsh "=ls" is where that program is.
      if (file === undefined || file === '' || file.startsWith('='))
        return { ok: false, why: 'it writes to what is no plain file' }
      if (file === '/dev/null') isQuiet = true
      else writes.push(file)
    } else if (take(operator)) {
      if (argv.length === 0) return { ok: false, why: 'it is no sequence of plain programs' }
      pieces.push(argv)
      argv = []
    } else {
      const word = readWord(take)
      if (word === undefined) return { ok: false, why: `${nameOf(text[at])} is not only itself there` }
      if (argv.length === 0 && (word === '' || notFirst.test(word))) {
        return { ok: false, why: `it begins with "${word}", which is no program` }
      }
      argv.push(word)
    }
  }
  if (argv.length === 0) return { ok: false, why: pieces.length === 0 ? 'it is empty' : 'it ends in the middle' }
  pieces.push(argv)
  if (pieces.flat().length > wordsMax) return { ok: false, why: `it has more than ${wordsMax} words` }
  return { ok: true, pieces, writes, isQuiet }
}

/** A word is pieces without a blank between them; undefined where none begins here. */
function readWord(take: (form: RegExp) => RegExpExecArray | null): string | undefined {
  let word: string | undefined
  for (let found = take(piece); found; found = take(piece)) {
    word = `${word ?? ''}${found[1] ?? found[2] ?? found[3] ?? ''}`
  }
  return word
}

function nameOf(char: string | undefined): string {
  return char === '\x22' || char === '\x27' ? 'what is quoted here' : `"${char ?? ''}"`
}
