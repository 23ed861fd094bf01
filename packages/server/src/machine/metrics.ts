import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/**
 * All that is measured, in a registry of its own. Names follow Prometheus: the unit at the end, `_total` for what only
 * grows. A label takes its values from a list of ours, never from what somebody sends, so the number of series is bounded;
 * `docs/operations.md` explains each, and a test compares the two.
 */
export interface Metrics {
  readonly registry: Registry
  readonly httpRequests: Counter<'method' | 'route' | 'status'>
  readonly httpSeconds: Histogram<'method' | 'route'>
  readonly refusals: Counter<'code'>
  readonly passwordChecks: Counter
  readonly signIns: Counter<'outcome'>
  readonly commands: Counter<'type'>
  readonly commandRefusals: Counter<'code'>
  readonly commandSeconds: Histogram
  readonly appends: Counter<'outcome'>
  readonly events: Counter
  readonly commitSeconds: Histogram
  readonly connections: Gauge<'kind'>
  readonly connectionsOpened: Counter<'kind'>
  readonly connectionSeconds: Histogram<'kind'>
  readonly framesReceived: Counter
  readonly framesSent: Counter
  readonly bytesSent: Counter
  readonly followers: Gauge
  readonly follows: Counter<'from'>
  readonly runners: Gauge
  readonly sessions: Gauge<'status'>
  readonly openApprovals: Gauge
  readonly approvals: Counter<'outcome'>
  readonly databaseBytes: Gauge
  readonly diskFreeBytes: Gauge
  readonly loopDelay: Gauge<'quantile'>
  readonly processor: Counter
  readonly resident: Gauge
  readonly heap: Gauge
  readonly startedAt: Gauge
  readonly build: Gauge<'version' | 'node'>
  /** Called before each reading, for what is looked up rather than counted; the answer ends it. */
  beforeReading(look: () => void | Promise<void>): () => void
  /** The text that Prometheus reads. */
  text(): Promise<string>
}

const requestBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 30]
const commandBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10]
const minute = 60
const connectionBuckets = [1, 10, minute, 10 * minute, 60 * minute, 6 * 60 * minute, 24 * 60 * minute]

/** All metrics of a server, at zero. */
export function openMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const looks = new Set<() => void | Promise<void>>()
  const count = <const L extends string = never>(name: string, help: string, ...labels: L[]): Counter<L> =>
    new Counter({ name: `hotline_${name}`, help, labelNames: labels, registers })
  const gauge = <const L extends string = never>(name: string, help: string, ...labels: L[]): Gauge<L> =>
    new Gauge({ name: `hotline_${name}`, help, labelNames: labels, registers })
  const spread = <const L extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    ...labels: L[]
  ): Histogram<L> => new Histogram({ name: `hotline_${name}`, help, buckets, labelNames: labels, registers })
  return {
    registry,
    httpRequests: count('http_requests_total', 'HTTP requests that were answered', 'method', 'route', 'status'),
    httpSeconds: spread(
      'http_request_duration_seconds',
      'Time from the head of a request to the end of its answer',
      requestBuckets,
      'method',
      'route',
    ),
    refusals: count('refusals_total', 'HTTP requests that were refused, by error code', 'code'),
    passwordChecks: count('password_checks_total', 'Passwords that were hashed to be compared'),
    signIns: count('sign_ins_total', 'Tries to sign in', 'outcome'),
    commands: count('commands_total', 'Commands that were accepted, whatever the door', 'type'),
    commandRefusals: count('command_refusals_total', 'Commands that were refused, by error code', 'code'),
    commandSeconds: spread(
      'command_duration_seconds',
      'Time from the arrival of a command to its answer, which comes after the commit',
      commandBuckets,
    ),
    appends: count('log_appends_total', 'Appends to the log', 'outcome'),
    events: count('log_events_total', 'Events that were written'),
    commitSeconds: spread('log_commit_duration_seconds', 'Time of one commit with its sync', commandBuckets),
    connections: gauge('connections', 'Connections that are open', 'kind'),
    connectionsOpened: count('connections_opened_total', 'Connections that were opened', 'kind'),
    connectionSeconds: spread(
      'connection_duration_seconds',
      'How long connections were open that have ended',
      connectionBuckets,
      'kind',
    ),
    framesReceived: count('received_frames_total', 'Frames that came over connections'),
    framesSent: count('sent_frames_total', 'Frames that went out over connections'),
    bytesSent: count('sent_bytes_total', 'Bytes of those frames'),
    followers: gauge('followers', 'Streams that are being followed, counted once for each connection'),
    follows: count('follows_total', 'Follows that were begun; from a cursor: somebody came back', 'from'),
    runners: gauge('runners_connected', 'Machines that run agents and are connected'),
    sessions: gauge('sessions', 'Sessions by their state', 'status'),
    openApprovals: gauge('approvals_open', 'Approvals that wait for an answer'),
    approvals: count('approvals_total', 'Approvals that were closed, by their outcome', 'outcome'),
    databaseBytes: gauge('database_bytes', 'Size of the SQLite database with its write-ahead log'),
    diskFreeBytes: gauge('disk_free_bytes', 'Room on the disk of the data directory'),
    loopDelay: gauge('event_loop_delay_seconds', 'Delay of the event loop since the last reading', 'quantile'),
    processor: new Counter({
      name: 'process_cpu_seconds_total',
      help: 'Processor time of the server',
      registers,
    }),
    resident: new Gauge({ name: 'process_resident_memory_bytes', help: 'Memory of the server', registers }),
    heap: new Gauge({ name: 'nodejs_heap_size_used_bytes', help: 'Memory of its JavaScript objects', registers }),
    startedAt: new Gauge({
      name: 'process_start_time_seconds',
      help: 'When the server was started, in seconds since 1970',
      registers,
    }),
    build: gauge('build_info', 'Always 1; what runs is in the labels', 'version', 'node'),
    beforeReading: (look) => {
      looks.add(look)
      return () => looks.delete(look)
    },
    text: async () => {
      for (const look of looks) await look()
      return registry.metrics()
    },
  }
}
