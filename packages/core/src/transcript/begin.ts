import type { EventOf, KnownEvent } from '@hotline/protocol/events'
import { budgetWords, usedWords } from '../budget-words.ts'
import { preparedLines, releasedLines } from '../place-words.ts'
import type { DraftItem, Item, MessageItem } from './item.ts'
import { outputErased } from './erase-output.ts'
import { addRecovered } from './recovered.ts'

/** What a draft shows. */
export function shownOf({
  data,
  body,
}: EventOf<'draft.ready'>): Pick<
  DraftItem,
  'digest' | 'count' | 'added' | 'removed' | 'waits' | 'note' | 'branch' | 'branches' | 'files' | 'changes'
> {
  const { digest, files: count, added, removed, waits } = data
  return {
    digest,
    count,
    added,
    removed,
    waits,
    note: body?.note,
    branch: body?.branch,
    branches: body?.branches,
    files: body?.files ?? [],
    changes: body?.changes ?? [],
  }
}

/** The words and files of a message. */
export function saidIn(
  body: (Pick<MessageItem, 'attachments'> & { text: string }) | undefined,
): Pick<MessageItem, 'text' | 'attachments' | 'erased'> {
  return { text: body?.text ?? '', attachments: body?.attachments, erased: body === undefined }
}

/** The item that an event brings into a transcript; undefined where it only changes others, or is not for reading. */
export function begin(event: KnownEvent, turnStartedAt: string | undefined): Item | undefined {
  const { seq, at, actor: by, channel } = event
  const key = event.subject ?? `event:${seq}`
  const placed = { key, seq, at }
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest changes items, or belongs to other views
  switch (event.type) {
    case 'message.posted':
      return {
        ...placed,
        kind: 'message',
        message: event.data.message,
        role: event.data.role,
        by,
        channel,
        ...saidIn(event.body),
        streaming: false,
        delivery: event.data.queued ? 'queued' : undefined,
        replyTo: event.data.replyTo,
        quote: event.body?.quote,
        metadata: event.body?.metadata,
      }
    case 'message.delta':
    case 'message.completed':
      return {
        ...placed,
        kind: 'message',
        message: event.data.message,
        role: 'agent',
        by,
        channel,
        ...saidIn(event.body),
        streaming: event.type === 'message.delta',
      }
    case 'thought.delta':
    case 'thought.completed':
      return { ...placed, kind: 'thought', text: event.body?.text ?? '', streaming: event.type === 'thought.delta' }
    case 'step.started':
      return {
        ...placed,
        kind: 'step',
        step: event.data.step,
        parent: event.data.parent,
        stepKind: event.data.kind,
        title: event.body?.title ?? '',
        input: event.body?.input,
        changes: event.body?.changes ?? [],
        locations: event.body?.locations ?? [],
      }
    case 'approval.requested':
      return {
        ...placed,
        kind: 'approval',
        approval: event.data.approval,
        step: event.data.step,
        digest: event.data.digest,
        verdicts: event.data.verdicts,
        scopes: event.data.scopes,
        strength: event.data.strength,
        risk: event.data.risk,
        expiresAt: event.data.expiresAt,
        agentUntil: event.data.agentUntil,
        isWaiting: event.data.queued,
        request: event.body,
      }
    case 'question.asked':
      return {
        ...placed,
        kind: 'question',
        question: event.data.question,
        text: event.body?.text ?? '',
        schema: event.body?.schema,
      }
    case 'output.appended':
      return {
        ...placed,
        kind: 'output',
        source: event.data.source,
        encoding: event.data.encoding,
        chunks: [event.body?.text ?? ''],
        bytes: event.data.bytes,
      }
    case 'input.sent':
      return { ...placed, kind: 'input', by, encoding: event.data.encoding, text: event.body?.text ?? '' }
    case 'plan.updated':
      return { ...placed, kind: 'plan', entries: event.body?.entries ?? [] }
    case 'turn.ended':
      return {
        ...placed,
        kind: 'turn',
        turn: event.data.turn,
        startedAt: turnStartedAt,
        end: event.data.end,
        error: event.body?.error,
        patch: event.body?.patch,
      }
    case 'session.state_changed':
      return {
        ...placed,
        kind: 'state',
        from: event.data.from,
        to: event.data.to,
        reason: event.data.reason,
        exit: event.data.exit,
        by,
        note: event.body?.note,
      }
    case 'control.requested':
      return {
        ...placed,
        kind: 'control',
        control: event.data.control,
        action: event.data.action,
        ...(event.data.when === undefined ? {} : { when: event.data.when }),
        ...(event.data.hard === undefined ? {} : { hard: event.data.hard }),
        mode: event.data.mode,
        by,
        reason: event.body?.reason,
      }
    case 'checkpoint.created':
      return {
        ...placed,
        kind: 'checkpoint',
        checkpoint: event.data.checkpoint,
        moment: event.data.moment,
        turn: event.data.turn,
        step: event.data.step,
        files: event.data.files,
        changed: event.data.changed,
      }
    case 'checkpoint.skipped':
      return { ...placed, kind: 'skipped', note: event.body?.note ?? '' }
    case 'workspace.prepared':
      return {
        ...placed,
        kind: 'place',
        phase: 'prepared',
        lines: preparedLines(event.data, event.body),
        folder: event.body?.folder,
        branch: event.body?.branch,
      }
    case 'workspace.released':
      return {
        ...placed,
        kind: 'place',
        phase: event.data.outcome,
        lines: releasedLines(event.data, event.body),
        folder: event.body?.folder,
        branch: event.body?.branch,
      }
    case 'undo.requested':
      return {
        ...placed,
        kind: 'undo',
        undo: event.data.undo,
        by,
        to: event.data.to,
        phase: 'wanted',
        count: 0,
        asks: 0,
        files: [],
        changes: [],
        cannot: [],
        leftOut: [],
        outcomes: [],
      }
    case 'report.recovered':
      return addRecovered({ ...placed, kind: 'recovered', runner: event.data.runner, count: 0, lines: [] }, event)
    case 'loop.noticed':
      return { ...placed, kind: 'loop', times: event.data.times, title: event.body?.title ?? '' }
    case 'budget.changed':
      return { ...placed, kind: 'budget', what: 'changed', by, words: budgetWords(event.data.budget) }
    case 'budget.warned':
      return { ...placed, kind: 'budget', what: 'warned', by, words: usedWords(event.data) }
    case 'budget.exhausted':
      return { ...placed, kind: 'budget', what: 'exhausted', by, words: usedWords(event.data) }
    case 'policy.mode_set': {
      const { mode, until } = event.data
      return { ...placed, kind: 'mode', mode, until, isOver: false, by }
    }
    case 'policy.mode_ended':
      return { ...placed, kind: 'mode', mode: 'ask', isOver: true, by }
    case 'draft.requested':
      return {
        ...placed,
        kind: 'draft',
        draft: event.data.draft,
        by,
        phase: 'wanted',
        count: 0,
        files: [],
        changes: [],
        outcomes: [],
      }
    // Nobody had asked for it.
    case 'draft.ready':
      return {
        ...placed,
        kind: 'draft',
        draft: event.data.draft,
        by,
        turn: event.data.turn,
        phase: 'ready',
        ...shownOf(event),
        outcomes: [],
      }
    case 'approval.refused':
      return { ...placed, kind: 'notice', code: event.data.reason, text: `Queue full, not asked: ${event.body?.title}` }
    case 'content.erased':
      if (event.data.kind === 'output') {
        return { ...placed, kind: 'notice', code: 'erased', text: outputErased(event.data.days) }
      }
      return event.data.subject === undefined
        ? { ...placed, kind: 'notice', code: 'erased', text: 'This conversation was deleted.' }
        : undefined
    case 'notice.posted':
      return { ...placed, kind: 'notice', code: event.data.code, text: event.body?.text ?? '' }
    default:
      return undefined
  }
}
