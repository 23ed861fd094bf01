import { addresseeOf } from '@hotline/core/task/addressee'
import { taskSessionOf } from '@hotline/core/task/task-session'
import type { Envelope } from '@hotline/protocol/event'
import { limits } from '@hotline/protocol/limits'
import type { Interaction } from '@hotline/protocol/interactions'
import { formatCursor, parseCursor } from '@hotline/protocol/stream'
import { type Principal, senderKey } from '../../access/principal.ts'
import type { Lists } from '../../log/lists.ts'
import type { LogStore } from '../../log/log-store.ts'
import { readEvent } from '../../log/read-event.ts'
import type { Exchange } from '../../session/exchange.ts'
import { readInteractions } from '../../session/read-interactions.ts'

/** The newest messages that are told at the beginning; older ones are read over HTTP. */
const historyMax = 500
/** As many bytes of words as one socket may wait for: of longer ones the last. */
const historyBytes = limits.socketQueueBytes
/** Of so many sessions, the newest, and of each so many events from its end. */
const historySessions = 20
const historyEvents = 5_000

/** The conversation of a task so far, and where each of its logs goes on. */
export interface OpenedConversation {
  messages: readonly Interaction[]
  truncated: boolean
  /** The task's own stream first. */
  follows: readonly { stream: string; after: string }[]
}

/** The last of them, as many as one message may hold. */
function newest(messages: readonly Interaction[]): readonly Interaction[] {
  let bytes = 0
  let from = messages.length
  while (from > 0 && messages.length - from < historyMax) {
    bytes += Buffer.byteLength(JSON.stringify(messages[from - 1]))
    if (bytes > historyBytes) break
    from -= 1
  }
  return messages.slice(from)
}

/** What the conversations of tasks share. */
export interface InteractDesk {
  open: (principal: Principal, place: { project: string; task: string }) => Promise<OpenedConversation | undefined>
  /**
   * The session that a message is for: the one that has it already, where it was sent before under this id; that of an agent
   * that its words name; or else the newest.
   */
  addressee: (principal: Principal, task: string, said: { id: string; text: string }) => Promise<string | undefined>
  /** One event of a log, whole. */
  readEvent: (stream: string, seq: number) => Promise<Envelope | undefined>
}

/** Puts together what the conversations of tasks need of the server. */
export function openInteractDesk(ports: { exchange: Exchange; lists: Lists; store: LogStore }): InteractDesk {
  const { exchange, lists, store } = ports
  const cursorOf = async (stream: string): Promise<{ epoch: string; seq: number } | undefined> => {
    const snapshot = await exchange.snapshot(stream)
    const cursor = snapshot && parseCursor(snapshot.cursor)
    return typeof cursor === 'object' ? cursor : undefined
  }
  return {
    open: async (principal, { project, task }) => {
      const card = `task:${task}`
      const row = (await exchange.mayRead(principal, card)) ? await lists.task(task) : undefined
      // Before its sessions are listed: one that comes meanwhile is told by the card.
      const cursor = row?.project === project ? await cursorOf(card) : undefined
      if (!cursor) return undefined
      const all = await lists.sessionsOfTask(task)
      const followed = all.slice(1 - limits.followsPerSocket)
      const cursors = new Map<string, { epoch: string; seq: number }>()
      for (const session of followed) {
        const at = await cursorOf(`session:${session}`)
        if (at) cursors.set(session, at)
      }
      const sessions = followed.filter((one) => cursors.has(one)).slice(-historySessions)
      const from = Object.fromEntries(
        sessions.map((session) => [session, Math.max(0, (cursors.get(session)?.seq ?? 0) - historyEvents)]),
      )
      let messages: readonly Interaction[] = []
      let told = from
      let truncated = all.length > sessions.length || Object.values(from).some((seq) => seq > 0)
      for (let isOver = false; !isOver;) {
        const page = await readInteractions(store, { task, sessions, told, limit: historyMax })
        ;({ isOver } = page)
        told = { ...page.told }
        const known = [...messages, ...page.interactions]
        messages = newest(known)
        truncated ||= messages.length < known.length
      }
      const follows = [...cursors].map(([session, { epoch, seq }]) => ({
        stream: `session:${session}`,
        after: formatCursor({ epoch, seq: told[session] ?? seq }),
      }))
      return { messages, truncated, follows: [{ stream: card, after: formatCursor(cursor) }, ...follows] }
    },
    readEvent: async (stream, seq) => {
      const [event] = await store.read(stream, { after: seq - 1, limit: 1, maxBytes: limits.pageBytes })
      return event && readEvent(event)
    },
    addressee: async (principal, task, { id, text }) => {
      const sessions = (await lists.sessionsOfTask(task)).slice(-historySessions).toReversed()
      const key = { principal: senderKey(principal), id }
      for (const session of sessions) {
        const [known] = await store.findCommands(`session:${session}`, [key])
        if (known) return session
      }
      if (!text.includes('@')) return sessions[0]
      const states = await Promise.all(
        sessions.map(async (session) => (await exchange.snapshot(`session:${session}`))?.state),
      )
      const known = states.flatMap((state) => (state?.kind === 'session' ? [taskSessionOf(state)] : []))
      return addresseeOf(known, text)?.session
    },
  }
}
