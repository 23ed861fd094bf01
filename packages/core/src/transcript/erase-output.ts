import type { Item } from './item.ts'

/** What stands where the output was. */
export function outputErased(days: number | undefined): string {
  const when = days === undefined ? '' : ` after ${days} ${days === 1 ? 'day' : 'days'}`
  return `The output of programs and tools was erased${when}.`
}

/** What is left of what was shown when its output is erased: what was done, and not what came of it. */
export function withoutOutput(items: readonly Item[]): Item[] {
  return items.flatMap((item): readonly Item[] => {
    if (item.kind === 'output') return []
    return item.kind === 'step' ? [{ ...item, output: undefined, error: undefined }] : [item]
  })
}
