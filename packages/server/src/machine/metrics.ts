import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What is measured, in a registry of its own. Disposing stops the measuring. */
export interface Metrics extends Disposable {
  readonly registry: Registry
  readonly httpRequests: Counter<'method' | 'route' | 'status'>
  readonly httpSeconds: Histogram<'method' | 'route'>
  readonly refusals: Counter<'code'>
  readonly passwordChecks: Counter
  readonly signIns: Counter<'outcome'>
  /** The text that Prometheus reads. */
  text(): Promise<string>
}

export function openMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const nanosecondsPerSecond = 1e9
  const loop = new Gauge({
    name: 'hotline_event_loop_delay_seconds',
    help: 'Delay of the event loop since the last reading',
    labelNames: ['quantile'] as const,
    registers: [],
    collect() {
      this.set({ quantile: '0.5' }, delay.percentile(50) / nanosecondsPerSecond)
      this.set({ quantile: '0.99' }, delay.percentile(99) / nanosecondsPerSecond)
      this.set({ quantile: '1' }, delay.max / nanosecondsPerSecond)
      delay.reset()
    },
  })
  const memory = new Gauge({
    name: 'hotline_memory_bytes',
    help: 'Memory of the process',
    labelNames: ['kind'] as const,
    registers: [],
    collect() {
      const { rss, heapUsed, external } = process.memoryUsage()
      this.set({ kind: 'resident' }, rss)
      this.set({ kind: 'heap' }, heapUsed)
      this.set({ kind: 'external' }, external)
    },
  })
  const processor = new Gauge({
    name: 'hotline_cpu_seconds',
    help: 'Processor time of the process since its start',
    registers: [],
    collect() {
      const { user, system } = process.cpuUsage()
      this.set((user + system) / 1e6)
    },
  })
  for (const gauge of [loop, memory, processor]) registry.registerMetric(gauge)
  return {
    registry,
    httpRequests: new Counter({
      name: 'hotline_http_requests_total',
      help: 'Requests that were answered',
      labelNames: ['method', 'route', 'status'] as const,
      registers,
    }),
    httpSeconds: new Histogram({
      name: 'hotline_http_request_seconds',
      help: 'Time from the head of a request to the end of its answer',
      labelNames: ['method', 'route'] as const,
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30],
      registers,
    }),
    refusals: new Counter({
      name: 'hotline_refusals_total',
      help: 'Requests refused, by error code',
      labelNames: ['code'] as const,
      registers,
    }),
    passwordChecks: new Counter({
      name: 'hotline_password_checks_total',
      help: 'Passwords that were hashed to be compared',
      registers,
    }),
    signIns: new Counter({
      name: 'hotline_sign_ins_total',
      help: 'Tries to sign in',
      labelNames: ['outcome'] as const,
      registers,
    }),
    text: () => registry.metrics(),
    [Symbol.dispose]: () => {
      delay.disable()
      registry.clear()
    },
  }
}
