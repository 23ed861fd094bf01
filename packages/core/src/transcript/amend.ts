import type { KnownEvent } from '@hotline/protocol/events'
import { withSign } from '../session/said.ts'
import { saidIn, shownOf } from './begin.ts'
import { addRecovered } from './recovered.ts'
import type { ApprovalItem, Item, MessageItem, QuestionItem, StepItem, DraftItem, UndoItem } from './item.ts'

/** An item as it is after an event about it. */
export function amend(item: Item, event: KnownEvent): Item {
  switch (item.kind) {
    case 'message':
      return amendMessage(item, event)
    case 'thought':
      if (event.type === 'thought.delta') return { ...item, text: item.text + (event.body?.text ?? '') }
      if (event.type === 'thought.completed') return { ...item, text: event.body?.text ?? item.text, streaming: false }
      if (event.type === 'thought.broken_off') return { ...item, streaming: false }
      return item
    case 'step':
      return amendStep(item, event)
    case 'approval':
      return amendApproval(item, event)
    case 'question':
      return amendQuestion(item, event)
    case 'plan':
      return event.type === 'plan.updated' && event.body ? { ...item, entries: event.body.entries } : item
    case 'control':
      if (event.type === 'control.done') {
        const { reach, processes } = event.data
        return { ...item, outcome: 'done', ...(reach === undefined ? {} : { found: { reach, processes } }) }
      }
      if (event.type === 'control.escalated')
        return event.data.agent ? { ...item, agent: true } : { ...item, ended: event.data.processes }
      if (event.type === 'control.failed') return { ...item, outcome: 'failed', reason: event.body?.reason }
      return item
    case 'undo':
      return amendUndo(item, event)
    case 'draft':
      return amendDraft(item, event)
    case 'recovered':
      return event.type === 'report.recovered' ? addRecovered(item, event) : item
    case 'output':
    case 'input':
    case 'turn':
    case 'state':
    case 'checkpoint':
    case 'skipped':
    case 'budget':
    case 'mode':
    case 'loop':
    case 'place':
    case 'notice':
      return item
  }
}

function amendMessage(item: MessageItem, event: KnownEvent): MessageItem {
  if (event.type === 'message.delta') return { ...item, text: item.text + (event.body?.text ?? '') }
  if (event.type === 'message.completed') {
    const { isBrokenOff: _, ...rest } = item
    return { ...rest, ...saidIn(event.body), streaming: false }
  }
  if (event.type === 'message.broken_off') return { ...item, streaming: false, isBrokenOff: true }
  if (event.type === 'message.edited') {
    return { ...item, text: event.body?.text ?? '', erased: event.body === undefined, editedAt: event.at }
  }
  if (event.type === 'message.delivered') return { ...item, delivery: 'delivered', takenSeq: event.seq }
  if (event.type === 'message.seen') return { ...item, delivery: 'seen' }
  if (event.type === 'message.delivery_unknown') return { ...item, delivery: 'unknown' }
  if (event.type === 'message.reacted') {
    const signs = withSign(item.signs ?? [], { sign: event.data.sign, by: event.actor }, event.data.on)
    return { ...item, signs: signs.length === 0 ? undefined : signs }
  }
  if (event.type === 'message.withdrawn') {
    return { ...item, delivery: event.data.reason === 'session_ended' ? 'unread' : 'withdrawn' }
  }
  return item
}

function amendStep(item: StepItem, event: KnownEvent): StepItem {
  if (event.type === 'step.progressed') {
    const { title, input, output, locations, changes } = event.body ?? {}
    return {
      ...item,
      title: title ?? item.title,
      input: input ?? item.input,
      output: output ?? item.output,
      locations: locations ?? item.locations,
      changes: changes ?? item.changes,
      progress: event.data.progress ?? item.progress,
    }
  }
  if (event.type === 'step.finished') {
    const { title, output, error, changes } = event.body ?? {}
    return {
      ...item,
      title: title ?? item.title,
      output: output ?? item.output,
      error: error ?? item.error,
      changes: changes ?? item.changes,
      outcome: event.data.outcome,
      endedAt: event.at,
    }
  }
  return item
}

function amendApproval(item: ApprovalItem, event: KnownEvent): ApprovalItem {
  if (event.type === 'approval.extended') return { ...item, expiresAt: event.data.expiresAt }
  if (event.type === 'approval.recalled') return { ...item, recalledBy: event.actor }
  if (event.type === 'approval.dispatched') return { ...item, dispatch: 'dispatched' }
  if (event.type === 'approval.dispatch_refused') return { ...item, dispatch: 'refused' }
  if (event.type === 'approval.dispatch_unknown') return { ...item, dispatch: 'unknown' }
  const { isWaiting: _, ...shown } = item
  if (event.type === 'approval.opened') return { ...shown, expiresAt: event.data.expiresAt }
  const closed = { ...shown, by: event.actor, channel: event.channel, resolvedAt: event.at }
  if (event.type === 'approval.resolved') {
    const { outcome, scope, mode, ruleOf } = event.data
    const said = { outcome, scope, mode, ...(ruleOf === undefined ? {} : { ruleOf }) }
    return { ...closed, ...said, reason: event.body?.reason, modifiedInput: event.body?.input }
  }
  if (event.type === 'approval.timed_out') return { ...closed, outcome: 'timed_out' }
  if (event.type === 'approval.cancelled') return { ...closed, outcome: 'cancelled', reason: event.data.reason }
  return item
}

function amendQuestion(item: QuestionItem, event: KnownEvent): QuestionItem {
  const closed = { by: event.actor, resolvedAt: event.at }
  if (event.type === 'question.answered') {
    return { ...item, ...closed, action: event.data.action, content: event.body?.content }
  }
  if (event.type === 'question.withdrawn') return { ...item, ...closed, action: 'withdrawn' }
  return item
}

function amendUndo(item: UndoItem, event: KnownEvent): UndoItem {
  if (event.type === 'undo.planned') {
    const { digest, files: count, asks } = event.data
    const { files = [], changes = [], cannot = [], leftOut = [] } = event.body ?? {}
    return { ...item, phase: 'planned', digest, count, asks, files, changes, cannot, leftOut }
  }
  if (event.type === 'undo.approved') return { ...item, phase: 'approved', by: event.actor }
  if (event.type === 'undo.dropped') return { ...item, phase: 'dropped' }
  if (event.type === 'undo.refused') return { ...item, phase: 'refused', reason: event.body?.reason }
  if (event.type === 'checkpoint.restored') {
    return { ...item, phase: 'done', before: event.data.before, outcomes: event.body?.files ?? [] }
  }
  return item
}

function amendDraft(item: DraftItem, event: KnownEvent): DraftItem {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest is of other items
  switch (event.type) {
    case 'draft.ready':
      return { ...item, phase: 'ready', ...shownOf(event) }
    case 'draft.reviewed':
      return { ...item, phase: 'reviewed', isDecided: true, by: event.actor, reason: event.body?.reason }
    case 'draft.dropped':
      // What takes its place has all that is still to be seen.
      return { ...item, phase: 'dropped', changes: [] }
    case 'draft.refused':
      return { ...item, phase: 'refused', reason: event.body?.reason }
    case 'draft.resolved': {
      const { before, commit } = event.data
      const { files: outcomes = [], branch, merge, merged, unmerged, uncommitted } = event.body ?? {}
      return { ...item, phase: 'done', before, outcomes, commit, branch, merge, merged, unmerged, uncommitted }
    }
    default:
      return item
  }
}
