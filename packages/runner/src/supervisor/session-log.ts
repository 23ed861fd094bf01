import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import type { Envelope } from '@hotline/protocol/event'
import type { Attachment } from '@hotline/protocol/attachment'
import type { Quote } from '@hotline/protocol/events/message'
import type { DataOf, EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { RestoredFile } from '@hotline/protocol/events/checkpoint'
import type { ReviewedFile } from '@hotline/protocol/events/draft'
import type { FilePlace } from '@hotline/protocol/events/output'
import type { Bring, Isolation } from '@hotline/protocol/place'
import type { Review } from './draft-report.ts'

/** Answers and keys that are kept until it is known that the agent has them; of more, the oldest are forgotten. */
const undeliveredMax = 500

/** Reviews that the agent has not been told of; of more, the oldest are forgotten. */
const discardedMax = 50

/** What people decided or answered. */
export type Answered = EventOf<'approval.resolved' | 'approval.timed_out' | 'approval.cancelled' | 'question.answered'>

/** What is on its way from people to the agent, for a life of the runner that finds the agent alive. */
export interface Undelivered {
  answers: readonly Answered[]
  inputs: readonly EventOf<'input.sent'>[]
  /** The message that was claimed last. */
  claimed?: string | undefined
}

/** What the agent has to know before it reads a message, and has not been told of: it hears it with the next one. */
export interface Notes {
  /** Files that were put back. */
  restored?: readonly string[] | undefined
  /** What was discarded in reviews, with the reason. */
  discarded?: readonly { paths: readonly string[]; reason?: string | undefined }[] | undefined
  /** What an agent without a context of its own is told of what was before. */
  recap?: string | undefined
}

/** What a session was created with, beside its state. */
export interface Wanted extends Notes {
  cwd?: string | undefined
  command?: readonly string[] | undefined
  mode?: string | undefined
  isolation?: Isolation | undefined
  bring?: readonly Bring[] | undefined
  /** The command that started it; the message that came with it has the same id. */
  start?: string | undefined
  /** The size of the terminal, as people set it last. */
  size?: { cols: number; rows: number } | undefined
  /** What a person decided in the review that is under way. */
  review?: Review | undefined
  /** What a person chose with the undo that is under way. */
  chosen?: { also: readonly string[]; except: readonly string[] } | undefined
  /** It was taken over from another machine, and has not begun on this one. */
  takenOver?: boolean | undefined
  /** The message that was claimed with notes, and these, until it is known that the agent has it. */
  told?: (Notes & { message: string }) | undefined
  /** How far a followed file was read. */
  place?: FilePlace | undefined
}

/** What is kept of a session so that it need not be read from its beginning. */
export interface Remembered {
  state: SessionState
  wanted: Wanted
  texts: [string, string][]
  /** Absent where a Hotline kept it that knew of none. */
  quotes?: [string, Quote][] | undefined
  /** The same. */
  files?: [string, readonly Attachment[]][] | undefined
  controls: DataOf<'control.requested'>[]
  undelivered?: Undelivered | undefined
}

/**
 * A session as the runner follows it: the state that everybody folds, and the few texts that its agent will need, which
 * are in no state.
 */
export class SessionLog {
  state: SessionState | undefined
  wanted: Wanted = {}
  undelivered: Undelivered = { answers: [], inputs: [] }
  readonly #texts = new Map<string, string>()
  /** What waiting messages reply to. */
  readonly #quotes = new Map<string, Quote>()
  /** What comes with waiting messages. */
  readonly #files = new Map<string, readonly Attachment[]>()
  readonly #controls = new Map<string, DataOf<'control.requested'>>()

  apply(event: Envelope): void {
    this.state = evolveSession(this.state, event)
    const known = asKnown(event)
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others carry nothing that is kept beside the state
    switch (known?.type) {
      case 'session.created':
        this.wanted = {
          ...this.wanted,
          cwd: known.body?.cwd,
          command: known.body?.command,
          mode: known.body?.mode,
          isolation: known.data.isolation,
          bring: known.data.bring,
          start: event.cause,
        }
        return
      case 'output.appended':
        if (known.data.place) this.wanted = { ...this.wanted, place: known.data.place }
        return
      case 'session.taken_over':
        this.wanted = { ...this.wanted, takenOver: true, cwd: known.body?.cwd ?? this.wanted.cwd }
        return
      case 'undo.approved':
        this.wanted = { ...this.wanted, chosen: { also: known.body?.also ?? [], except: known.body?.except ?? [] } }
        return
      case 'draft.reviewed': {
        const { keep = [], discard = [], guarded = [], reason, commit, into } = known.body ?? {}
        const by = known.actor.id
        this.wanted = { ...this.wanted, review: { keep, discard, guarded, reason, commit, into, by } }
        return
      }
      case 'draft.resolved':
        this.#discarded(known.data.heard === true ? [] : (known.body?.files ?? []), known.body?.reason)
        return
      case 'checkpoint.restored':
        this.#restored(known.body?.files ?? [])
        return
      case 'terminal.resized':
        this.wanted = { ...this.wanted, size: { cols: known.data.cols, rows: known.data.rows } }
        return
      case 'message.posted':
        if (!known.data.queued || !known.body) return
        this.#texts.set(known.data.message, known.body.text)
        if (known.body.quote) this.#quotes.set(known.data.message, known.body.quote)
        if (known.body.attachments) this.#files.set(known.data.message, known.body.attachments)
        return
      case 'message.edited':
        if (this.#texts.has(known.data.message) && known.body) this.#texts.set(known.data.message, known.body.text)
        return
      case 'message.delivered':
        this.undelivered = { ...this.undelivered, claimed: known.data.message }
        this.#told(known.data)
        this.#forget(known.data.message)
        return
      case 'message.seen':
        if (this.wanted.told?.message === known.data.message) this.wanted = { ...this.wanted, told: undefined }
        return
      case 'approval.resolved':
      case 'approval.timed_out':
      case 'approval.cancelled':
      case 'question.answered':
        this.#undelivered({ answers: [...this.undelivered.answers, known].slice(-undeliveredMax) })
        return
      case 'approval.dispatched':
      case 'approval.dispatch_refused':
      case 'approval.dispatch_unknown': {
        const { approval } = known.data
        const isOther = ({ data }: Answered): boolean => !('approval' in data) || data.approval !== approval
        this.#undelivered({ answers: this.undelivered.answers.filter(isOther) })
        return
      }
      case 'input.sent':
        this.#undelivered({ inputs: [...this.undelivered.inputs, known].slice(-undeliveredMax) })
        return
      case 'session.state_changed':
        // Another agent than the one that they were for.
        if (known.data.to === 'starting') this.#undelivered({ answers: [], inputs: [] })
        if (known.data.to === 'active') this.wanted = { ...this.wanted, takenOver: undefined }
        return
      case 'message.withdrawn':
      case 'message.delivery_unknown':
        this.#untold(known.data.message)
        this.#forget(known.data.message)
        return
      case 'control.requested':
        this.#controls.set(known.data.control, known.data)
        return
      case 'control.done':
      case 'control.failed':
        this.#controls.delete(known.data.control)
        return
      default:
        return
    }
  }

  /** What is said into a turn that runs goes without notes. */
  #told({ message, turn }: DataOf<'message.delivered'>): void {
    if (turn !== undefined && this.state?.turn?.turn === turn) return
    const { restored, discarded, recap } = this.wanted
    const hasNotes = [restored, discarded, recap].some((note) => note !== undefined)
    const told = hasNotes ? { message, restored, discarded, recap } : undefined
    this.wanted = { ...this.wanted, restored: undefined, discarded: undefined, recap: undefined, told }
  }

  /** Nobody knows whether it got that one, and so whether it heard the notes: better twice than never. */
  #untold(message: string): void {
    const { told, restored = [], discarded = [], recap } = this.wanted
    if (told?.message !== message) return
    const both = {
      restored: [...(told.restored ?? []), ...restored],
      discarded: [...(told.discarded ?? []), ...discarded],
    }
    this.wanted = { ...this.wanted, ...both, recap: told.recap ?? recap, told: undefined }
  }

  #restored(files: readonly RestoredFile[]): void {
    const paths = files.filter(({ outcome }) => outcome === 'restored').map(({ path }) => path)
    if (paths.length > 0) this.wanted = { ...this.wanted, restored: [...(this.wanted.restored ?? []), ...paths] }
  }

  #discarded(files: readonly ReviewedFile[], reason: string | undefined): void {
    const paths = files.filter(({ outcome }) => outcome === 'discarded').map(({ path }) => path)
    this.wanted = { ...this.wanted, review: undefined }
    if (paths.length === 0) return
    const before = this.wanted.discarded ?? []
    this.wanted = { ...this.wanted, discarded: [...before, { paths, reason }].slice(-discardedMax) }
  }

  /** The text of a waiting message; undefined where it was erased. */
  textOf(message: string): string | undefined {
    return this.#texts.get(message)
  }

  /** What a waiting message replies to. */
  quoteOf(message: string): Quote | undefined {
    return this.#quotes.get(message)
  }

  /** Files that come with a waiting message. */
  filesOf(message: string): readonly Attachment[] {
    return this.#files.get(message) ?? []
  }

  #forget(message: string): void {
    this.#texts.delete(message)
    this.#quotes.delete(message)
    this.#files.delete(message)
  }

  /** What people asked of the runner and it has not answered. */
  get controls(): readonly DataOf<'control.requested'>[] {
    const open = new Set(this.state?.controls.map(({ control }) => control))
    return [...this.#controls.values()].filter(({ control }) => open.has(control))
  }

  /** Undefined before anything is known. */
  remember(): Remembered | undefined {
    const { state, wanted, undelivered } = this
    const controls = [...this.#controls.values()]
    const [texts, quotes, files] = [[...this.#texts], [...this.#quotes], [...this.#files]]
    return state && { state, wanted, texts, quotes, files, controls, undelivered }
  }

  recall({ state, wanted, texts, quotes = [], files = [], controls, undelivered }: Remembered): void {
    this.undelivered = undelivered ?? this.undelivered
    this.state = state
    this.wanted = wanted
    for (const [message, text] of texts) this.#texts.set(message, text)
    for (const [message, quote] of quotes) this.#quotes.set(message, quote)
    for (const [message, of] of files) this.#files.set(message, of)
    for (const control of controls) this.#controls.set(control.control, control)
  }

  #undelivered(news: Partial<Undelivered>): void {
    this.undelivered = { ...this.undelivered, ...news }
  }

  /** The log had another life: everything is folded anew. */
  clear(): void {
    this.state = undefined
    this.wanted = {}
    this.undelivered = { answers: [], inputs: [] }
    this.#texts.clear()
    this.#quotes.clear()
    this.#files.clear()
    this.#controls.clear()
  }
}
