import type { Attachment } from '@hotline/protocol/attachment'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { outputTypes } from '@hotline/protocol/output-types'
import type { SearchKind } from '@hotline/protocol/search'
import type { EventOf, EventType, KnownEvent } from '@hotline/protocol/events'
import type { About, Erasure, Piece } from './search-index.ts'
import { stripTerminal } from './strip-terminal.ts'

/** Characters of one piece: what is read to rank and to show it, and to which a search for several words is bound. */
const pieceChars = 8_000
/** Of what people and agents say, nothing is left out: a message has at most 50,000 characters, unless a server raised that. */
const saidPieces = 16
/** Of what tools and programs say, the beginning of each event. */
const loggedPieces = 2

const ofOutput: ReadonlySet<string> = outputTypes

/** What an event says, in the words in which it is looked for. */
interface Said {
  kind: SearchKind
  texts: readonly (string | undefined)[]
}

/**
 * What is to be found of an event, or not any more. What a person typed into a terminal, answers to questions and whatever was
 * erased or masked are not: nothing is read but the body as it is in the log.
 */
export function piecesOf(event: Envelope): readonly (Piece | Erasure)[] {
  const known = asKnown(event)
  if (known === undefined) return []
  if (known.type === 'content.erased') {
    const { subject, kind, upTo } = known.data
    return [{ erase: { subject, kind, upTo } }]
  }
  const said = saidBy(known)
  const pieces = said === undefined ? [] : cut(event, said)
  // The text that it had before is not in the conversation any more.
  return known.type === 'message.edited' ? [earlier(event), ...pieces] : pieces
}

/** The pieces of a message that was never completed, as what it came to. */
export function brokenOff(event: Envelope, deltas: readonly Envelope[]): readonly (Piece | Erasure)[] {
  const text = deltas.map(({ body }) => (typeof body?.['text'] === 'string' ? body['text'] : '')).join('')
  return cut(event, { kind: event.type === 'thought.broken_off' ? 'thought' : 'message', texts: [text] })
}

/** What the stream belongs to, said by the event with which it begins. */
export function aboutBy(event: Envelope): About | undefined {
  if (event.type !== 'session.created' && event.type !== 'task.created') return undefined
  const { project, task, agent } = event.data as Partial<EventOf<'session.created'>['data']>
  return project === undefined ? undefined : { project, task, agent }
}

function earlier({ subject, seq }: Envelope): Erasure {
  return { erase: { subject, upTo: seq - 1 } }
}

type Reads = { readonly [T in EventType]?: (body: NonNullable<EventOf<T>['body']>, data: EventOf<T>['data']) => Said }

const message = ({ text, attachments = [] }: { text: string; attachments?: Attachment[] | undefined }): Said => ({
  kind: 'message',
  texts: [text, ...attachments.map(({ name }) => name)],
})
const note = (text: string | undefined): Said => ({ kind: 'note', texts: [text] })

/** What is read of each type; of all others nothing. */
const reads: Reads = {
  'message.posted': message,
  'message.completed': message,
  'message.edited': message,
  'thought.completed': ({ text }) => ({ kind: 'thought', texts: [text] }),
  'step.started': ({ title, input, changes }) => ({
    kind: 'step',
    texts: [title, ...textsIn(input), ...paths(changes)],
  }),
  'step.finished': ({ output, error, changes }) => ({ kind: 'step', texts: [output, error, ...paths(changes)] }),
  'output.appended': ({ text }, { encoding }) => ({ kind: 'output', texts: [printed(text, encoding)] }),
  'approval.requested': ({ title, reason, input }) => ({ kind: 'approval', texts: [title, reason, input] }),
  'question.asked': ({ text }) => ({ kind: 'question', texts: [text] }),
  'session.created': ({ title }) => ({ kind: 'session', texts: [title] }),
  'session.renamed': ({ title }) => ({ kind: 'session', texts: [title] }),
  'task.created': ({ title, description, labels = [] }) => ({ kind: 'task', texts: [title, description, ...labels] }),
  'task.changed': ({ title, description, labels = [] }) => ({ kind: 'task', texts: [title, description, ...labels] }),
  'approval.resolved': ({ reason }) => note(reason),
  'control.requested': ({ reason }) => note(reason),
  'draft.ready': (body) => note(body.note),
  'draft.reviewed': ({ reason }) => note(reason),
  'session.state_changed': (body) => note(body.note),
  'goal.completed': ({ summary }) => note(summary),
  'notice.posted': ({ text }) => note(text),
}

function saidBy(event: KnownEvent): Said | undefined {
  const read = reads[event.type] as ((body: object, data: object) => Said) | undefined
  return event.body === undefined ? undefined : read?.(event.body, event.data)
}

function paths(changes: readonly { path: string }[] | undefined): readonly string[] {
  return changes?.map(({ path }) => path) ?? []
}

function printed(text: string, encoding: 'utf8' | 'base64'): string {
  return encoding === 'utf8' ? text : Buffer.from(text, 'base64').toString('utf8')
}

/** All texts inside of a JSON value, in order. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}

function cut({ seq, at, type, subject, actor }: Envelope, { kind, texts }: Said): readonly Piece[] {
  const isSaid = kind === 'message' || kind === 'task'
  const most = pieceChars * (isSaid ? saidPieces : loggedPieces)
  const joined = texts.filter((text) => text !== undefined && text !== '').join('\n')
  const whole = stripTerminal(joined.slice(0, most))
    .toWellFormed()
    // No database keeps it as text.
    .replaceAll('\0', ' ')
  const atMs = Date.parse(at)
  const isOutput = ofOutput.has(type)
  return partsOf(whole).map((text, part) => ({ seq, part, atMs, subject, kind, isOutput, actor, text }))
}

/** Parted between words where there is a space near the end. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = []
  for (let from = 0; from < text.length;) {
    const space = from + pieceChars < text.length ? text.lastIndexOf(' ', from + pieceChars) : text.length
    const to = space > from + pieceChars / 2 ? space : from + pieceChars
    parts.push(text.slice(from, to).toWellFormed())
    from = to
  }
  return parts.filter((part) => part.trim() !== '')
}
