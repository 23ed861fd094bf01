// Loaded into a server under test before anything else. Counts its timers from the start; told so by a signal, it
// collects its garbage and writes what it still holds into the file that is named in the environment. Started by rows/soak.ts.
import { createHook } from 'node:async_hooks'
import { renameSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What a server holds when nothing is asked of it. */
export interface Holdings {
  /** How often it has told it by now. */
  told: number
  timers: number
  heapBytes: number
}

function tellHoldings(path: string): void {
  const timers = new Set<number>()
  createHook({
    init: (id, type) => {
      if (type === 'Timeout') timers.add(id)
    },
    destroy: (id) => void timers.delete(id),
  }).enable()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let told = 0
  process.on('SIGUSR2', () => {
    // The second one finds what the first one let go of.
    collect()
    setImmediate(() => {
      collect()
      told += 1
      const holdings: Holdings = { told, timers: timers.size, heapBytes: process.memoryUsage().heapUsed }
      writeFileSync(`${path}.part`, JSON.stringify(holdings))
      renameSync(`${path}.part`, path)
    })
  })
}

const path = process.env['TELL_HOLDINGS_IN']
if (path !== undefined) tellHoldings(path)
