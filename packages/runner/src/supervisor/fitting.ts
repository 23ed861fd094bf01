/** Names in one event, and their characters. */
const namesMax = 1_000
const nameChars = 48 * 1024

/** As many as an event can take. */
export function fitting<T>(items: readonly T[], textOf: (item: T) => string): readonly T[] {
  let left = nameChars
  return items.slice(0, namesMax).filter((item) => (left -= textOf(item).length + 20) > 0)
}
