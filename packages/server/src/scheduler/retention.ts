import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseCommand } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import { isLive, type SessionStatus } from '@hotline/protocol/session-status'
import { splitStream } from '@hotline/protocol/stream'
import type { LogStore } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'
import { systemPrincipal, type TimerPorts } from './approval-timer.ts'
import { isOutput } from './output-seqs.ts'

const dayMs = 24 * 60 * 60_000
/** Time between two rounds that have seen all. */
const roundMs = 60 * 60_000
/** Time between two parts of a round, so that others have theirs. */
const partMs = 1_000
/** Streams that one part looks at, and sessions of which it erases. */
const partStreams = 500
const partSessions = 20

/** What keeping output for a time needs of the server. */
export interface RetentionPorts extends Omit<TimerPorts, 'bus'> {
  store: Pick<LogStore, 'read' | 'streams'>
  /** Resolves when what the log says is erased is gone. */
  erased: (stream: string) => Promise<boolean>
  days: number
}

/**
 * Lets the log say that the output of sessions is erased which have been over for so many days; the eraser carries it out. It goes
 * over all sessions once an hour, in parts, so a server that was away misses none.
 */
export function keepOutputFor({ days, ...ports }: RetentionPorts): AsyncDisposable {
  const { exchange, lists, store, clock, ids, fault, erased } = ports
  let stopped = false
  let cancel = (): void => undefined
  let after = ''

  async function isDue(session: string): Promise<boolean> {
    const row = await lists.session(session)
    if (!row || isLive(row.status as SessionStatus)) return false
    if (Date.parse(row.since) > clock.wallMs() - days * dayMs) return false
    const query = { projects: 'all', stream: `session:${session}`, types: ['content.erased'], limit: 1 } as const
    const [last] = await lists.audit(query)
    if (last === undefined || last.at < row.since) return true
    return hasOutputSince(`session:${session}`, last.seq)
  }

  /** A machine that was out of contact may tell what its agent printed long after the session was over. */
  async function hasOutputSince(stream: string, seq: number): Promise<boolean> {
    const oldest = new Date(clock.wallMs() - days * dayMs).toISOString()
    for (let cursor = seq; ; await nextTurn()) {
      const page = await store.read(stream, { after: cursor, limit: limits.pageEvents, maxBytes: limits.pageBytes })
      const last = page.at(-1)
      if (last === undefined || stopped) return false
      if (page.some((stored) => isOutput(stored) && readEvent(stored).at <= oldest)) return true
      cursor = last.seq
    }
  }

  async function erase(session: string): Promise<void> {
    const stream = `session:${session}`
    const parsed = parseCommand({ id: ids.uuid(), stream, type: 'session.erase_output', data: { days } })
    if ('issues' in parsed) throw new Error('what erases output is no valid command')
    const outcome = await exchange.command(systemPrincipal, parsed.command)
    if (!outcome.ok && outcome.problem.code === 'storage_unavailable') throw new Error(outcome.problem.detail)
    await erased(stream)
  }

  /** Answers whether there is more to look at in this round. */
  async function part(): Promise<boolean> {
    const streams = await store.streams(after, partStreams)
    let done = 0
    for (const stream of streams) {
      if (stopped) return false
      const { kind, id } = splitStream(stream)
      // One that fails now is tried again with the next round, and holds up no other.
      after = stream
      if (kind === 'session' && (await isDue(id))) {
        await erase(id)
        done += 1
      }
      if (done === partSessions) return true
    }
    if (streams.length === partStreams) return true
    after = ''
    return false
  }

  async function look(): Promise<void> {
    let isMore = false
    try {
      isMore = await part()
    } catch (error) {
      fault(error)
    }
    if (!stopped) cancel = clock.after(isMore ? partMs : roundMs, next)
  }

  let work = look()
  function next(): void {
    work = look()
  }
  return {
    [Symbol.asyncDispose]: async () => {
      stopped = true
      cancel()
      await work
    },
  }
}
