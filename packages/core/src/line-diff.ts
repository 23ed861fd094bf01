import type { FileChange } from '@hotline/protocol/events/turn'

/** A line of a change; `old` and `next` are its numbers (from 1) on the side that has it. */
export type DiffLine =
  | { kind: 'same'; text: string; old: number; next: number }
  | { kind: 'removed'; text: string; old: number }
  | { kind: 'added'; text: string; next: number }
/** Lines that did not change and are left out. */
export type DiffGap = { kind: 'gap'; lines: number }

/** Cells of the comparison above which a change is shown as all removed, all added: it stays exact, only longer. */
const cellLimit = 4_000_000

/** The lines of a change, exact: what was removed, what was added, in order. */
export function diffLines(oldText: string, newText: string): DiffLine[] {
  const old = splitLines(oldText)
  const next = splitLines(newText)
  let head = 0
  while (head < old.length && head < next.length && old[head] === next[head]) head += 1
  let tail = 0
  while (tail < old.length - head && tail < next.length - head && old.at(-1 - tail) === next.at(-1 - tail)) tail += 1
  const lines: DiffLine[] = []
  for (let at = 0; at < head; at += 1) lines.push({ kind: 'same', text: old[at] ?? '', old: at + 1, next: at + 1 })
  const middle = compare(old.slice(head, old.length - tail), next.slice(head, next.length - tail))
  lines.push(...middle.map((line) => shift(line, head)))
  for (let left = tail; left > 0; left -= 1) {
    const [oldNumber, nextNumber] = [old.length - left + 1, next.length - left + 1]
    lines.push({ kind: 'same', text: old[oldNumber - 1] ?? '', old: oldNumber, next: nextNumber })
  }
  return lines
}

/** The lines of a change as an agent shows it. */
export function diffOf({ oldText, newText }: FileChange): DiffLine[] {
  return diffLines(oldText ?? '', newText)
}

/** How many lines of a change came and went; counted once for each change. */
export function changeCounts(change: FileChange): { added: number; removed: number } {
  return countChanges(diffOf(change))
}

/** Leaves out what is further than `context` lines from a change. */
export function foldUnchanged(lines: readonly DiffLine[], context: number): (DiffLine | DiffGap)[] {
  const near = Array.from(lines, () => false)
  for (const [at, line] of lines.entries()) {
    if (line.kind === 'same') continue
    near.fill(true, Math.max(0, at - context), at + context + 1)
  }
  const shown: (DiffLine | DiffGap)[] = []
  let hidden = 0
  const gap = (): void => {
    if (hidden > 0) shown.push({ kind: 'gap', lines: hidden })
    hidden = 0
  }
  for (const [at, line] of lines.entries()) {
    if (near[at]) {
      gap()
      shown.push(line)
    } else hidden += 1
  }
  gap()
  return shown
}

/** Lines that came and went. */
export function countChanges(lines: readonly DiffLine[]): { added: number; removed: number } {
  return {
    added: lines.filter(({ kind }) => kind === 'added').length,
    removed: lines.filter(({ kind }) => kind === 'removed').length,
  }
}

/** A last line break ends the last line; its absence is a difference and is written out. */
function splitLines(text: string): string[] {
  if (text === '') return []
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  else lines[lines.length - 1] = `${lines.at(-1) ?? ''}\n\\ no line break at the end`
  return lines
}

function shift(line: DiffLine, by: number): DiffLine {
  switch (line.kind) {
    case 'same':
      return { ...line, old: line.old + by, next: line.next + by }
    case 'removed':
      return { ...line, old: line.old + by }
    case 'added':
      return { ...line, next: line.next + by }
  }
}

/** The longest common subsequence by dynamic programming over a bounded table. */
function compare(old: readonly string[], next: readonly string[]): DiffLine[] {
  const removed = old.map((text, at): DiffLine => ({ kind: 'removed', text, old: at + 1 }))
  const added = next.map((text, at): DiffLine => ({ kind: 'added', text, next: at + 1 }))
  const width = next.length + 1
  if (old.length === 0 || next.length === 0 || (old.length + 1) * width > cellLimit) return [...removed, ...added]
  const common = new Uint32Array((old.length + 1) * width)
  const cell = (row: number, column: number): number => common[row * width + column] ?? 0
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = next.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        old[row] === next[column]
          ? cell(row + 1, column + 1) + 1
          : Math.max(cell(row + 1, column), cell(row, column + 1))
    }
  }
  const lines: DiffLine[] = []
  let [row, column] = [0, 0]
  while (row < old.length || column < next.length) {
    if (row < old.length && column < next.length && old[row] === next[column]) {
      lines.push({ kind: 'same', text: old[row] ?? '', old: row + 1, next: column + 1 })
      row += 1
      column += 1
    } else if (column === next.length || (row < old.length && cell(row + 1, column) >= cell(row, column + 1))) {
      lines.push({ kind: 'removed', text: old[row] ?? '', old: row + 1 })
      row += 1
    } else {
      lines.push({ kind: 'added', text: next[column] ?? '', next: column + 1 })
      column += 1
    }
  }
  return lines
}
