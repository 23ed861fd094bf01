import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** By how much what lives may grow before all of it is looked through again. */
const roomPercent = 300
/** A heap that is larger than this grows as V8 thinks best: there such a share of it would be a lot of memory. */
const smallHeapBytes = 256 * 1024 ** 2
const lookEveryMs = 5_000

/**
 * Lets a small heap grow before it is collected, also after a quiet time: V8 then takes a process for one that has to
 * save memory, and lets its heap grow by no more than a third from there on (docs/adr/0022).
 */
export function giveHeapRoom(): void {
  let given: number | undefined
  const look = (): void => {
    const percent = getHeapStatistics().used_heap_size < smallHeapBytes ? roomPercent : 0
    if (percent !== given) setFlagsFromString(`--heap-growing-percent=${percent}`)
    given = percent
  }
  look()
  setInterval(look, lookEveryMs).unref()
}
