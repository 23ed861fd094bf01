import type { DiffGap, DiffLine } from '@hotline/core/line-diff'

/** A line, and the part of it that differs from the line in whose place it stands; nothing where `from` is `to`. */
export interface MarkedLine {
  line: DiffLine | DiffGap
  from: number
  to: number
}

/** Where as many lines came as went, what is different within each: the rest of a line is as it was. */
export function markWords(lines: readonly (DiffLine | DiffGap)[]): readonly MarkedLine[] {
  const marked = lines.map((line): MarkedLine => ({ line, from: 0, to: 0 }))
  for (let at = 0; at < lines.length;) {
    const removed = runOf(lines, at, 'removed')
    const added = runOf(lines, at + removed, 'added')
    if (removed > 0 && removed === added) {
      for (let pair = at; pair < at + removed; pair += 1) mark(marked, pair, pair + removed)
    }
    at += Math.max(1, removed + added)
  }
  return marked
}

function runOf(lines: readonly (DiffLine | DiffGap)[], start: number, kind: 'removed' | 'added'): number {
  let at = start
  while (lines[at]?.kind === kind) at += 1
  return at - start
}

function mark(marked: MarkedLine[], oldAt: number, newAt: number): void {
  const [old, now] = [marked[oldAt]?.line, marked[newAt]?.line]
  if (old?.kind !== 'removed' || now?.kind !== 'added') return
  const shorter = Math.min(old.text.length, now.text.length)
  let head = 0
  while (head < shorter && old.text[head] === now.text[head]) head += 1
  let tail = 0
  while (tail < shorter - head && old.text.at(-1 - tail) === now.text.at(-1 - tail)) tail += 1
  // A cut must not go through the middle of a character.
  while (head > 0 && isHigh(old.text[head - 1])) head -= 1
  while (tail > 0 && isLow(old.text.at(-tail))) tail -= 1
  // Where nearly nothing is common, a mark of everything tells nothing.
  if (head + tail < shorter / 4) return
  marked[oldAt] = { line: old, from: head, to: old.text.length - tail }
  marked[newAt] = { line: now, from: head, to: now.text.length - tail }
}

function isHigh(char: string | undefined): boolean {
  return char !== undefined && /[\ud800-\udbff]/.test(char)
}

function isLow(char: string | undefined): boolean {
  return char !== undefined && /[\udc00-\udfff]/.test(char)
}
