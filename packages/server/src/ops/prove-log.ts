import { isDeepStrictEqual } from 'node:util'
import type { Envelope } from '@hotline/protocol/event'
import type { ProvableLog } from '../log/open-to-prove.ts'
import { walkStreams } from '../log/walk-streams.ts'
import { inFormOf } from '../session/kept-state.ts'
import { evolve, type StreamState } from '../session/state.ts'

/** What does not hold of a stream. */
export interface Fault {
  stream: string
  /** In a sentence, with what can still be trusted. */
  what: string
}

export interface Proof {
  streams: number
  events: number
  faults: readonly Fault[]
}

/** What it reads of a log. */
type StreamsToProve = Pick<ProvableLog, 'head' | 'read' | 'streams' | 'verify'>

const pageEvents = 500
const pageBytes = 4 * 1024 * 1024

/** Walks the chain of every stream, and looks whether the state that is kept beside it is what its events give. */
export async function proveLog(log: StreamsToProve): Promise<Proof> {
  const faults: Fault[] = []
  let streams = 0
  let events = 0
  for await (const stream of walkStreams(log)) {
    streams += 1
    try {
      const proof = await proveStream(log, stream)
      events += proof.events
      if (proof.what !== undefined) faults.push({ stream, what: proof.what })
    } catch (error) {
      // One that cannot be read keeps nobody from the others.
      faults.push({ stream, what: `It cannot be read: ${error instanceof Error ? error.message : String(error)}.` })
    }
  }
  return { streams, events, faults }
}

async function proveStream(log: StreamsToProve, stream: string): Promise<{ events: number; what?: string }> {
  const broken = await log.verify(stream)
  if (broken) {
    const before = broken.seq > 1 ? ` What is before event ${broken.seq} holds.` : ''
    return {
      events: broken.seq - 1,
      what: `Its chain does not hold at event ${broken.seq}: ${broken.reason}.${before}`,
    }
  }
  const head = await log.head(stream)
  if (!head) return { events: 0 }
  const { state, namesErased } = await fold(log, stream, head.head)
  const kept = head.state === undefined ? undefined : (JSON.parse(head.state) as Record<string, unknown>)
  const differing = kept === undefined ? (state ? ['all of it'] : []) : differences(kept, state, namesErased)
  if (differing.length === 0) return { events: head.head }
  return {
    events: head.head,
    what: `Its events hold, but what is kept of it is not what they give: ${differing.join(', ')}.`,
  }
}

async function fold(
  log: StreamsToProve,
  stream: string,
  upTo: number,
): Promise<{ state: StreamState | undefined; namesErased: boolean }> {
  let state: StreamState | undefined
  let namesErased = false
  for (let after = 0; after < upTo;) {
    const page = await log.read(stream, { after, upTo, limit: pageEvents, maxBytes: pageBytes })
    for (const { bytes } of page) {
      const event = JSON.parse(Buffer.from(bytes).toString('utf8')) as Envelope
      namesErased ||= event.body === undefined && /^(session|project|task)\./.test(event.type)
      state = evolve(state, event)
    }
    after = page.at(-1)?.seq ?? upTo
  }
  return { state, namesErased }
}

/**
 * Members that are kept and differ. What a later Hotline adds to a state is not kept in an earlier one's, and a name whose
 * event was erased is kept all the same.
 */
function differences(kept: Record<string, unknown>, state: StreamState | undefined, namesErased: boolean): string[] {
  const given = JSON.parse(JSON.stringify(state ? inFormOf(kept, state) : {})) as Record<string, unknown>
  return Object.keys(kept).filter((name) => {
    if (namesErased && (name === 'title' || name === 'name')) return false
    return !isDeepStrictEqual(kept[name], given[name])
  })
}
