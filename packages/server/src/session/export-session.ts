import { eventMarkdown, headMarkdown } from '@hotline/core/transcript/event-markdown'
import type { Actor } from '@hotline/protocol/actor'
import { limits } from '@hotline/protocol/limits'
import type { Lists } from '../log/lists.ts'
import type { LogStore, StoredEvent } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'
import type { SessionTable } from '../log/tables.ts'

/** What an export reads. */
export interface ExportPorts {
  store: LogStore
  lists: Pick<Lists, 'account' | 'key'>
}

/** A session as one JSON document: its facts, and every event as the log has it, up to a position. */
export async function* sessionAsJson(
  { store }: ExportPorts,
  { session, title, agent, project, status, created_at }: SessionTable,
  { epoch, upTo }: { epoch: string; upTo: number },
): AsyncGenerator<string> {
  const head = { session, title, agent, project, status, createdAt: created_at, cursor: `${epoch}.${upTo}` }
  yield `${JSON.stringify(head).slice(0, -1)},"events":[`
  let isFirst = true
  for await (const { bytes } of eventsUpTo(store, session, upTo)) {
    yield `${isFirst ? '\n' : ',\n'}${Buffer.from(bytes).toString('utf8')}`
    isFirst = false
  }
  yield '\n]}\n'
}

/** A session for people to read: what was said, asked and done, without what programs printed. It ends by saying that it does. */
export async function* sessionAsMarkdown(
  { store, lists }: ExportPorts,
  { session, title, agent, project, status, created_at }: SessionTable,
  { epoch, upTo }: { epoch: string; upTo: number },
): AsyncGenerator<string> {
  yield headMarkdown(title, [
    ['Session', session],
    ['Agent', agent],
    ['Project', project],
    ['Begun', created_at],
    ['Status', status],
  ])
  const names = new Map<string, string>()
  const nameOf = ({ kind, id }: Actor): string => names.get(id) ?? `${kind} ${id}`
  for await (const stored of eventsUpTo(store, session, upTo)) {
    const event = readEvent(stored)
    const { kind, id } = event.actor
    if ((kind === 'person' || kind === 'service') && !names.has(id))
      names.set(id, (await lists.account(id))?.name ?? (await lists.key(id))?.name ?? `${kind} ${id}`)
    const text = eventMarkdown(event, nameOf)
    if (text !== undefined) yield text
  }
  yield `\n---\nThe whole conversation up to ${epoch}.${upTo}.\n`
}

/** Page after page: a long session is never whole in memory. */
async function* eventsUpTo(store: LogStore, session: string, upTo: number): AsyncGenerator<StoredEvent> {
  for (let after = 0; after < upTo;) {
    const page = await store.read(`session:${session}`, { after, limit: limits.pageEvents, maxBytes: limits.pageBytes })
    for (const event of page) if (event.seq <= upTo) yield event
    after = page.at(-1)?.seq ?? upTo
  }
}
