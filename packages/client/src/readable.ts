import type { Readable } from './link.ts'

/** A value that its owner changes and others watch. */
export interface Watchable<T> extends Readable<T> {
  set(value: T): void
}

export function watchable<T>(first: T): Watchable<T> {
  let value = first
  const watchers = new Set<(value: T) => void>()
  return {
    get value() {
      return value
    },
    set: (next) => {
      value = next
      for (const watcher of watchers) watcher(next)
    },
    watch: (changed) => {
      watchers.add(changed)
      return () => watchers.delete(changed)
    },
  }
}
