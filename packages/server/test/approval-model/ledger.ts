import type { Envelope } from '@hotline/protocol/event'

/** One approval as its log tells it, read here in the plainest way, and not with the rules that are under test. */
export interface Entry {
  approval: string
  digest: string
  requestedMs: number
  expiresMs: number
  /** Everything that says how it ended: one, or there is a fault. */
  ends: Envelope[]
  /** What became of the answer at the machine. */
  handed: Envelope[]
}

export interface Ledger {
  entries: ReadonlyMap<string, Entry>
  /** Things that must not be in any log, as sentences. */
  faults: readonly string[]
}

const endTypes = ['approval.resolved', 'approval.timed_out', 'approval.cancelled']
const handTypes = ['approval.dispatched', 'approval.dispatch_refused', 'approval.dispatch_unknown']

/** Reads a session's log from its first event on. */
export function readLedger(events: readonly Envelope[]): Ledger {
  const entries = new Map<string, Entry>()
  const faults: string[] = []
  let pausedSince: number | undefined
  for (const [index, event] of events.entries()) {
    const { type, data, seq } = event
    const atMs = Date.parse(event.at)
    if (seq !== index + 1) faults.push(`event ${index + 1} has the place ${seq}`)
    if (type === 'session.state_changed') pausedSince = data['to'] === 'paused' ? atMs : undefined
    if (!type.startsWith('approval.')) continue
    const approval = String(data['approval'])
    const entry = entries.get(approval)
    if (type === 'approval.requested') {
      if (entry) faults.push(`${approval} is asked twice`)
      const expiresMs = Date.parse(String(data['expiresAt']))
      const digest = String(data['digest'])
      entries.set(approval, { approval, digest, requestedMs: atMs, expiresMs, ends: [], handed: [] })
      continue
    }
    if (!entry) {
      faults.push(`${type} of ${approval}, which nobody asked`)
      continue
    }
    if (type === 'approval.extended') {
      const untilMs = Date.parse(String(data['expiresAt']))
      if (entry.ends.length > 0) faults.push(`${approval} is given time after its end`)
      if (untilMs < entry.expiresMs) faults.push(`${approval} is given less time`)
      entry.expiresMs = untilMs
    }
    if (endTypes.includes(type)) {
      entry.ends.push(event)
      if (entry.ends.length > 1) faults.push(`${approval} ends twice: ${entry.ends.map((end) => end.type).join(', ')}`)
      const timeMs = pausedSince ?? atMs
      const isOver = entry.expiresMs <= timeMs
      if (type === 'approval.resolved' && isOver) faults.push(`${approval} is answered after its time`)
      if (type === 'approval.timed_out' && !isOver) faults.push(`${approval} is closed before its time`)
      if (type === 'approval.resolved' && data['digest'] !== entry.digest)
        faults.push(`${approval} is answered for another digest`)
    }
    if (handTypes.includes(type)) {
      entry.handed.push(event)
      if (entry.handed.length > 1) faults.push(`${approval} is handed over twice`)
      if (entry.ends[0]?.type === 'approval.cancelled' || entry.ends.length === 0)
        faults.push(`${type} of ${approval}, which has no answer`)
    }
  }
  return { entries, faults }
}

/** What became of an approval, as its last event and a refusal say it. */
export function outcomeOf({ type, data }: Envelope): string {
  const { outcome } = data
  return typeof outcome === 'string' ? outcome : type.slice('approval.'.length)
}
