import type { Item } from './item.ts'

/** What stands where the output was. */
export function outputErased(days: number | undefined): string {
  const when = days ? ` after ${days} day${days > 1 ? 's' : ''}` : ''
  return `The output of programs and tools was erased${when}.`
}

/** What is left of what was shown when its output is erased: what was done, and not what came of it. */
export function withoutOutput(items: readonly Item[]): Item[] {
  return items
    .filter(({ kind }) => kind !== 'output')
    .map((item) => (item.kind === 'step' ? { ...item, output: undefined, error: undefined } : item))
}
