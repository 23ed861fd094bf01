import type { Attachment } from '@hotline/protocol/attachment'
import type { Envelope } from '@hotline/protocol/event'
import { modeAnswered, modeMeanings, modeNames } from '@hotline/core/policy/mode-words'
import { preparedLines, releasedLines } from '@hotline/core/place-words'
import type { EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import { recoveredLine } from '@hotline/core/transcript/recovered'
import { budgetWords, usedWords } from '@hotline/core/budget-words'
import { escalatedWords } from '@hotline/core/one-line'
import { shownIdChars } from './session-row.ts'
import { changesNews } from './changes-news.ts'
import { dayAndTimeOf, inLine, timeOf } from './approval-card.ts'
import { plainText } from './plain-text.ts'
import { TerminalLines } from './terminal-text.ts'

/** Messages whose pieces are printed at once; of others the whole text comes at their end. */
const streamingMax = 20

/** The end of a text that may be the first half of a character, of a line end, or of a sequence of a terminal. */
// oxlint-disable-next-line no-control-regex
const unfinished = /(?:[\ud800-\udbff]|\r|\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b]{0,200}\u001b?|[ -/]*)?)$/

/** Letters of a name that are shown. */
const nameMax = 24

/** Characters of a message that waits, where it is named once more. */
const namedChars = 60

/** Messages that are still known by their beginning. */
const saidMax = 200

/** Prints what happens in a session, event by event. */
export interface SessionPrinter {
  event(event: Envelope): void
  /** What is on a terminal's screen, where one does not begin with the first event. */
  screen(at: string, shown: readonly string[]): void
  /** Nothing came for a while: what there is of lines that have not ended is shown, and later only what follows it. */
  rest(): void
  /** The same, and what still waits for the agent. */
  end(): void
}

/** A message of which pieces have come. */
interface Streaming {
  /** When the last piece came. */
  at: string
  /** What was shown, and what was not yet. */
  printed: string
  rest: string
  /** True where the last line that was shown goes on. */
  isOpen: boolean
}

/** Lines of a card, for whoever decides or answers here or elsewhere. */
export type CardLines = (event: EventOf<'approval.requested'> | EventOf<'question.asked'>) => readonly string[]

/**
 * Prints events as lines for a person. Every line begins with a time and a word of ours, or is indented under one: nothing
 * that an agent wrote can look like a line of ours.
 */
export function openSessionPrinter(
  write: (text: string) => void,
  cardLines: CardLines,
  names: ReadonlyMap<string, string>,
): SessionPrinter {
  const output = new Map<string, TerminalLines>()
  const streaming = new Map<string, Streaming>()
  /** Messages that wait for the agent, each by its beginning. */
  const waiting = new Map<string, string>()
  /** What was said lately, each by its beginning. */
  const said = new Map<string, string>()
  /** What is asked and waits for its turn: it is shown when it can be decided. */
  const queued = new Map<string, EventOf<'approval.requested'>>()
  let lastAt = ''

  function lines(at: string, word: string, texts: readonly string[]): void {
    const [first = '', ...more] = texts
    const indent = ' '.repeat(16)
    write(`${timeOf(at)} ${word.padEnd(6)} ${first}\n${more.map((text) => `${indent}${text}\n`).join('')}`)
  }
  const say = (at: string, word: string, text: string): void => lines(at, word, plainText(text).split('\n'))
  const line = (at: string, word: string, text: string): void => lines(at, word, [inLine(text)])

  /** With a mark before it, so that nobody is called like a word of ours. */
  const nameOf = (id: string): string => `@${inLine(names.get(id) ?? id).slice(0, nameMax)}`

  function printOutput(event: EventOf<'output.appended'>): void {
    const { source, encoding, bytes } = event.data
    if (encoding === 'base64') return line(event.at, source, `(${bytes} bytes that are no text)`)
    const terminal = output.get(source) ?? new TerminalLines()
    output.set(source, terminal)
    const whole = terminal.take(event.body?.text ?? '')
    if (whole.length > 0) lines(event.at, source, whole)
  }

  function flushOutput(at: string): void {
    for (const [source, terminal] of output) {
      const rest = terminal.rest()
      if (rest !== undefined) lines(at, source, [rest])
    }
  }

  function printDelta({ at, data, body }: EventOf<'message.delta'>): void {
    const known = streaming.get(data.message)
    if (!known && streaming.size >= streamingMax) return
    const { printed, rest, isOpen } = known ?? { printed: '', rest: '', isOpen: false }
    const text = rest + (body?.text ?? '')
    const end = text.lastIndexOf('\n') + 1
    // With the line end go both its halves.
    const whole = text.slice(0, Math.max(0, end - 1)).replace(/\r$/, '')
    if (end > 0 && !(isOpen && whole === '')) say(at, 'agent', `${isOpen ? '… ' : ''}${whole}`)
    streaming.set(data.message, {
      at,
      printed: printed + text.slice(0, end),
      rest: text.slice(end),
      isOpen: isOpen && end === 0,
    })
  }

  /** Without its end, so that the line that was begun does not wait for one. */
  function printBrokenOff({ at, data }: EventOf<'message.broken_off'>): void {
    const { rest = '', isOpen = false } = streaming.get(data.message) ?? {}
    streaming.delete(data.message)
    if (rest !== '') say(at, 'agent', `${isOpen ? '… ' : ''}${rest} … (broken off)`)
  }

  function printCompleted({ at, data, body }: EventOf<'message.completed'>): void {
    remember(data.message, wordsOf(body))
    const { printed = '', isOpen = false } = streaming.get(data.message) ?? {}
    streaming.delete(data.message)
    const text = body?.text ?? '(erased)'
    const goesOn = text.startsWith(printed)
    const rest = goesOn ? text.slice(printed.length) : text
    if (rest !== '') say(at, 'agent', `${isOpen && goesOn ? '… ' : ''}${rest}`)
    const files = fileWords(body)
    if (files !== '') say(at, 'agent', files)
  }

  /** Lines that have not ended. What could be half a character or half a sequence of a terminal waits for its other half. */
  function showRest(): void {
    flushOutput(lastAt)
    for (const [message, known] of streaming) {
      const { at, printed, rest, isOpen } = known
      const held = unfinished.exec(rest)?.[0].length ?? 0
      const text = rest.slice(0, rest.length - held)
      if (text.trim() === '') continue
      say(at, 'agent', `${isOpen ? '… ' : ''}${text} …`)
      streaming.set(message, { at, printed: printed + text, rest: rest.slice(text.length), isOpen: true })
    }
  }

  function remember(message: string, text: string | undefined): void {
    said.set(message, beginningOf(text))
    for (const oldest of said.keys()) {
      if (said.size <= saidMax) break
      said.delete(oldest)
    }
  }

  function printPosted({ at, actor, data, body }: EventOf<'message.posted'>): void {
    const words = wordsOf(body)
    remember(data.message, words)
    if (body?.quote) line(at, 'note', `${nameOf(actor.id)} replies to ${beginningOf(body.quote.text)}`)
    if (data.queued) waiting.set(data.message, beginningOf(words))
    say(at, { person: nameOf(actor.id), agent: 'agent', system: 'note' }[data.role], words ?? '(erased)')
  }

  function printEdited({ at, actor, data, body }: EventOf<'message.edited'>): void {
    const before = waiting.get(data.message)
    waiting.set(data.message, beginningOf(body?.text))
    remember(data.message, body?.text)
    say(at, 'edited', `${nameOf(actor.id)} wrote in place of ${before ?? 'a message'}:\n${body?.text ?? '(erased)'}`)
  }

  /** A message that waits no more. */
  function printTaken(at: string, message: string, words: (what: string) => string): void {
    const what = waiting.get(message)
    waiting.delete(message)
    line(at, 'note', words(what ?? 'a message'))
  }

  return {
    event: (event) => {
      const known = asKnown(event)
      if (!known) return
      const { at } = known
      lastAt = at
      if (known.type !== 'output.appended') flushOutput(at)
      // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest is not for reading
      switch (known.type) {
        case 'output.appended':
          return printOutput(known)
        case 'message.delta':
          return printDelta(known)
        case 'message.completed':
          return printCompleted(known)
        case 'message.broken_off':
          return printBrokenOff(known)
        case 'message.posted':
          return printPosted(known)
        case 'message.edited':
          return printEdited(known)
        case 'message.withdrawn':
          return printTaken(at, known.data.message, (what) =>
            known.data.reason === 'session_ended'
              ? `nobody reads ${what}: the session ended`
              : `${nameOf(known.actor.id)} took back ${what}`,
          )
        case 'message.reacted': {
          const { message, sign, on } = known.data
          const what = said.get(message) ?? 'a message'
          const did = on ? `put ${sign} under ${what}` : `took ${sign} away from ${what}`
          return line(at, 'note', `${nameOf(known.actor.id)} ${did}`)
        }
        case 'message.hurried': {
          const what = waiting.get(known.data.message) ?? 'a message'
          return line(at, 'note', `${nameOf(known.actor.id)} wants ${what} read in this turn`)
        }
        case 'message.delivered':
          return printTaken(at, known.data.message, (what) => `the agent has ${what}`)
        case 'message.delivery_unknown':
          return printTaken(
            at,
            known.data.message,
            (what) => `Nobody can say whether the agent had ${what}; it is not sent again by itself.`,
          )
        case 'step.started':
          return line(at, 'step', `${known.data.kind}: ${known.body?.title ?? ''}`)
        case 'step.finished':
          if (known.data.outcome === 'done') return
          return line(at, 'step', `${known.data.outcome}: ${known.body?.error ?? known.body?.title ?? ''}`)
        case 'approval.requested':
          if (known.data.queued !== true) return lines(at, 'ASKS', cardLines(known))
          queued.set(known.data.approval, known)
          return line(at, 'note', `asks as well, and waits for its turn: ${known.body?.title ?? ''}`)
        case 'approval.opened': {
          const { approval, expiresAt } = known.data
          const asked = queued.get(approval)
          queued.delete(approval)
          return asked && lines(at, 'ASKS', cardLines({ ...asked, data: { ...asked.data, expiresAt } }))
        }
        case 'approval.refused': {
          const why = `refused at once, ${known.data.limit} requests wait already (queue full)`
          return line(at, 'note', `${why}: ${known.body?.title ?? ''}`)
        }
        case 'question.asked':
          return lines(at, 'ASKS', cardLines(known))
        case 'approval.resolved': {
          const reason = known.body?.reason
          const outcome = known.data.outcome.replaceAll('_', ' ')
          const { mode, rule, ruleOf = 'project' } = known.data
          const by = mode
            ? `${modeAnswered(mode.mode)}, by ${nameOf(mode.by.id)}`
            : `by ${rule === undefined ? nameOf(known.actor.id) : `a rule of the ${ruleOf}`}`
          return line(at, 'answer', `${outcome}${mode ? ': ' : ' '}${by}${reason ? `: ${reason}` : ''}`)
        }
        case 'policy.mode_set': {
          const { mode, until } = known.data
          const end = until === undefined ? '' : ` Until ${dayAndTimeOf(until, new Date(at))}.`
          return line(at, 'note', `${nameOf(known.actor.id)}: ${modeNames[mode]}. ${modeMeanings[mode]}${end}`)
        }
        case 'policy.mode_ended':
          return line(at, 'note', `no longer ${modeAnswered(known.data.mode)}: everything is asked`)
        case 'approval.extended':
          return line(
            at,
            'note',
            `time to answer until ${dayAndTimeOf(known.data.expiresAt, new Date(known.at))}: ${whyLonger(known, nameOf)}`,
          )
        case 'approval.timed_out':
          queued.delete(known.data.approval)
          return line(at, 'answer', 'Nobody answered in time: denied.')
        case 'approval.cancelled':
          if (queued.delete(known.data.approval)) return
          return line(at, 'answer', 'The agent no longer asks.')
        case 'question.withdrawn':
          return line(at, 'answer', 'The agent no longer asks.')
        case 'approval.recalled':
          return line(at, 'answer', `${nameOf(known.actor.id)} took back that it was allowed.`)
        case 'approval.dispatch_refused':
          return line(at, 'note', `The answer did not reach the agent: ${unreached[known.data.reason]}.`)
        case 'approval.dispatch_unknown':
          return line(at, 'note', 'Nobody can say whether the agent had the answer.')
        case 'question.answered':
          return line(at, 'answer', answerWords(known.data.action, nameOf(known.actor.id), known.body?.content))
        case 'session.state_changed': {
          const { from, to, reason, exit } = known.data
          const how = exit ? `, ${exit.signal ?? `exit code ${exit.code}`}` : ''
          const note = known.body?.note ? `: ${known.body.note}` : ''
          return line(at, 'state', `${from} -> ${to} (${reason.replaceAll('_', ' ')}${how})${note}`)
        }
        case 'workspace.prepared':
          return lines(at, 'place', preparedLines(known.data, known.body).map(inLine))
        case 'workspace.released':
          return lines(at, 'place', releasedLines(known.data, known.body).map(inLine))
        case 'session.contact_lost':
          return line(at, 'state', `out of contact since ${timeOf(known.data.since)}`)
        case 'session.contact_restored':
          return line(at, 'state', 'in contact again')
        case 'session.taken_over':
          return line(at, 'state', `${nameOf(known.actor.id)} took it over; another machine goes on`)
        case 'report.recovered': {
          const again = recoveredLine(known)
          return again === undefined ? undefined : line(at, 'former', again)
        }
        case 'turn.ended':
          return line(
            at,
            '----',
            known.data.end === 'end' ? 'turn ended' : `turn ended: ${known.data.end} ${known.body?.error ?? ''}`,
          )
        case 'goal.completed':
          return line(at, 'goal', known.body?.summary ? `complete: ${known.body.summary}` : 'complete')
        case 'control.escalated':
          return line(at, 'note', `${known.data.action} goes further: ${escalatedWords(known.data)}`)
        case 'control.failed':
          return line(at, 'note', `${known.data.action} failed: ${known.body?.reason ?? ''}`)
        case 'budget.changed':
        case 'budget.warned':
        case 'budget.exhausted':
          return line(at, 'budget', budgetNews(known))
        case 'loop.noticed': {
          const pause = `hotline pause ${shortId(known)} --after-step`
          return line(at, 'note', `the same call ${known.data.times} times in a row; to hold it: ${pause}`)
        }
        case 'draft.ready':
        case 'draft.refused':
        case 'draft.resolved':
          return line(at, 'files', changesNews(known, shortId(known)))
        case 'terminal.taken':
          return line(at, 'note', `${nameOf(known.actor.id)} has the keyboard`)
        case 'terminal.released':
          return line(at, 'note', 'nobody has the keyboard')
        case 'notice.posted':
          return say(at, 'note', known.body?.text ?? '')
        default:
          return
      }
    },
    screen: (at, shown) => lines(at, 'screen', shown),
    rest: showRest,
    end: () => {
      showRest()
      for (const what of waiting.values()) line(lastAt, 'note', `${what} waits for the agent`)
    },
  }
}

/** Why an answer was not given to the agent. */
const unreached = {
  digest_mismatch: 'what would have run was not what was shown',
  stale: 'it was taken back before, or the agent no longer asked',
  unsupported: 'the agent does not take such an answer',
  recalled: 'it was taken back before',
}

/** What it may use up, or has. */
function budgetNews(event: EventOf<'budget.changed' | 'budget.warned' | 'budget.exhausted'>): string {
  if (event.type === 'budget.changed') return `is now: ${budgetWords(event.data.budget)}`
  const used = usedWords(event.data)
  if (event.type === 'budget.warned') return `nearly used up: ${used}`
  return `used up: ${used}. It is held before its next step; more: hotline budget ${shortId(event)} ${moreOf(event.data)}`
}

/** As people type it. */
function shortId({ stream }: Pick<Envelope, 'stream'>): string {
  const start = stream.indexOf(':') + 1
  return stream.slice(start, start + shownIdChars)
}

/** Half as much again, as one would type it. */
function moreOf({ budget, limit }: EventOf<'budget.exhausted'>['data']): string {
  const more = limit * 1.5
  switch (budget) {
    case 'timeMs':
      return `time=${Math.ceil(more / 60_000)}m`
    case 'toolCalls':
      return `calls=${Math.ceil(more)}`
    case 'outputBytes':
      return `output=${Math.ceil(more / 1e3)}kB`
    case 'diskBytes':
      return `disk=${Math.ceil(more / 1e3)}kB`
    case 'costUsd':
      return `cost=${more.toFixed(2)}`
  }
}

/** The answer to a question, with its content as the agent gets it. */
function answerWords(action: 'accept' | 'decline' | 'cancel', who: string, content: unknown): string {
  const words = { accept: 'answered', decline: 'declined', cancel: 'dismissed' }[action]
  return `${words} by ${who}${content === undefined ? '' : `: ${JSON.stringify(content)}`}`
}

/** The first line of a message between quotes, cut where it is long. */
type Said = { text: string; attachments?: readonly Attachment[] | undefined } | undefined

/** What was said, and what came with it; undefined where it was erased. */
function wordsOf(body: Said): string | undefined {
  return body && [body.text, fileWords(body)].filter((part) => part !== '').join(' ')
}

function fileWords(body: Said): string {
  return (body?.attachments ?? []).map(({ name }) => `[file: ${name}]`).join(' ')
}

function beginningOf(text: string | undefined): string {
  const [first = ''] = (text ?? '(erased)').trim().split('\n', 1)
  const cut = first.length > namedChars || first !== (text ?? '(erased)').trim()
  return `"${first.slice(0, namedChars).toWellFormed()}${cut ? '…' : ''}"`
}

function whyLonger({ data, actor }: EventOf<'approval.extended'>, nameOf: (account: string) => string): string {
  switch (data.why) {
    case 'asked':
      return `more was given by ${nameOf(actor.id)}`
    case 'away':
      return 'none passed while the server was away'
    case 'paused':
    case undefined:
      return 'none passed while it was paused'
  }
}
