import type { Bus } from './bus.ts'
import type { Appended } from './log-store.ts'

/** The bus of a server that is alone: whoever subscribed hears at once, in the order of the commits. */
export function openMemoryBus(): Bus {
  const ears = new Set<(appended: Appended) => void>()
  return {
    publish: (appended) => {
      for (const one of appended) for (const hear of ears) hear(one)
    },
    subscribe: (hear) => {
      // A subscription of its own, so that the same function can be there twice.
      const ear = (appended: Appended): void => hear(appended)
      ears.add(ear)
      return () => ears.delete(ear)
    },
    [Symbol.asyncDispose]: () => {
      ears.clear()
      return Promise.resolve()
    },
  }
}
