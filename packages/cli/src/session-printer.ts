import type { Envelope } from '@hotline/protocol/event'
import { asKnown, type EventOf } from '@hotline/protocol/events'
import { inLine, timeOf } from './approval-card.ts'
import { plainText } from './plain-text.ts'
import { TerminalLines } from './terminal-text.ts'

/** Messages whose pieces are printed at once; of others the whole text comes at their end. */
const streamingMax = 20

/** Letters of a name that are shown. */
const nameMax = 24

/** Prints what happens in a session, event by event. */
export interface SessionPrinter {
  event(event: Envelope): void
  /** What is left of lines that have not ended. */
  end(): void
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
  /** Of messages that are still being written: what was printed. */
  const streaming = new Map<string, { printed: string; rest: string }>()

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
    const { printed, rest } = known ?? { printed: '', rest: '' }
    const text = rest + (body?.text ?? '')
    const end = text.lastIndexOf('\n')
    if (end >= 0) say(at, 'agent', text.slice(0, end))
    streaming.set(data.message, { printed: printed + text.slice(0, end + 1), rest: text.slice(end + 1) })
  }

  function printCompleted({ at, data, body }: EventOf<'message.completed'>): void {
    const { printed = '' } = streaming.get(data.message) ?? {}
    streaming.delete(data.message)
    const text = body?.text ?? '(erased)'
    const rest = text.startsWith(printed) ? text.slice(printed.length) : text
    if (rest !== '') say(at, 'agent', rest)
  }

  return {
    event: (event) => {
      const known = asKnown(event)
      if (!known) return
      const { at } = known
      if (known.type !== 'output.appended') flushOutput(at)
      // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest is not for reading
      switch (known.type) {
        case 'output.appended':
          return printOutput(known)
        case 'message.delta':
          return printDelta(known)
        case 'message.completed':
          return printCompleted(known)
        case 'message.posted': {
          const word = { person: nameOf(known.actor.id), agent: 'agent', system: 'note' }[known.data.role]
          return say(at, word, known.body?.text ?? '(erased)')
        }
        case 'message.delivery_unknown':
          return line(at, 'note', 'Nobody can say whether the agent had this message; it is not sent again by itself.')
        case 'step.started':
          return line(at, 'step', `${known.data.kind}: ${known.body?.title ?? ''}`)
        case 'step.finished':
          if (known.data.outcome === 'done') return
          return line(at, 'step', `${known.data.outcome}: ${known.body?.error ?? known.body?.title ?? ''}`)
        case 'approval.requested':
        case 'question.asked':
          return lines(at, 'ASKS', cardLines(known))
        case 'approval.resolved': {
          const reason = known.body?.reason
          const outcome = known.data.outcome.replaceAll('_', ' ')
          return line(at, 'answer', `${outcome} by ${nameOf(known.actor.id)}${reason ? `: ${reason}` : ''}`)
        }
        case 'approval.timed_out':
          return line(at, 'answer', 'Nobody answered in time: denied.')
        case 'approval.cancelled':
          return line(at, 'answer', 'The agent no longer asks.')
        case 'approval.dispatch_refused':
          return line(at, 'note', 'The answer did not reach the agent: what would have run was not what was shown.')
        case 'approval.dispatch_unknown':
          return line(at, 'note', 'Nobody can say whether the agent had the answer.')
        case 'question.answered':
          return line(at, 'answer', `${known.data.action} by ${nameOf(known.actor.id)}`)
        case 'session.state_changed': {
          const { from, to, reason, exit } = known.data
          const how = exit ? `, ${exit.signal ?? `exit code ${exit.code}`}` : ''
          const note = known.body?.note ? `: ${known.body.note}` : ''
          return line(at, 'state', `${from} -> ${to} (${reason.replaceAll('_', ' ')}${how})${note}`)
        }
        case 'session.contact_lost':
          return line(at, 'state', `out of contact since ${timeOf(known.data.since)}`)
        case 'session.contact_restored':
          return line(at, 'state', 'in contact again')
        case 'turn.ended':
          return line(
            at,
            '----',
            known.data.end === 'end' ? 'turn ended' : `turn ended: ${known.data.end} ${known.body?.error ?? ''}`,
          )
        case 'control.failed':
          return line(at, 'note', `${known.data.action} failed: ${known.body?.reason ?? ''}`)
        case 'notice.posted':
          return say(at, 'note', known.body?.text ?? '')
        default:
          return
      }
    },
    end: () => flushOutput(new Date().toISOString()),
  }
}
