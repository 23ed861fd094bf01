import type { Envelope } from '@hotline/protocol/event'
import type { Interaction } from '@hotline/protocol/interactions'
import { asKnown } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import type { LogStore, StoredEvent } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'

/** Stretches of logs that are read for one page: sessions print far more than is said in them. */
const stretchesMax = 40
/** Bytes of events that one page tells: of long words there are fewer than were asked for. */
const pageBytes = 1024 * 1024

/** How far the log of each session is told; a session that is not named is told from its beginning. */
export type Told = Readonly<Record<string, number>>

/** A page of a conversation, and how far it goes. */
export interface InteractionsRead {
  interactions: readonly Interaction[]
  told: Told
  /** Nothing was said after it yet. */
  isOver: boolean
}

const spoken: ReadonlySet<string> = new Set(['message.posted', 'message.completed', 'notice.posted'])

/** The log of one session, read forward to what is said in it. */
class Spoken {
  readonly session: string
  readonly #store: LogStore
  #after: number
  #page: readonly StoredEvent[] = []
  /** Nothing comes after what was read. */
  isOver = false

  constructor(store: LogStore, session: string, after: number) {
    this.#store = store
    this.session = session
    this.#after = after
  }

  get told(): number {
    return this.#after
  }

  /** The next event in which something is said, if it is in what was read. */
  get next(): Envelope | undefined {
    const at = this.#page.findIndex(({ type }) => spoken.has(type))
    if (at < 0) {
      this.#after = this.#page.at(-1)?.seq ?? this.#after
      this.#page = []
      return undefined
    }
    if (at > 0) this.#after = this.#page[at - 1]?.seq ?? this.#after
    this.#page = this.#page.slice(at)
    const [first] = this.#page
    return first && readEvent(first)
  }

  /** Of the next event, as it is stored. */
  get bytes(): number {
    return this.#page[0]?.bytes.byteLength ?? 0
  }

  pass(): void {
    this.#after = this.#page[0]?.seq ?? this.#after
    this.#page = this.#page.slice(1)
  }

  async read(): Promise<void> {
    const range = { after: this.#after, limit: limits.pageEvents, maxBytes: limits.pageBytes }
    this.#page = await this.#store.read(`session:${this.session}`, range)
    this.isOver = this.#page.length === 0
  }
}

/**
 * What is said in the sessions of a task, the oldest first whatever the session, after what was told. A message of a person is as it
 * was edited last; what was taken back before an agent had it, or erased, is left out.
 */
export async function readInteractions(
  store: LogStore,
  { task, sessions, told, limit }: { task: string; sessions: readonly string[]; told: Told; limit: number },
): Promise<InteractionsRead> {
  const logs = sessions.map((session) => new Spoken(store, session, told[session] ?? 0))
  const found: { session: string; event: Envelope }[] = []
  let stretches = 0
  let bytes = 0
  while (found.length < limit) {
    const heads = logs.filter(({ isOver }) => !isOver).map((log) => ({ log, event: log.next }))
    if (heads.length === 0) break
    // Which comes first is known only where the next one of every session is.
    const unread = heads.filter(({ event }) => event === undefined)
    if (unread.length > 0) {
      if (stretches >= stretchesMax) break
      for (const { log } of unread) await log.read()
      stretches += unread.length
      continue
    }
    const [first, ...others] = heads
    const next = others.reduce((one, other) => ((other.event?.at ?? '') < (one?.event?.at ?? '') ? other : one), first)
    if (!next?.event) break
    // A page holds what one answer may; at least one.
    bytes += next.log.bytes
    if (found.length > 0 && bytes > pageBytes) break
    found.push({ session: next.log.session, event: next.event })
    next.log.pass()
  }
  return {
    interactions: await wordsOf(store, task, found),
    told: Object.fromEntries(logs.map((log) => [log.session, log.told])),
    isOver: logs.every(({ isOver }) => isOver),
  }
}

/** Every event about these subjects from a position on: what became of a message may be told long after it. */
async function allOf(
  store: LogStore,
  stream: string,
  subjects: readonly string[],
  from: number,
): Promise<readonly StoredEvent[]> {
  const all: StoredEvent[] = []
  for (let after = from; subjects.length > 0;) {
    const page = await store.readSubjects(stream, subjects, after, limits.pageEvents)
    all.push(...page)
    if (page.length < limits.pageEvents) break
    after = page.at(-1)?.seq ?? after
  }
  return all
}

async function wordsOf(
  store: LogStore,
  task: string,
  found: readonly { session: string; event: Envelope }[],
): Promise<readonly Interaction[]> {
  const later = new Map<string, string | undefined>()
  for (const session of new Set(found.map((one) => one.session))) {
    const posted = found.filter(({ session: of, event }) => of === session && event.type === 'message.posted')
    const subjects = posted.flatMap(({ event: { subject } }) => (subject === undefined ? [] : [subject]))
    const from = posted[0]?.event.seq ?? 0
    for (const event of await allOf(store, `session:${session}`, subjects, from)) {
      const known = asKnown(readEvent(event))
      if (known?.type === 'message.edited' && known.body) later.set(`${session} ${known.subject}`, known.body.text)
      if (known?.type === 'message.withdrawn') later.set(`${session} ${known.subject}`, undefined)
    }
  }
  return found.flatMap(({ session, event }) => {
    const key = `${session} ${event.subject}`
    const one = interactionOf(task, session, event)
    if (!one) return []
    if (!later.has(key)) return [one]
    const content = later.get(key)
    return content === undefined ? [] : [{ ...one, content }]
  })
}

/** Undefined where nothing is said in it, or it was erased. */
export function interactionOf(task: string, session: string, event: Envelope): Interaction | undefined {
  const known = asKnown(event)
  const common = { task_id: task, session_id: session, created_at: event.at }
  if (known?.type === 'message.posted' && known.body) {
    const { message: id, role } = known.data
    const isPerson = role === 'person'
    return {
      id,
      ...common,
      user_id: isPerson ? event.actor.id : null,
      message_type: isPerson ? 'user_message' : role === 'agent' ? 'agent_response' : 'system_notification',
      content: known.body.text,
      metadata: known.body.metadata ?? {},
    }
  }
  if (known?.type === 'message.completed' && known.body) {
    const { message: id } = known.data
    return { id, ...common, user_id: null, message_type: 'agent_response', content: known.body.text, metadata: {} }
  }
  if (known?.type === 'notice.posted' && known.body) {
    const metadata = { code: known.data.code }
    const id = `notice-${event.seq}`
    return { id, ...common, user_id: null, message_type: 'system_notification', content: known.body.text, metadata }
  }
  return undefined
}
