import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import {
  applyLater,
  emptyTranscript,
  foldTranscript,
  joinTranscripts,
  type Transcript,
} from '@hotline/core/transcript/transcript'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { TranscriptWindow } from '@hotline/protocol/http'
import type { CommandOutcome, Follow, Link, Readable } from './link.ts'
import { watchable } from './readable.ts'
import { uuidV7 } from './uuid.ts'

/** A message of one's own that has no answer yet, or was refused. */
export interface UnsentMessage {
  id: string
  text: string
  problem?: Problem
}

/** One session as it stands now: always whole, never changed in place. */
export interface SessionPicture {
  status: 'loading' | 'live' | 'failed'
  problem?: Problem
  state?: SessionState
  transcript: Transcript
  /** Older events exist on the server. */
  hasOlder: boolean
  unsent: readonly UnsentMessage[]
  /** When the last event came, in milliseconds of the wall clock; for "12 s ago". */
  lastEventAt?: number
}

export interface SessionView extends Disposable {
  readonly picture: Readable<SessionPicture>
  loadOlder(): Promise<void>
  /** Shown at once as unsent, and in the conversation as soon as the log has it. */
  send(text: string): Promise<CommandOutcome>
  /** Forgets a refused message. */
  discard(id: string): void
  command<T extends CommandType>(type: T, data: CommandInput<T>): Promise<CommandOutcome>
}

const windowEvents = 200

/** Follows a session: a snapshot, the newest window, then every event; older windows when asked for. */
export function openSessionView(link: Link, session: string): SessionView {
  const stream = `session:${session}`
  const picture = watchable<SessionPicture>({
    status: 'loading',
    transcript: emptyTranscript,
    hasOlder: false,
    unsent: [],
  })
  let follow: Follow | undefined
  let closed = false
  let before: number | null = null
  let loading = false
  const change = (part: Partial<SessionPicture>): void => picture.set({ ...picture.value, ...part })

  async function start(): Promise<void> {
    follow?.close()
    const snapshot = await link.request<{ cursor: string; state: SessionState }>('GET', `/api/sessions/${session}`)
    if (!snapshot.ok) return failed(snapshot.problem)
    const { cursor, state } = snapshot.value
    const head = Number(cursor.slice(cursor.indexOf('.') + 1))
    const window = await readWindow(head + 1)
    if (!window.ok) return failed(window.problem)
    if (closed) return
    before = window.value.before
    const transcript = { ...foldWindow(window.value), seq: head }
    change({ status: 'live', state, transcript, hasOlder: before !== null })
    follow = link.follow(stream, cursor, {
      events: apply,
      reset: () => void start(),
      ended: failed,
    })
  }

  function failed(problem: Problem): void {
    if (closed) return
    change({ status: picture.value.state ? picture.value.status : 'failed', problem })
    if (problem.code === 'unreachable') {
      const leave = link.connection.watch((connection) => {
        if (connection.status !== 'open') return
        leave()
        if (!closed && !picture.value.state) void start()
      })
    }
  }

  function apply(events: readonly Envelope[]): void {
    let { state } = picture.value
    for (const event of events) state = evolveSession(state, event)
    const transcript = foldTranscript(picture.value.transcript, events)
    const unsent = picture.value.unsent.filter(({ id }) => !transcript.places.has(`message:${id}`))
    change({ ...(state ? { state } : {}), transcript, unsent, lastEventAt: Date.now() })
  }

  const readWindow = (upTo: number): ReturnType<typeof link.request<TranscriptWindow>> =>
    link.request<TranscriptWindow>('GET', `/api/sessions/${session}/transcript?limit=${windowEvents}&before=${upTo}`)

  void start()
  return {
    picture,
    loadOlder: async () => {
      if (before === null || loading) return
      loading = true
      const window = await readWindow(before)
      loading = false
      if (!window.ok || closed) return
      before = window.value.before
      const transcript = joinTranscripts(foldWindow(window.value), picture.value.transcript)
      change({ transcript, hasOlder: before !== null })
    },
    send: async (text) => {
      const id = uuidV7()
      change({ unsent: [...picture.value.unsent, { id, text }] })
      const outcome = await link.command(stream, 'message.send', { text }, { id })
      if (!outcome.ok) {
        const refused = picture.value.unsent.map((unsent) =>
          unsent.id === id ? { ...unsent, problem: outcome.problem } : unsent,
        )
        change({ unsent: refused })
      }
      return outcome
    },
    discard: (id) => change({ unsent: picture.value.unsent.filter((unsent) => unsent.id !== id) }),
    command: (type, data) => link.command(stream, type, data),
    [Symbol.dispose]: () => {
      closed = true
      follow?.close()
    },
  }
}

function foldWindow(window: TranscriptWindow): Transcript {
  return applyLater(foldTranscript(emptyTranscript, window.events), window.later)
}
