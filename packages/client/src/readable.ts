import type { Readable } from './link.ts'

/** A value that its owner changes and others watch. */
export interface Watchable<T> extends Readable<T> {
  set(value: T): void
}

/** Makes a value that can be set and watched. */
export function watchable<T>(first: T): Watchable<T> {
  let value = first
  const watchers = new Set<(value: T) => void>()
  return {
    get value() {
      return value
    },
    set: (next) => {
      if (next === value) return
      value = next
      // A copy: whoever begins to watch while the others hear of it is not told again.
      for (const watcher of Array.from(watchers)) if (watchers.has(watcher)) watcher(next)
    },
    watch: (changed) => {
      // A function of its own, so that the same callback may watch twice.
      const watcher = (next: T): void => changed(next)
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
  }
}
