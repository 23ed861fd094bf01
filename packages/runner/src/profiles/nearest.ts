/** Changes from one word to another above which they have nothing to do with each other, for each of its characters. */
const changesMax = 0.4

/** The one of `known` that somebody most likely meant; undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const lower = word.toLowerCase()
  const ranked = known
    .map((candidate) => ({ candidate, changes: changesBetween(lower, candidate.toLowerCase()) }))
    .toSorted((one, other) => one.changes - other.changes)
  const [best] = ranked
  if (!best) return undefined
  const most = Math.max(1, Math.floor(Math.max(word.length, best.candidate.length) * changesMax))
  return best.changes <= most ? best.candidate : undefined
}

/** How many characters have to be put in, left out, changed, or swapped with their neighbour. */
function changesBetween(from: string, to: string): number {
  let before: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row]
    for (let at = 1; at <= to.length; at += 1) {
      const isSame = from[row - 1] === to[at - 1]
      const swapped = row > 1 && at > 1 && from[row - 1] === to[at - 2] && from[row - 2] === to[at - 1]
      next[at] = Math.min(
        (last[at] ?? 0) + 1,
        (next[at - 1] ?? 0) + 1,
        (last[at - 1] ?? 0) + (isSame ? 0 : 1),
        swapped ? (before[at - 2] ?? 0) + 1 : Infinity,
      )
    }
    before = last
    last = next
  }
  return last[to.length] ?? 0
}
