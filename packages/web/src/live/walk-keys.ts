/** Where a key leads from a place. */
const steps: Record<string, (at: number, last: number) => number> = {
  j: (at, last) => Math.min(last, at + 1),
  k: (at) => Math.max(0, at - 1),
  ArrowDown: (at, last) => Math.min(last, at + 1),
  ArrowUp: (at) => Math.max(0, at - 1),
  Home: () => 0,
  End: (_, last) => last,
}

/**
 * The row to which a key leads from another one, or from none: then it is the first, and the last for End. Undefined where
 * the key leads nowhere, or there is no row.
 */
export function walkedTo(key: string, rows: readonly string[], from: string | undefined): string | undefined {
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined
  if (!step) return undefined
  const last = rows.length - 1
  const at = from === undefined ? -1 : rows.indexOf(from)
  return rows[at < 0 ? (key === 'End' ? last : 0) : step(at, last)]
}
