import { evolveSession } from '@hotline/core/session/evolve'
import type { CommandInput } from '@hotline/protocol/command'
import type { SessionState } from '@hotline/core/session/state'
import {
  applyLater,
  emptyTranscript,
  foldTranscript,
  joinTranscripts,
  type Transcript,
} from '@hotline/core/transcript/transcript'
import type { Problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { TranscriptWindow } from '@hotline/protocol/http'
import { parseCursor } from '@hotline/protocol/stream'
import { systemClock } from './clock.ts'
import { forgetful, type KeptSession, type KeptSessions } from './kept-sessions.ts'
import type { CommandOutcome, ConnectionState, Follow, Link, Readable } from './link.ts'
import { openPainter } from './painter.ts'
import { watchable } from './readable.ts'
import { isPassing, openRetry } from './retry.ts'
import { openSessionKeeper } from './session-keeper.ts'
import { type SessionCommands, sessionCommands } from './session-commands.ts'
import { openUnsent, type UnsentMessage } from './unsent.ts'
import { uuidV7 } from './uuid.ts'

/** Events in one window of the conversation. */
const windowEvents = 200
/** Where more has come since the last visit, the newest window is read in its place. */
const goOnMax = 1_000
/** Events that were told early and have not come in their place yet. */
const earlyMax = 100

/** One session as it stands now: always whole, never changed in place. */
export interface SessionPicture {
  /** `failed`: it cannot be shown, for the reason in `problem`. A passing problem stands beside what is shown. */
  status: 'loading' | 'live' | 'failed'
  problem?: Problem
  state?: SessionState
  transcript: Transcript
  /** Older events exist on the server. */
  hasOlder: boolean
  /** One's own messages that are not in the conversation yet. */
  unsent: readonly UnsentMessage[]
  /** Approvals, questions and controls that the server told ahead of a flood; they come again in their place. */
  early: readonly Envelope[]
  /** What is shown is from an earlier visit, as it was then; in milliseconds of the wall clock. Absent once it is as of now. */
  asOf?: number
  /** When the last event came, in milliseconds of the wall clock; for "12 s ago". */
  lastEventAt?: number
}

/** A session to watch and to write to. */
export interface SessionView extends SessionCommands, Disposable {
  readonly picture: Readable<SessionPicture>
  readonly connection: Readable<ConnectionState>
  /** The window before what is shown; does nothing where there is none. Answers the problem if it could not be read. */
  loadOlder(): Promise<Problem | undefined>
  /** Shown at once as unsent, and in the conversation as soon as the log has it. */
  send(text: string, more?: Omit<CommandInput<'message.send'>, 'text'>): Promise<CommandOutcome>
  /** Forgets a message that was refused or never sent. False where it may have arrived. */
  discard(id: string): Promise<boolean>
}

/**
 * Follows a session: a snapshot, the newest window, then every event after the snapshot's cursor; older windows when asked
 * for. What is `kept` of an earlier visit is shown at once, and only what has come since is read. Watchers hear of a flood of events at most once per frame. After a reset everything is read anew, and what is shown
 * stays until then.
 */
export function openSessionView(link: Link, session: string, kept: KeptSessions = forgetful): SessionView {
  const stream = `session:${session}`
  const picture = watchable<SessionPicture>({
    status: 'loading',
    transcript: emptyTranscript,
    hasOlder: false,
    unsent: [],
    early: [],
  })
  let follow: Follow | undefined
  let closed = false
  /** Names the present start; what an earlier one still reads is passed over. */
  let life = {}
  let before: number | null = null
  /** The older window that is read now. */
  let loading: { life: object; window: Promise<Problem | undefined> } | undefined
  /** Came, and not folded yet. */
  let fresh: Envelope[] = []
  /** What came while an older window is read: it may be about something in that window. */
  let meanwhile: Envelope[] | undefined
  const change = (part: Partial<SessionPicture>): void => {
    if (!closed) picture.set({ ...picture.value, ...part })
  }
  const painter = openPainter(fold)
  const unsent = openUnsent(link, stream, (messages) => change({ unsent: messages }))
  const retry = openRetry(link, () => void start())

  const keeper = openSessionKeeper(kept, session, systemClock)
  /** What is shown of an earlier visit, until it is known whether it can be gone on from. */
  let earlier: KeptSession | undefined

  /** What an earlier visit has seen. */
  async function recall(): Promise<void> {
    const found = await kept.read(session)
    const at = parseCursor(found?.cursor ?? '0')
    if (found && typeof at === 'object' && !closed) {
      earlier = found
      const { state, keptAt } = found
      const transcript = { ...foldTranscript(emptyTranscript, found.events), seq: at.seq }
      before = beginOf(transcript, found.before)
      keeper.begin(found)
      change({ status: 'live', state, transcript, hasOlder: before !== null, asOf: keptAt })
      unsent.seen(transcript)
    }
    if (!closed) await start()
  }

  async function start(): Promise<void> {
    const mine = {}
    life = mine
    follow?.close()
    fresh = []
    meanwhile = undefined
    const snapshot = await link.request<{ cursor: string; state: SessionState }>('GET', `/api/sessions/${session}`)
    if (closed || life !== mine) return
    if (!snapshot.ok) return failed(snapshot.problem)
    const { cursor, state } = snapshot.value
    const at = parseCursor(cursor)
    const seq = typeof at === 'object' ? at.seq : 0
    const shown = earlier
    earlier = undefined
    if (shown && isNear(shown.cursor, cursor)) {
      retry.succeeded()
      return goOn(shown.cursor)
    }
    if (shown) keeper.drop()
    const window = await readWindow(seq + 1)
    if (closed || life !== mine) return
    if (!window.ok) return failed(window.problem)
    // The log began another life between the two answers.
    if (typeof at === 'object' && window.value.epoch !== at.epoch) return void start()
    retry.succeeded()
    // Its later events are after the cursor: they come by the follow.
    const transcript = { ...foldTranscript(emptyTranscript, window.value.events), seq }
    before = beginOf(transcript, window.value.before)
    const { problem: _, ...rest } = picture.value
    const { asOf: _before, ...now } = rest
    picture.set({ ...now, status: 'live', state, transcript, hasOlder: before !== null, early: [] })
    unsent.seen(transcript)
    keeper.begin({ cursor, state, events: window.value.events, before })
    goOn(cursor)
  }

  function goOn(cursor: string): void {
    follow = link.follow(stream, cursor, {
      events: (events) => {
        fresh.push(...events)
        painter.soon()
      },
      caughtUp: () => {
        painter.now()
        const { asOf, problem: _, ...rest } = picture.value
        if (asOf !== undefined && !closed) picture.set(rest)
        keeper.soon()
      },
      urgent: (event) => change({ early: [...picture.value.early, event].slice(-earlyMax) }),
      reset: () => void start(),
      ended: failed,
    })
  }

  function failed(problem: Problem): void {
    if (closed) return
    if (!isPassing(problem)) {
      keeper.drop()
      const { asOf } = picture.value
      // What was kept is not theirs to see any more.
      if (asOf !== undefined) change({ transcript: emptyTranscript, hasOlder: false })
      return change({ status: 'failed', problem })
    }
    change({ problem })
    retry.after(problem)
  }

  function fold(): void {
    if (fresh.length === 0 || closed) return
    const events = fresh
    fresh = []
    meanwhile?.push(...events)
    let { state } = picture.value
    for (const event of events) state = evolveSession(state, event)
    const transcript = foldTranscript(picture.value.transcript, events)
    const early = picture.value.early.filter(({ seq }) => seq > transcript.seq)
    before = beginOf(transcript, before)
    const hasOlder = before !== null
    change({ ...(state ? { state } : {}), transcript, early, hasOlder, lastEventAt: Date.now() })
    keeper.came(events, state, follow?.cursor)
    unsent.seen(transcript)
  }

  const readWindow = (upTo: number): ReturnType<typeof link.request<TranscriptWindow>> =>
    link.request<TranscriptWindow>('GET', `/api/sessions/${session}/transcript?limit=${windowEvents}&before=${upTo}`)

  /** Whoever asks while a window is read waits for that one. */
  function loadOlder(): Promise<Problem | undefined> {
    if (before === null || closed) return Promise.resolve(undefined)
    const mine = life
    if (loading?.life === mine) return loading.window
    const window = readOlder(before, mine).finally(() => {
      if (loading?.life === mine) loading = undefined
    })
    loading = { life: mine, window }
    return window
  }

  async function readOlder(upTo: number, mine: object): Promise<Problem | undefined> {
    meanwhile = []
    const window = await readWindow(upTo)
    if (closed || life !== mine) return undefined
    painter.now()
    const came = meanwhile
    meanwhile = undefined
    if (!window.ok) return window.problem
    // The window is as of its head, the conversation as of its own last event: both must stand at the same place.
    const { seq } = picture.value.transcript
    const { head, events, later } = window.value
    const older = foldTranscript(emptyTranscript, events)
    const known = later.filter((event) => event.seq <= seq)
    const since = came.filter((event) => event.seq > head)
    const transcript = joinTranscripts(applyLater(applyLater(older, known), since), picture.value.transcript)
    before = beginOf(transcript, window.value.before)
    change({ transcript, hasOlder: before !== null })
    return undefined
  }

  void recall()
  return {
    ...sessionCommands((type, data) => link.command(stream, type, data)),
    picture,
    connection: link.connection,
    loadOlder,
    send: async (text, more = {}) => {
      const id = uuidV7()
      unsent.give(id, text, more.attachments)
      const outcome = await link.command(stream, 'message.send', { text, ...more }, { id })
      unsent.answered(id, outcome)
      return outcome
    },
    discard: async (id) => {
      const refused = picture.value.unsent.some((message) => message.id === id && message.problem !== undefined)
      if (!refused && !(await link.takeBack(id))) return false
      unsent.discard(id)
      return true
    },
    [Symbol.dispose]: () => {
      painter.now()
      closed = true
      keeper[Symbol.dispose]()
      painter.stop()
      retry[Symbol.dispose]()
      unsent[Symbol.dispose]()
      follow?.close()
    },
  }
}

/** Where the window before this one ends; null where there is nothing to read there. */
function beginOf({ erasedUpTo }: Transcript, before: number | null): number | null {
  return erasedUpTo === undefined ? before : null
}

/** Both are of one log, and not much lies between them. */
function isNear(kept: string, now: string): boolean {
  const [from, at] = [parseCursor(kept), parseCursor(now)]
  if (typeof from !== 'object' || typeof at !== 'object' || from.epoch !== at.epoch) return false
  return at.seq >= from.seq && at.seq - from.seq <= goOnMax
}
