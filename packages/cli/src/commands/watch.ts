import { createInterface } from 'node:readline'
import type { CommandOutcome } from '@hotline/client/link'
import { evolveSession } from '@hotline/core/session/evolve'
import { openApprovals, type SessionState } from '@hotline/core/session/state'
import type { Problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { EventOf } from '@hotline/protocol/events'
import { isLive } from '@hotline/protocol/session-status'
import { type ApprovalCard, approvalCard, inLine } from '../approval-card.ts'
import type { Server } from '../ask-server.ts'
import { Failure } from '../failure.ts'
import { plainText } from '../plain-text.ts'
import { answerForm, type QuestionCard, questionCard, readAnswerLine } from '../question-card.ts'
import { openRunningSteps } from '../running-steps.ts'
import { openQueueNote } from '../queue-note.ts'
import { findScreen } from '../screen-start.ts'
import { openSessionPrinter } from '../session-printer.ts'
import { openShortPrinter } from '../short-printer.ts'
import { openTypedLines } from '../typed-lines.ts'

/** How a session is watched, and for how long. */
export interface Watching {
  /** Every event as one line of JSON. */
  json: boolean
  /** `short`: one line for each event that is news, and nothing else. */
  form?: 'short' | undefined
  /** `now`: what is there; `idle`: until the agent waits for the next message; `end`: until the session has ended. */
  until: 'now' | 'idle' | 'end'
  /** Lines are messages, and those with a slash are commands. Its end is `end` for a person and nothing for a pipe. */
  input?: { stream: NodeJS.ReadableStream; onEnd: 'leave' | 'stay' }
  /** Only a person has the cards before their eyes, and only then something can be allowed by its number. */
  reader: 'person' | 'program'
  write: (text: string) => void
  /** For what is about the line itself, not the session. */
  note: (text: string) => void
  /** Ctrl-C. */
  signal?: AbortSignal
}

/** A card that came a moment ago cannot be meant by an answer that names none: the person was typing about another. */
const unreadMs = 2_000

/** After this without anything new, a line that has not ended is shown as far as it goes. */
const stillMs = 700

/** Characters of a line that was refused, in the sentence about it. */
const namedChars = 60

/** Ctrl-D. */
const endOfInput = '\u0004'

const help =
  'Known: /now <text>, /allow [number], /deny [number] [reason], /answer <number> <answer>, /stop, /eof, /quit. Everything else is a message.'

/** How a session was left. */
export interface Watched {
  /** Absent where nothing of it was seen. */
  state: SessionState | undefined
  /** What the server refused first of what was typed, with the line. */
  refused: Problem | undefined
}

/** A card that was shown; its number is its place. */
type Shown =
  | { kind: 'approval'; id: string; card: ApprovalCard; shownAt: number }
  | { kind: 'question'; id: string; card: QuestionCard }

/** Prints a session from its first event on, for as long as `until` says, and sends what is typed. */
export async function watchSession(server: Server, session: string, how: Watching): Promise<Watched> {
  const stream = `session:${session}`
  const names = how.json ? new Map<string, string>() : await server.names()
  const link = server.link()
  /** What was shown here, by its number: nothing else can be decided here. */
  const cards: Shown[] = []
  const steps = openRunningSteps()
  const cardLines = (event: EventOf<'approval.requested'> | EventOf<'question.asked'>): readonly string[] => {
    const number = cards.length + 1
    if (event.type === 'question.asked') {
      const card = questionCard(event, `[${number}]`)
      cards.push({ kind: 'question', id: card.question, card })
      const words = answerForm(card.fields)
      const here = how.input === undefined ? '' : `/answer ${number}${words}; `
      return [...card.lines, `${here}elsewhere: hotline answer ${card.question}${words}`]
    }
    const card = approvalCard(event, `[${number}]`, { subAgent: steps.subAgentOf(event) })
    cards.push({ kind: 'approval', id: card.approval, card, shownAt: performance.now() })
    const here = `/allow ${number} or /deny ${number} [reason]; `
    const canDecide = how.input !== undefined && how.reader === 'person'
    return [...card.lines, `${canDecide ? here : ''}elsewhere: hotline approve ${event.data.approval}`]
  }
  const printer = how.form === 'short' ? openShortPrinter(how.write) : openSessionPrinter(how.write, cardLines, names)
  const begun = how.input && !how.json ? await findScreen(server, session) : undefined
  if (begun) printer.screen(begun.at, begun.lines)
  let state = begun?.state
  let refused: Problem | undefined
  let isHere = false
  let still: NodeJS.Timeout | undefined
  const here = Promise.withResolvers<void>()
  const typed = openTypedLines({ link, send: take, broken: (error) => ended.reject(error), note: how.note })
  const ended = Promise.withResolvers<void>()
  const lines = how.input ? createInterface({ input: how.input.stream }) : undefined

  const isIdle = (): boolean =>
    state !== undefined && state.counts.turns > 0 && state.turn === undefined && state.queue.length === 0
  const queueNote = openQueueNote(link, how.note)
  let isOver = false
  /** Wait for something to be true of the state, or for the end. */
  let waiting: { until: () => boolean; go: () => void }[] = []
  const when = (until: () => boolean): Promise<void> =>
    new Promise((go) => {
      waiting.push({ until, go })
      check()
    })
  const check = (): void => {
    const ready = waiting.filter(({ until }) => isOver || until())
    waiting = waiting.filter((one) => !ready.includes(one))
    for (const { go } of ready) go()
    if (!isHere || isOver) return
    if (how.until !== 'now') queueNote.look(state)
    if (how.until === 'now' || (state && !isLive(state.status))) return ended.resolve()
    if (how.until === 'idle' && isIdle()) ended.resolve()
  }
  link.follow(stream, begun?.cursor ?? '0', {
    events: (events: readonly Envelope[]) => {
      clearTimeout(still)
      for (const event of events) {
        if (event.seq > (begun?.seq ?? 0)) state = evolveSession(state, event)
        steps.take(event)
        if (how.json) how.write(`${JSON.stringify(event)}\n`)
        else printer.event(event)
      }
      if (!how.json) still = setTimeout(() => printer.rest(), stillMs)
      check()
    },
    caughtUp: () => {
      isHere = true
      here.resolve()
      check()
    },
    ended: (problem) => ended.reject(new Failure(problem)),
    reset: () => {
      how.note('The log of this session was replaced. Attach again to see it.')
      ended.resolve()
    },
  })
  link.connection.watch((connection) => {
    if (connection.status === 'closed' && connection.problem) ended.reject(new Failure(connection.problem))
    if (connection.status === 'waiting' && connection.attempt === 1)
      how.note(`${connection.problem.detail} Trying again …`)
  })
  let isLeaving = false
  lines?.on('line', (line) => {
    const text = line.trim()
    isLeaving ||= text === '/quit'
    if (isLeaving) return ended.resolve()
    // To a program the blanks before a line may mean something.
    if (text !== '') typed.take(text.startsWith('/') ? text : line.trimEnd())
  })
  lines?.on('close', () => {
    if (how.input?.onEnd === 'leave') ended.resolve()
    else if (!isLeaving && !isOver) void typed.taken().then(endInput, () => undefined)
  })
  how.signal?.addEventListener('abort', () => ended.resolve(), { once: true })
  try {
    await ended.promise
    isOver = true
    check()
    await typed.answered(how.signal)
    printer.end()
    return { state, refused }
  } catch (error) {
    const left = await typed.giveUp()
    if (left) how.note(`! ${left.text}`)
    throw error
  } finally {
    clearTimeout(still)
    lines?.close()
    queueNote[Symbol.dispose]()
    await link[Symbol.asyncDispose]()
  }

  /** A line is a message, unless it begins with a slash: only then can it decide something. */
  async function take(line: string, isWanted: () => boolean): Promise<void> {
    const outcome = await (line.startsWith('/') ? obey(line) : message(line))
    if (!outcome || outcome.ok || !isWanted()) return
    how.note(`! ${plainText(outcome.problem.detail)}`)
    const named = line.length > namedChars ? `${line.slice(0, namedChars).toWellFormed()}…` : line
    refused ??= { ...outcome.problem, detail: `"${inLine(named)}" was refused: ${outcome.problem.detail}` }
  }

  function message(text: string): Promise<CommandOutcome> {
    return link.command(stream, 'message.send', { text })
  }

  async function obey(line: string): Promise<CommandOutcome | undefined> {
    const [word = '', ...rest] = line.split(/\s+/)
    if (word === '/now')
      return await link.command(stream, 'message.send', { text: line.slice(word.length).trim(), now: true })
    if (word === '/eof') return await endInput()
    if (word === '/stop') {
      const hard = line.slice(word.length).trim() === 'hard' ? { hard: true as const } : {}
      return await link.command(stream, 'session.interrupt', hard)
    }
    if (word === '/allow' || word === '/deny') return await decide(word === '/allow' ? 'allow' : 'deny', rest)
    if (word === '/answer') return await answer(line.slice(word.length).trim())
    how.note(help)
    return undefined
  }

  /** A program by lines hears that nothing more comes, once it has what was written before; to others it means nothing. */
  async function endInput(): Promise<CommandOutcome | undefined> {
    await when(() => state !== undefined && (state.capabilities !== undefined || !isLive(state.status)))
    const isOpen = (): boolean => state?.status === 'active' && state.capabilities?.input === 'lines'
    await when(() => !isOpen() || state?.queue.length === 0)
    return isOpen() && !isOver ? await link.command(stream, 'input.send', { text: endOfInput }) : undefined
  }

  /** The first word is always the number of the question: an answer may be a number too. */
  async function answer(text: string): Promise<CommandOutcome | undefined> {
    if (how.json) {
      how.note('! Nothing has a number here. Use "hotline answer <question>".')
      return undefined
    }
    await here.promise
    const open = new Set(state?.questions.map(({ question }) => question))
    const [number = ''] = text.split(/\s+/, 1)
    const shown = /^[0-9]+$/.test(number) ? cards[Number(number) - 1] : undefined
    if (shown?.kind !== 'question' || !open.has(shown.id)) {
      const all = cards.flatMap(({ kind, id }, index) => (kind === 'question' && open.has(id) ? [index + 1] : []))
      how.note(all.length === 0 ? 'No question is open now.' : `Say which one and what: /answer ${all.join('|')} …`)
      return undefined
    }
    const read = readAnswerLine(shown.card.fields, text.slice(number.length))
    if (!read.ok) {
      how.note(`! ${plainText(read.why)}`)
      return undefined
    }
    const data = { question: shown.id, action: 'accept', content: read.content } as const
    return await link.command(stream, 'question.answer', data)
  }

  async function decide(verdict: 'allow' | 'deny', words: readonly string[]): Promise<CommandOutcome | undefined> {
    if (how.json || (verdict === 'allow' && how.reader === 'program')) {
      how.note(
        '! Nobody sees here what is asked. Use "hotline approve <approval> --digest <digest>", or "hotline deny".',
      )
      return undefined
    }
    // What is asked is known once everything was shown.
    await here.promise
    const isNumber = /^[0-9]+$/.test(words[0] ?? '')
    const open = state ? openApprovals(state) : []
    const shown = cards
      .filter((one) => one.kind === 'approval')
      .filter(({ id }) => open.some(({ approval }) => approval === id))
    const only = shown.length === 1 && performance.now() - (shown[0]?.shownAt ?? 0) > unreadMs ? shown[0] : undefined
    const chosen = isNumber ? cards[Number(words[0]) - 1] : only
    if (chosen?.kind !== 'approval') {
      const numbers = shown.map((one) => cards.indexOf(one) + 1)
      how.note(shown.length === 0 ? 'Nothing is asked now.' : `Say which one: ${numbers.join(', ')}.`)
      return undefined
    }
    const { card } = chosen
    if (card.unfit !== undefined && verdict === 'allow') {
      how.note(`! ${card.unfit}`)
      return undefined
    }
    if (card.word && verdict === 'allow') {
      how.note(`! ${plainText(card.word.why)} Read it closely with: hotline approve ${card.approval}`)
      return undefined
    }
    const reason = words.slice(isNumber ? 1 : 0).join(' ')
    const decision = { approval: card.approval, digest: card.digest, verdict }
    return await link.command(stream, 'approval.decide', { ...decision, ...(reason ? { reason } : {}) })
  }
}
