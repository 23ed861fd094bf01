import { Readable } from 'node:stream'
import { type Problem, problem } from '@hotline/protocol/error'
import { HealthAnswer } from '@hotline/protocol/http'
import type { Metrics } from '../../machine/metrics.ts'
import { Nothing, type RegisterRoute } from '../route.ts'

/** What these routes read. */
export interface HealthPorts {
  metrics: Metrics
  /** Why no work can be taken now; undefined where all is well. */
  notReady: () => Promise<Problem | undefined>
}

/** Whether the process lives, whether it can work, and what it measures. */
export function registerHealthRoutes(route: RegisterRoute, { metrics, notReady }: HealthPorts): void {
  route({
    method: 'GET',
    url: '/healthz',
    summary: 'Whether the process lives',
    permission: 'open',
    answer: HealthAnswer,
    handle: () => ({ value: { status: 'ok' as const } }),
  })

  route({
    method: 'GET',
    url: '/readyz',
    summary: 'Whether it can take work',
    permission: 'open',
    answer: HealthAnswer,
    handle: async () => {
      const why = await notReady()
      return why ? { problem: why } : { value: { status: 'ready' as const } }
    },
  })

  route({
    method: 'GET',
    url: '/metrics',
    summary: 'What it measures, for Prometheus',
    permission: 'read',
    streams: ['text/plain; version=0.0.4; charset=utf-8'],
    answer: Nothing,
    handle: async ({ principal, visit }) => {
      // On its own machine any key will do, so that a scraper need not be an admin.
      if (!principal.admin && !visit.local) {
        return { problem: problem('forbidden', 'From another machine only an admin of this server may read this.') }
      }
      return { stream: Readable.from([await metrics.text()]), contentType: metrics.registry.contentType }
    },
  })
}
