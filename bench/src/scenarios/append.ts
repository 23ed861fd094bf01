import { numberOf } from '../child.ts'
import { eventBytes } from '../dialects.ts'
import { toFlags } from '../flags.ts'
import type { Profile } from '../options.ts'
import { faultsOf, measureChild, nodeChild, type Sample } from '../sample.ts'
import { durationsOf, type Scenario } from '../scenario.ts'
import type { AppendSubject, Bench } from '../subject.ts'
import { appendSubjects } from '../subjects.ts'

const batches: Readonly<Record<Profile, readonly number[]>> = {
  smoke: [1, 100],
  quick: [1, 100],
  full: [1, 10, 100, 1_000],
}
const timing: Readonly<Record<Profile, { warmupMs: number; windowMs: number }>> = {
  smoke: { warmupMs: 50, windowMs: 200 },
  quick: { warmupMs: 200, windowMs: 1_000 },
  full: { warmupMs: 300, windowMs: 1_500 },
}

async function measure(subject: AppendSubject, batch: number, profile: Profile, bench: Bench): Promise<Sample> {
  await using place = await subject.prepare(bench)
  const { warmupMs, windowMs } = timing[profile]
  const args = toFlags({
    batch,
    writers: subject.writers,
    'warmup-ms': warmupMs,
    'window-ms': windowMs,
    look: bench.profileDir === undefined ? 'yes' : 'no',
    directory: bench.scratch,
    url: place.url,
  })
  const { result, use } = await measureChild({
    ...nodeChild(subject.script, args, bench),
    watched: [],
    expectedMs: warmupMs + windowMs,
  })
  const misplaced = numberOf(result, 'misplaced')
  return {
    values: {
      eventsPerSecond: numberOf(result, 'eventsPerSecond'),
      p50Us: numberOf(result, 'p50Us'),
      p99Us: numberOf(result, 'p99Us'),
      maxMs: numberOf(result, 'maxUs') / 1_000,
      misplaced,
    },
    faults: misplaced > 0 ? [...faultsOf(result), `${misplaced} misplaced`] : faultsOf(result),
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    // The loop that makes the events is the contender itself.
    loadShare: 0,
  }
}

/** Durable appends to one stream, one commit after the other. */
export const append: Scenario = {
  name: 'append',
  title: 'Durable appends to one stream',
  method:
    `Events of ${eventBytes} bytes, one commit after the other, each synced to the disk before the next is begun. ` +
    'Times are of one commit. Afterwards the stream is read: whatever was acknowledged and is not in its place is counted.',
  metrics: [
    { key: 'eventsPerSecond', title: 'events/s', digits: 0, ratio: true },
    { key: 'p50Us', title: 'commit p50 µs', digits: 0, ratio: false },
    { key: 'p99Us', title: 'p99 µs', digits: 0, ratio: false },
    { key: 'maxMs', title: 'max ms', digits: 1, ratio: false },
    { key: 'misplaced', title: 'misplaced', digits: 0, ratio: false },
  ],
  durations: (profile) => durationsOf(timing[profile]),
  cells: (profile) =>
    batches[profile].map((batch) => ({
      label: batch === 1 ? '1 event a commit' : `${batch} events a commit`,
      contenders: appendSubjects.map((subject) => ({
        name: subject.name,
        references: subject.references,
        measure: (bench) => measure(subject, batch, profile, bench),
      })),
    })),
}
