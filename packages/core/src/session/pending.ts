import type { EventOf } from '@hotline/protocol/events'
import { resolvedBy, type Resolving } from './resolved-by.ts'
import type { PendingApproval, SessionState, WaitingApproval } from './state.ts'

const resolvedKept = 50

/** An approval as it was asked. */
export function pendingOf({ at, data }: EventOf<'approval.requested'>): PendingApproval {
  return {
    approval: data.approval,
    step: data.step,
    digest: data.digest,
    contextDigest: data.contextDigest,
    verdicts: data.verdicts,
    scopes: data.scopes,
    strength: data.strength,
    risk: data.risk,
    requestedAt: at,
    expiresAt: data.expiresAt,
    agentUntil: data.agentUntil,
    trusts: data.trusts,
  }
}

/** The agent asks: it is open, or waits behind others. */
export function asked(state: SessionState, event: EventOf<'approval.requested'>): SessionState {
  const pending = pendingOf(event)
  const counts = { ...state.counts, approvals: state.counts.approvals + 1 }
  return event.data.queued === true
    ? { ...state, counts, waiting: [...(state.waiting ?? []), { ...pending, seq: event.seq }] }
    : { ...state, counts, approvals: [...state.approvals, pending] }
}

/** One that waited is open from now on. */
export function opened(state: SessionState, { at, data }: EventOf<'approval.opened'>): SessionState {
  const [next, rest] = taken(state.waiting, data.approval)
  if (!next) return state
  const open = { ...next, openedAt: at, expiresAt: data.expiresAt }
  return { ...state, approvals: [...state.approvals, open], waiting: rest }
}

/** It came to an end. Answered it stays, until the agent has the answer. */
export function settle(state: SessionState, event: Resolving): SessionState {
  const by = resolvedBy(event)
  if (!by) return state
  const { approval, outcome } = by
  const [waited, waiting] = taken(state.waiting, approval)
  const approvals = waited ? [...state.approvals, waited] : state.approvals
  const digest = approvals.find((one) => one.approval === approval)?.trusts
  const scope = event.type === 'approval.resolved' ? event.data.scope : 'once'
  const trusts = digest === undefined ? {} : { trusts: { digest, scope } }
  const byPolicy = event.type === 'approval.resolved' && (event.data.rule ?? event.data.mode) ? true : undefined
  return {
    ...state,
    approvals: approvals.map((one) => (one.approval === approval ? { ...one, outcome, byPolicy } : one)),
    waiting,
    resolved: [...state.resolved, { ...by, ...trusts }].slice(-resolvedKept),
  }
}

/** Somebody has taken back that it was allowed. */
export function recalled(state: SessionState, { actor, data }: EventOf<'approval.recalled'>): SessionState {
  const approvals = state.approvals.map((one) => (one.approval === data.approval ? { ...one, recalledBy: actor } : one))
  return { ...state, approvals }
}

/** The agent has the answer, or will never have one. */
export function drop(state: SessionState, approval: string): SessionState {
  const approvals = state.approvals.filter((pending) => pending.approval !== approval)
  return approvals.length === state.approvals.length ? state : { ...state, approvals }
}

/** One of those that wait, and the others; absent where none is left. */
function taken(
  waiting: readonly WaitingApproval[] = [],
  approval: string,
): [WaitingApproval | undefined, readonly WaitingApproval[] | undefined] {
  const one = waiting.find((each) => each.approval === approval)
  const rest = one ? waiting.filter((each) => each !== one) : waiting
  return [one, rest.length === 0 ? undefined : rest]
}
