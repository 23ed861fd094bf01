import type { FileChange } from '@hotline/protocol/events/turn'

/** A change of one file, or of one place in it; `oldText` null for a new file. */
export interface PatchedText extends FileChange {
  oldText: string | null
}

/**
 * The changes in a git patch: of a new or deleted file as a whole, of another one each hunk by itself. What becomes of a file
 * besides its lines (another name, another mode, content that is no text) is said with its first change, and has one of its
 * own where no line changes. What cannot be read is passed over.
 */
export function readGitPatch(patch: string): readonly PatchedText[] {
  const changes: PatchedText[] = []
  let file = emptyFile
  let hunk: Hunk | undefined
  const closeHunk = (): void => {
    if (!hunk) return
    changes.push(changeOf(file, hunk))
    file = { ...file, facts: {}, isSaid: true }
    hunk = undefined
  }
  const closeFile = (): void => {
    closeHunk()
    const isEmptyFile = file.from === '/dev/null'
    const hasMore = isEmptyFile || Object.keys(file.facts).length > 0
    if (!file.isSaid && file.to !== '' && hasMore) changes.push(changeOf(file, emptyHunk))
    file = emptyFile
  }
  for (const line of patch.split(/(?<=\n)/)) {
    if (hunk && line.startsWith('\\')) {
      dropLineEnd(hunk)
      continue
    }
    if (hunk && (hunk.oldLeft > 0 || hunk.newLeft > 0)) {
      take(hunk, line)
      continue
    }
    const words = line.replace(/\r?\n$/, '')
    if (words.startsWith('diff --git ')) {
      closeFile()
      file = { ...emptyFile, ...namesOf(words.slice('diff --git '.length)) }
    } else if (words.startsWith('--- ')) {
      if (hunk || file.isSaid) closeFile()
      file = { ...file, from: pathOf(words.slice(4), 'a/') }
    } else if (words.startsWith('+++ ')) file = { ...file, to: pathOf(words.slice(4), 'b/') }
    else if (!hunk) file = withHeader(file, words)
    const counts = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(words)
    if (!counts) continue
    closeHunk()
    hunk = { old: [], new: [], oldLeft: Number(counts[1] ?? 1), newLeft: Number(counts[2] ?? 1), sides: [] }
  }
  closeFile()
  return changes
}

/** One file of a patch, as far as it was read. */
interface PatchedFile {
  from: string
  to: string
  facts: Pick<FileChange, 'cameFrom' | 'modes' | 'binary' | 'removed'>
  /** A change has said it. */
  isSaid: boolean
}

const emptyFile: PatchedFile = { from: '', to: '', facts: {}, isSaid: false }

/** One line before the first hunk of a file (the extended headers of `git diff`). */
function withHeader(file: PatchedFile, line: string): PatchedFile {
  const facts = (more: PatchedFile['facts']): PatchedFile => ({ ...file, facts: { ...file.facts, ...more } })
  const [, word = '', rest = ''] =
    /^(old mode|new mode|new file mode|deleted file mode|rename from|rename to|copy from|copy to|Binary files|GIT binary patch) ?(.*)$/.exec(
      line,
    ) ?? []
  switch (word) {
    case 'old mode':
      return facts({ modes: { from: rest } })
    case 'new mode':
      return facts({ modes: { ...file.facts.modes, to: rest } })
    case 'new file mode':
      // What is nothing but a file needs no word.
      return { ...(rest === '100644' ? file : facts({ modes: { to: rest } })), from: '/dev/null' }
    case 'deleted file mode':
      return facts({ removed: true })
    case 'rename from':
      return facts({ cameFrom: { path: unquoted(rest), how: 'moved' } })
    case 'copy from':
      return facts({ cameFrom: { path: unquoted(rest), how: 'copied' } })
    case 'rename to':
    case 'copy to':
      return { ...file, to: unquoted(rest) }
    case 'Binary files':
    case 'GIT binary patch':
      return facts({ binary: true })
    default:
      return file
  }
}

interface Hunk {
  old: string[]
  new: string[]
  oldLeft: number
  newLeft: number
  /** Whose the line before was. */
  sides: readonly ('old' | 'new')[]
}

const emptyHunk: Hunk = { old: [], new: [], oldLeft: 0, newLeft: 0, sides: [] }

function changeOf({ from, to, facts }: PatchedFile, hunk: Hunk): PatchedText {
  const isNew = from === '/dev/null'
  const isGone = to === '/dev/null'
  return {
    path: isGone ? from : to,
    oldText: isNew ? null : hunk.old.join(''),
    newText: hunk.new.join(''),
    partial: hunk !== emptyHunk && !isNew && !isGone,
    ...facts,
  }
}

function take(hunk: Hunk, line: string): void {
  hunk.sides = line.startsWith('-') ? ['old'] : line.startsWith('+') ? ['new'] : ['old', 'new']
  for (const side of hunk.sides) {
    hunk[side].push(line.slice(1))
    if (side === 'old') hunk.oldLeft -= 1
    else hunk.newLeft -= 1
  }
}

/** "No newline at end of file", of the line before. */
function dropLineEnd(hunk: Hunk): void {
  for (const side of hunk.sides) hunk[side].push((hunk[side].pop() ?? '').replace(/\n$/, ''))
}

/** Agents name files by absolute paths, or as git does, below `a/` and `b/`. */
function pathOf(words: string, prefix: string): string {
  const path = unquoted(words.startsWith('"') ? words : (words.split('\t')[0] ?? ''))
  return path.startsWith(prefix) ? path.slice(prefix.length) : path
}

/** Both names in `a/one b/one`: the same one twice, unless the headers below it say more. */
function namesOf(words: string): { from: string; to: string } {
  const half = (words.length - 1) / 2
  const [from, to] = [pathOf(words.slice(0, half), 'a/'), pathOf(words.slice(half + 1), 'b/')]
  if (words[half] === ' ' && from === to) return { from, to }
  const at = words.lastIndexOf(words.endsWith('"') ? ' "b/' : ' b/')
  return at < 0
    ? { from: '', to: '' }
    : { from: pathOf(words.slice(0, at), 'a/'), to: pathOf(words.slice(at + 1), 'b/') }
}

const escapes: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', t: '\t', n: '\n', v: '\v', f: '\f', r: '\r' }

/** A name as git writes it in quotation marks where it has odd letters: with escapes as in C, of the bytes of UTF-8. */
function unquoted(name: string): string {
  if (!/^".*"$/s.test(name)) return name
  const pieces = [...name.slice(1, -1).matchAll(/\\(?:([0-3][0-7]{2})|(.))|[^\\]+/gsu)]
  const encoded = pieces.map(([piece, octal, letter]) => {
    if (octal !== undefined) return `%${Number.parseInt(octal, 8).toString(16).padStart(2, '0')}`
    return encodeURIComponent(letter === undefined ? piece : (escapes[letter] ?? letter))
  })
  try {
    return decodeURIComponent(encoded.join(''))
  } catch {
    // Bytes that are no UTF-8: as it came, it names no other file.
    return name
  }
}
