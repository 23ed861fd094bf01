/** A table in words: what has the same row stands together, above it. */
export function table(rows: Iterable<readonly [what: string, row: readonly string[]]>): string {
  const groups = new Map<string, string[]>()
  for (const [what, row] of rows) {
    const text = row.join('\n  ') || 'nobody'
    groups.set(text, [...(groups.get(text) ?? []), what])
  }
  return [...groups].map(([row, what]) => `${what.join(', ')}:\n  ${row}`).join('\n')
}
