import type { MarkedLine } from './word-diff.ts'

/** What stands beside each other: what was, and what is now. A gap, and what did not change, stand on both sides. */
export interface Pair {
  old: MarkedLine | undefined
  next: MarkedLine | undefined
}

/** For two columns: of a run of lines that went and the run that came in their place, the first beside the first. */
export function pairLines(lines: readonly MarkedLine[]): readonly Pair[] {
  const pairs: Pair[] = []
  let [went, came]: [MarkedLine[], MarkedLine[]] = [[], []]
  const settle = (): void => {
    for (let at = 0; at < Math.max(went.length, came.length); at += 1) pairs.push({ old: went[at], next: came[at] })
    went = []
    came = []
  }
  for (const marked of lines) {
    switch (marked.line.kind) {
      case 'removed':
        // What came belongs to what went before it, not after.
        if (came.length > 0) settle()
        went.push(marked)
        break
      case 'added':
        came.push(marked)
        break
      case 'same':
      case 'gap':
        settle()
        pairs.push({ old: marked, next: marked })
        break
    }
  }
  settle()
  return pairs
}
