import type { Envelope } from '@hotline/protocol/event'
import { type ApprovalOutcome, ApprovalOutcome as ApprovalOutcomes } from '@hotline/protocol/events/approval'
import { asKnown } from '@hotline/protocol/known-event'
import { sessionStatuses } from '@hotline/protocol/session-status'
import type { Principal } from '../access/principal.ts'
import type { Connection, Connections } from '../gate/connections.ts'
import type { Bus } from '../log/bus.ts'
import type { Lists } from '../log/lists.ts'
import type { LogObserver } from '../log/log-observer.ts'
import type { AppendResult, StoredEvent } from '../log/log-store.ts'
import type { Clock } from '../machine/clock.ts'
import type { Logger } from '../machine/logger.ts'
import type { Metrics } from '../machine/metrics.ts'
import type { Traffic } from '../machine/traffic.ts'
import type { WatchCommand } from '../session/exchange.ts'

/** What is measured of the server's work. */
export interface MeasurePorts {
  metrics: Metrics
  connections: Connections
  traffic: Traffic
  lists: Lists
  bus: Bus
  clock: Clock
}

const kinds: readonly Principal['kind'][] = ['person', 'service', 'runner']

/** Appends and commits, for the log that is about to be opened. That it cannot be written, and can again, is said once. */
export function observeLog({ appends, events, commitSeconds }: Metrics, logger: Logger): LogObserver {
  let isWritable = true
  const noteWritable = (result: AppendResult): void => {
    if (!result.ok && result.reason !== 'unavailable') return
    if (result.ok === isWritable) return
    isWritable = result.ok
    if (result.ok) logger.info('the log can be written again')
    else logger.error('the log cannot be written', { detail: result.detail })
  }
  for (const outcome of ['written', 'conflict', 'fenced', 'unavailable']) appends.inc({ outcome }, 0)
  return {
    committed: (durationMs) => commitSeconds.observe(durationMs / 1_000),
    answered: (result) => {
      noteWritable(result)
      appends.inc({ outcome: result.ok ? 'written' : result.reason })
      if (result.ok) for (const appended of result.appended) events.inc(appended.events.length)
    },
  }
}

/** What became of each command and how long that took. */
export function observeCommands(metrics: Metrics, clock: Clock): WatchCommand {
  return ({ type }) => {
    const startedMs = clock.monotonicMs()
    return (outcome) => {
      metrics.commandSeconds.observe((clock.monotonicMs() - startedMs) / 1_000)
      if (outcome.ok) metrics.commands.inc({ type })
      else metrics.commandRefusals.inc({ code: outcome.problem.code })
    }
  }
}

/** Connections, what crosses them, sessions and approvals. Disposing stops the measuring. */
export function measureServer(ports: MeasurePorts): Disposable {
  const { metrics, bus } = ports
  for (const outcome of ApprovalOutcomes.options) metrics.approvals.inc({ outcome }, 0)
  const leave = [
    watchConnections(ports),
    bus.subscribe(({ events }) => {
      for (const event of events) {
        const outcome = approvalOutcome(event)
        if (outcome) metrics.approvals.inc({ outcome })
      }
    }),
    metrics.beforeReading(() => readTraffic(ports)),
    metrics.beforeReading(() => readLists(ports)),
  ]
  return {
    [Symbol.dispose]: () => {
      for (const one of leave) one()
    },
  }
}

function watchConnections({ metrics, connections, clock }: MeasurePorts): () => void {
  const openedMs = new Map<Connection, number>()
  for (const kind of kinds) metrics.connectionsOpened.inc({ kind }, 0)
  return connections.watch((connection, change) => {
    const { kind } = connection.principal
    if (change === 'opened') {
      openedMs.set(connection, clock.monotonicMs())
      metrics.connectionsOpened.inc({ kind })
      return
    }
    const sinceMs = openedMs.get(connection)
    openedMs.delete(connection)
    if (sinceMs !== undefined) metrics.connectionSeconds.observe({ kind }, (clock.monotonicMs() - sinceMs) / 1_000)
  })
}

function readTraffic({ metrics, connections, traffic }: MeasurePorts): void {
  const open = connections.all()
  for (const kind of kinds)
    metrics.connections.set({ kind }, open.filter(({ principal }) => principal.kind === kind).length)
  metrics.followers.set(open.reduce((sum, { followed }) => sum + followed, 0))
  metrics.runners.set(new Set(connections.of('runner').map(({ principal }) => principal.id)).size)
  metrics.framesReceived.reset()
  metrics.framesReceived.inc(traffic.framesReceived)
  metrics.framesSent.reset()
  metrics.framesSent.inc(traffic.framesSent)
  metrics.bytesSent.reset()
  metrics.bytesSent.inc(traffic.bytesSent)
  metrics.follows.reset()
  for (const [from, count] of Object.entries(traffic.follows)) metrics.follows.inc({ from }, count)
}

/** What is not known is not a number: zero would say that all is quiet. */
async function readLists({ metrics, lists }: MeasurePorts): Promise<void> {
  try {
    const { sessions, openApprovals } = await lists.counts()
    const counted = new Map(sessions.map(({ status, count }) => [status, count]))
    for (const status of sessionStatuses) metrics.sessions.set({ status }, counted.get(status) ?? 0)
    metrics.openApprovals.set(openApprovals)
  } catch {
    // The log cannot be read now: everything else can still be told.
    for (const status of sessionStatuses) metrics.sessions.set({ status }, Number.NaN)
    metrics.openApprovals.set(Number.NaN)
  }
}

/** How an approval was closed by this event, if it was. */
function approvalOutcome({ type, bytes }: StoredEvent): ApprovalOutcome | undefined {
  if (type === 'approval.timed_out') return 'timed_out'
  if (type === 'approval.cancelled') return 'cancelled'
  if (type !== 'approval.resolved') return undefined
  const event = asKnown(JSON.parse(Buffer.from(bytes).toString('utf8')) as Envelope)
  return event?.type === 'approval.resolved' ? event.data.outcome : undefined
}
