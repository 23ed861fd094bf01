import { readFileSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from '../machine/metrics.ts'

const nanosecondsPerSecond = 1e9
const microsecondsPerSecond = 1e6

/** What the server takes of its machine, and what it is. Disposing stops the measuring. */
export function measureProcess(metrics: Metrics, of: { dataDir: string; database: 'sqlite' | 'postgres' }): Disposable {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  metrics.startedAt.set(Math.round(Date.now() / 1_000 - process.uptime()))
  metrics.build.set({ version: ownVersion(), node: process.versions.node }, 1)
  let counted = 0
  const leave = metrics.beforeReading(() => {
    metrics.loopDelay.set({ quantile: '0.5' }, delay.percentile(50) / nanosecondsPerSecond)
    metrics.loopDelay.set({ quantile: '0.99' }, delay.percentile(99) / nanosecondsPerSecond)
    metrics.loopDelay.set({ quantile: '1' }, delay.max / nanosecondsPerSecond)
    delay.reset()
    const { user, system } = process.cpuUsage()
    metrics.processor.inc((user + system - counted) / microsecondsPerSecond)
    counted = user + system
    const { rss, heapUsed } = process.memoryUsage()
    metrics.resident.set(rss)
    metrics.heap.set(heapUsed)
    metrics.diskFreeBytes.set(freeBytes(of.dataDir))
    if (of.database === 'sqlite') metrics.databaseBytes.set(databaseBytes(of.dataDir))
  })
  return {
    [Symbol.dispose]: () => {
      leave()
      delay.disable()
    },
  }
}

/** What a program may still write there. A disk that cannot be asked counts as full: somebody should look. */
function freeBytes(dir: string): number {
  try {
    const { bavail, bsize } = statfsSync(dir)
    return bavail * bsize
  } catch {
    return 0
  }
}

function databaseBytes(dir: string): number {
  const sizes = ['hotline.db', 'hotline.db-wal'].map(
    (file) => statSync(join(dir, file), { throwIfNoEntry: false })?.size ?? 0,
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

function ownVersion(): string {
  const path = join(import.meta.dirname, '../../package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}
