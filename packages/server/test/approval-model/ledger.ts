import type { Envelope } from '@hotline/protocol/event'

/** One approval as its log tells it, read here in the plainest way, and not with the rules that are under test. */
export interface Entry {
  approval: string
  digest: string
  /** Since when people see it: from its request on, or from when it came up; undefined while it waits behind others. */
  openedMs: number | undefined
  /** When its time is over; never, while it waits and its agent does not say so. */
  expiresMs: number
  /** What its agent forces. */
  agentUntilMs: number
  /** Everything that says how it ended: one, or there is a fault. */
  ends: Envelope[]
  /** Somebody has taken back that it was allowed. */
  isRecalled: boolean
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

/** What people have, and how many are put before them at once. */
export interface Terms {
  timeoutMs: number
  openMax: number
}

/** Reads a session's log from its first event on. */
export function readLedger(events: readonly Envelope[], { timeoutMs, openMax }: Terms): Ledger {
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
      const { agentUntil } = data
      const agentUntilMs = typeof agentUntil === 'string' ? Date.parse(agentUntil) : Infinity
      const isQueued = data['queued'] === true
      const time = isQueued
        ? { openedMs: undefined, expiresMs: agentUntilMs }
        : { openedMs: atMs, expiresMs: Math.min(agentUntilMs, expiresMs) }
      entries.set(approval, { approval, digest, agentUntilMs, ...time, ends: [], isRecalled: false, handed: [] })
      const { open, waiting } = standing(entries)
      if (open.length > openMax) faults.push(`${approval} is one too many of those that are open`)
      if (isQueued && open.length < openMax) faults.push(`${approval} waits behind nobody`)
      if (!isQueued && waiting.length > 0) faults.push(`${approval} is open before those that wait`)
      continue
    }
    if (!entry) {
      faults.push(`${type} of ${approval}, which nobody asked`)
      continue
    }
    if (type === 'approval.opened') {
      const { open, waiting } = standing(entries)
      if (entry !== waiting[0]) faults.push(`${approval} comes up, and it is not its turn`)
      if (open.length >= openMax) faults.push(`${approval} comes up where there is no room`)
      entry.openedMs = atMs
      entry.expiresMs = Date.parse(String(data['expiresAt']))
      if (entry.expiresMs !== Math.min(entry.agentUntilMs, atMs + timeoutMs))
        faults.push(`${approval} comes up with another time than people have`)
    }
    if (type === 'approval.extended') {
      if (entry.openedMs === undefined) faults.push(`${approval} is given time while it waits`)
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
      if (type === 'approval.resolved' && entry.openedMs === undefined) faults.push(`${approval} is answered unseen`)
      if (type === 'approval.resolved' && isOver) faults.push(`${approval} is answered after its time`)
      if (type === 'approval.timed_out' && !isOver) faults.push(`${approval} is closed before its time`)
      if (type === 'approval.resolved' && data['digest'] !== entry.digest)
        faults.push(`${approval} is answered for another digest`)
    }
    if (type === 'approval.recalled') {
      const [end] = entry.ends
      if (!end || !outcomeOf(end).startsWith('allowed')) faults.push(`${approval} is taken back, and nobody allowed it`)
      if (entry.isRecalled) faults.push(`${approval} is taken back twice`)
      if (entry.handed.length > 0) faults.push(`${approval} is taken back after its agent had it`)
      entry.isRecalled = true
    }
    if (handTypes.includes(type)) {
      if (data['reason'] === 'recalled' && !entry.isRecalled) faults.push(`${approval} was taken back by nobody`)
      entry.handed.push(event)
      if (entry.handed.length > 1) faults.push(`${approval} is handed over twice`)
      if (entry.ends[0]?.type === 'approval.cancelled' || entry.ends.length === 0)
        faults.push(`${type} of ${approval}, which has no answer`)
    }
  }
  return { entries, faults }
}

/** Those that have no end: whom people see, and who waits behind them, in the order in which they were asked. */
function standing(entries: ReadonlyMap<string, Entry>): { open: Entry[]; waiting: Entry[] } {
  const unended = [...entries.values()].filter(({ ends }) => ends.length === 0)
  return {
    open: unended.filter(({ openedMs }) => openedMs !== undefined),
    waiting: unended.filter(({ openedMs }) => openedMs === undefined),
  }
}

/** What became of an approval, as its last event and a refusal say it. */
export function outcomeOf({ type, data }: Envelope): string {
  const { outcome } = data
  return typeof outcome === 'string' ? outcome : type.slice('approval.'.length)
}
