// Makes garbage that lives for a while, and says how often the whole heap was collected. Started by heap-room.test.ts,
// with `room` where the heap gets its room.
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { giveHeapRoom } from '../src/machine/heap-room.ts'

/** `perf_hooks.constants.NODE_PERFORMANCE_GC_MAJOR`. */
const major = 4

/** What Node says beside the time of a collection, which its types leave out. */
function kindOf(entry: object): unknown {
  const { detail } = entry as { detail?: { kind?: unknown } }
  return detail?.kind
}

if (process.argv[2] === 'room') giveHeapRoom()
let collections = 0
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().filter((entry) => kindOf(entry) === major).length
})
observer.observe({ entryTypes: ['gc'] })
const lives = Array.from({ length: 300_000 }, (_, n) => ({ n, text: `a${n}` }))
const recent: object[] = []
for (let round = 0; round < 400; round += 1) {
  for (let n = 0; n < 2_500; n += 1) recent.push({ n, text: `b${n}-${round}`, more: [n, round] })
  if (recent.length > 150_000) recent.splice(0, 10_000)
  await turn()
}
// Entries come in a later turn.
await turn()
await turn()
process.stdout.write(JSON.stringify({ collections, lives: lives.length }))
