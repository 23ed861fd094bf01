import { numberOf } from '../child.ts'
import { toFlags } from '../flags.ts'
import type { Profile } from '../options.ts'
import { faultsOf, measureChild, type Sample } from '../sample.ts'
import { type Cell, durationsOf, type Metric, type Scenario } from '../scenario.ts'
import { type Bench, type HttpSubject, programPath } from '../subject.ts'
import { httpSubjects, writerSubjects } from '../subjects.ts'

const timing: Readonly<Record<Profile, { warmupMs: number; windowMs: number }>> = {
  smoke: { warmupMs: 100, windowMs: 300 },
  quick: { warmupMs: 500, windowMs: 1_000 },
  full: { warmupMs: 1_000, windowMs: 2_500 },
}

async function measure(subject: HttpSubject, clients: number, profile: Profile, bench: Bench): Promise<Sample> {
  await using server = await subject.start(bench)
  const { warmupMs, windowMs } = timing[profile]
  const { method, path, headers, body } = server.request
  const { result, use } = await measureChild({
    command: programPath(bench.programs.httpload),
    arguments: [
      ...toFlags({ port: server.port, clients, method, path, body, 'warmup-ms': warmupMs, 'window-ms': windowMs }),
      ...headers.flatMap((header) => ['--header', header]),
    ],
    cpu: bench.loadCpu,
    signal: bench.signal,
    watched: server.pids,
    expectedMs: warmupMs + windowMs,
  })
  const faults = faultsOf(result)
  if (server.stored !== undefined) {
    const stored = await server.stored()
    const answered = numberOf(result, 'answered')
    // What was on its way when the time was over may be kept, too.
    if (stored < answered || stored > answered + clients) faults.push(`${answered} answered, ${stored} kept`)
  }
  return {
    values: {
      answersPerSecond: numberOf(result, 'answersPerSecond'),
      p50Ms: numberOf(result, 'p50Us') / 1_000,
      p99Ms: numberOf(result, 'p99Us') / 1_000,
      bytesPerAnswer: numberOf(result, 'bytesPerAnswer'),
      serverShare: use.watchedShare,
    },
    faults,
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    loadShare: numberOf(result, 'cpuShare'),
  }
}

function cellOf(subjects: readonly HttpSubject[], clients: number, profile: Profile, reference: string): Cell {
  return {
    label: `${clients} connections`,
    contenders: subjects.map((subject) => ({
      name: subject.name,
      references: subject.name === reference ? [] : [reference],
      measure: (bench) => measure(subject, clients, profile, bench),
    })),
  }
}

function metrics(answers: string): readonly Metric[] {
  return [
    { key: 'answersPerSecond', title: answers, digits: 0, ratio: true },
    { key: 'p50Ms', title: 'p50 ms', digits: 2, ratio: false },
    { key: 'p99Ms', title: 'p99 ms', digits: 2, ratio: false },
    { key: 'bytesPerAnswer', title: 'bytes/answer', digits: 0, ratio: false },
    { key: 'serverShare', title: 'server CPU', digits: 2, ratio: false },
  ]
}

/** Simple reads over HTTP. */
export const http: Scenario = {
  name: 'http',
  title: 'Simple HTTP requests',
  method: 'Closed loop: every connection has one request at a time, kept alive.',
  metrics: metrics('answers/s'),
  durations: (profile) => durationsOf(timing[profile]),
  cells: (profile) => [cellOf(httpSubjects, profile === 'smoke' ? 20 : 500, profile, 'bare Fastify')],
}

/** Durable appends to one stream over HTTP. */
export const writers: Scenario = {
  name: 'writers',
  title: 'Durable appends to one stream by 64 writers over HTTP',
  method:
    'Closed loop: every writer has one append of one event of 300 bytes at a time, answered when it is durable. ' +
    'Afterwards the server is asked how many it has: fewer than it answered is a fault.',
  metrics: metrics('appends/s'),
  durations: (profile) => durationsOf(timing[profile]),
  cells: (profile) => [cellOf(writerSubjects, 64, profile, '@durable-streams/server')],
}
