/** A change of one file, or of one place in it. */
export interface PatchedText {
  path: string
  /** Null: the file is new. */
  oldText: string | null
  newText: string
  /** The lines around the change, and not the file. */
  partial: boolean
}

/** Changes that are read of one patch; of what comes after them, nobody would read. */
const changesMax = 200

/**
 * The changes in a git patch: of a new or deleted file as a whole, of another one each hunk by itself. What cannot be read
 * is passed over.
 */
export function readGitPatch(patch: string): readonly PatchedText[] {
  const changes: PatchedText[] = []
  let from = ''
  let to = ''
  let hunk: Hunk | undefined
  const close = (): void => {
    if (!hunk || changes.length >= changesMax) return
    const isNew = from === '/dev/null'
    const isGone = to === '/dev/null'
    changes.push({
      path: isGone ? from : to,
      oldText: isNew ? null : hunk.old.join(''),
      newText: hunk.new.join(''),
      partial: !isNew && !isGone,
    })
    hunk = undefined
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
    const words = line.trimEnd()
    if (words.startsWith('diff --git ') || words.startsWith('--- ')) close()
    if (words.startsWith('--- ')) from = pathOf(words.slice(4), 'a/')
    else if (words.startsWith('+++ ')) to = pathOf(words.slice(4), 'b/')
    const counts = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(words)
    if (!counts) continue
    close()
    hunk = { old: [], new: [], oldLeft: Number(counts[1] ?? 1), newLeft: Number(counts[2] ?? 1), sides: [] }
  }
  close()
  return changes
}

interface Hunk {
  old: string[]
  new: string[]
  oldLeft: number
  newLeft: number
  /** Whose the line before was. */
  sides: readonly ('old' | 'new')[]
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
  const path = words.split('\t')[0] ?? ''
  return path.startsWith(prefix) ? path.slice(prefix.length) : path
}
