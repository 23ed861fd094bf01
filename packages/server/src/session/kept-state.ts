import { resolvedBy } from '@hotline/core/session/resolved-by'
import type { ResolvedApproval, SessionState, WaitingApproval } from '@hotline/core/session/state'
import { pendingOf } from '@hotline/core/session/pending'
import { asKnown } from '@hotline/protocol/known-event'
import type { LogStore, StreamHead } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'
import { LogDamaged } from '../log/store-unavailable.ts'
import type { StreamState } from './state.ts'

/** The place of its event in the stream, or all of it. */
type KeptResolution = number | ResolvedApproval
type KeptSession = Omit<SessionState, 'resolved' | 'waiting'> & {
  resolved: KeptResolution[]
  /** The places of their requests. */
  waiting?: number[]
}
type KeptState = Exclude<StreamState, SessionState> | KeptSession

/**
 * The text of a state as it is kept beside its stream. It is written anew with every change, so answered approvals are in
 * it by their places: what became of them is in the log. So are approvals that wait for their turn: of these there can be
 * a thousand. Whole are those about settings of a folder, which their event does
 * not name, and those whose place nobody noted.
 */
export function keptText(state: StreamState): string {
  return JSON.stringify(kept(state))
}

function kept(state: StreamState): KeptState {
  if (state.kind !== 'session') return state
  const { waiting, ...others } = state
  return {
    ...others,
    resolved: state.resolved.map((one) => (one.trusts === undefined ? (one.seq ?? one) : one)),
    ...(waiting === undefined ? {} : { waiting: waiting.map(({ seq }) => seq) }),
  }
}

/** The state that is kept of a stream; undefined where there is none. Throws `LogDamaged` where the log lacks a part of it. */
export async function readState(store: Pick<LogStore, 'readAt'>, head: StreamHead): Promise<StreamState | undefined> {
  if (head.state === undefined) return undefined
  const state = JSON.parse(head.state) as KeptState
  if (state.kind !== 'session') return state
  const seqs = state.resolved.filter((one) => typeof one === 'number')
  const found = new Map<number, ResolvedApproval>()
  for (const event of seqs.length > 0 ? await store.readAt(head.stream, seqs) : []) {
    const by = resolvedBy(readEvent(event))
    if (by) found.set(event.seq, by)
  }
  const resolved = state.resolved.map((one) => {
    const by = typeof one === 'number' ? found.get(one) : one
    if (by === undefined) throw new LogDamaged(head.stream, Number(one), 'it is no answer to an approval, or missing')
    return by
  })
  const { waiting, ...others } = state
  return { ...others, resolved, ...(waiting === undefined ? {} : { waiting: await readWaiting(store, head, waiting) }) }
}

async function readWaiting(
  store: Pick<LogStore, 'readAt'>,
  { stream }: StreamHead,
  seqs: readonly number[],
): Promise<readonly WaitingApproval[]> {
  const found = new Map<number, WaitingApproval>()
  for (const event of await store.readAt(stream, seqs)) {
    const known = asKnown(readEvent(event))
    if (known?.type === 'approval.requested') found.set(event.seq, { ...pendingOf(known), seq: event.seq })
  }
  return seqs.map((seq) => {
    const one = found.get(seq)
    if (one === undefined) throw new LogDamaged(stream, seq, 'it asks for no approval, or is missing')
    return one
  })
}

/**
 * The state in the form in which another text of it was kept, to compare the two: an earlier Hotline kept every answer
 * whole, and without its place.
 */
export function inFormOf(other: Readonly<Record<string, unknown>>, state: StreamState): unknown {
  if (state.kind !== 'session') return state
  const forms: readonly unknown[] = Array.isArray(other['resolved']) ? other['resolved'] : []
  const resolved = state.resolved.map((one, at) => {
    const form = forms[at]
    if (typeof form === 'number') return one.seq
    const hasPlace = typeof form === 'object' && form !== null && 'seq' in form
    return hasPlace ? one : { ...one, seq: undefined }
  })
  return { ...state, resolved, waiting: state.waiting?.map(({ seq }) => seq) }
}
