import type { Bus } from './bus.ts'
import type { Appended } from './log-store.ts'

/**
 * The bus of a server that is alone: `publish` calls everybody before it returns, so nothing waits, nothing is lost and the
 * order is that of the calls. Who subscribes while something is published hears what comes after it.
 */
export function openMemoryBus(): Bus {
  const hearers = new Set<{ hear: (appended: Appended) => void }>()
  return {
    publish(appended) {
      const present = [...hearers]
      for (const one of appended) {
        for (const hearer of present) {
          // Whoever left while this was published is not called any more.
          if (hearers.has(hearer)) hearer.hear(one)
        }
      }
    },
    subscribe(hear) {
      const hearer = { hear }
      hearers.add(hearer)
      return () => hearers.delete(hearer)
    },
    [Symbol.asyncDispose]: () => {
      hearers.clear()
      return Promise.resolve()
    },
  }
}
