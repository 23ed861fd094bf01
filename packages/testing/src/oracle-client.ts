import type { CommandOutcome, Follow, Link } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import { parseCursor } from '@hotline/protocol/stream'
import { type Applied, type Commanded, compareRecording, type Recording } from './oracle-compare.ts'

/** A follower and sender that writes down everything, so that it can be compared with the store at the end. */
export interface OracleClient {
  /** Follows after a cursor, from the beginning when absent. A second follow of a stream takes the place of the first. */
  follow(stream: string, after?: string): void
  command<T extends CommandType>(stream: string, type: T, data: CommandInput<T>): Promise<CommandOutcome>
  /** The last position that was applied; 0 before the first. */
  at(stream: string): number
  /** How often the log of a stream was another one than before. What was applied before is forgotten then. */
  resets(stream: string): number
  /** Why a follow ended, if it did. */
  ended(stream: string): Problem | undefined
  /** A follower that has ended or is not waited for is compared with `open`. */
  recording(stream: string, end?: Recording['end']): Recording
  /** Everything that does not hold, as sentences; empty is what a test expects. */
  violations(stream: string, stored: readonly Envelope[], end?: Recording['end']): string[]
}

interface Followed {
  follow?: Follow
  after: number
  applied: Applied[]
  resets: number
  ended?: Problem
}

/** `name` says in messages whose recording it is. */
export function openOracleClient(link: Link, name: string): OracleClient {
  const followed = new Map<string, Followed>()
  const commands: Commanded[] = []

  function begin(stream: string, after: string, record: Followed): void {
    const cursor = parseCursor(after)
    record.after = typeof cursor === 'object' ? cursor.seq : 0
    record.applied = []
    record.follow = link.follow(stream, after, {
      events: (events, epoch) => {
        for (const { seq, hash } of events) record.applied.push({ epoch, seq, hash })
      },
      reset: (head) => {
        record.resets += 1
        begin(stream, head, record)
      },
      ended: (problem) => {
        record.ended = problem
      },
    })
  }

  const oracle: OracleClient = {
    follow: (stream, after = '0') => {
      followed.get(stream)?.follow?.close()
      const record: Followed = { after: 0, applied: [], resets: 0 }
      followed.set(stream, record)
      begin(stream, after, record)
    },
    command: async (stream, type, data) => {
      const record: Commanded = { id: uuidV7(), stream }
      commands.push(record)
      const outcome = await link.command(stream, type, data, { id: record.id })
      record.outcome = outcome
      return outcome
    },
    at: (stream) => followed.get(stream)?.applied.at(-1)?.seq ?? 0,
    resets: (stream) => followed.get(stream)?.resets ?? 0,
    ended: (stream) => followed.get(stream)?.ended,
    recording: (stream, end = 'complete') => {
      const record = followed.get(stream)
      return {
        name,
        stream,
        after: record?.after ?? 0,
        applied: record ? [...record.applied] : [],
        commands: [...commands],
        end: record ? end : 'open',
      }
    },
    violations: (stream, stored, end = 'complete') =>
      compareRecording(oracle.recording(stream, end), stored).map(({ what }) => what),
  }
  return oracle
}
