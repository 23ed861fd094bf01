import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/events'
import { plainText } from './plain-text.ts'

/** One event as lines for a terminal; empty for what a person does not read. */
export function linesOf(event: Envelope): string {
  const known = asKnown(event)
  if (!known) return ''
  const time = event.at.slice(11, 19)
  const line = (mark: string, text: string): string => `${time} ${mark} ${plainText(text)}\n`
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest is not for reading
  switch (known.type) {
    case 'message.posted':
      return line(
        known.data.role === 'person' ? 'you  ' : known.data.role === 'agent' ? 'agent' : 'note ',
        known.body?.text ?? '(erased)',
      )
    case 'message.completed':
      return line('agent', known.body?.text ?? '(erased)')
    case 'step.started':
      return line('step ', `${known.data.kind}: ${known.body?.title ?? ''}`)
    case 'step.finished':
      return known.data.outcome === 'done' ? '' : line('step ', `${known.data.outcome} ${known.body?.error ?? ''}`)
    case 'output.appended':
      return plainText(known.body?.text ?? '')
    case 'approval.requested':
      return (
        line('ASKS ', `${known.body?.title ?? ''} (${known.body?.tool ?? ''})`) +
        plainText(known.body?.input ?? '').replaceAll(/^/gm, '         | ') +
        `\n         approve: hotline approve ${known.data.approval}   deny: hotline deny ${known.data.approval}\n`
      )
    case 'approval.resolved':
      return line(
        '     ',
        `${known.data.outcome} by ${event.actor.id}${known.body?.reason ? `: ${known.body.reason}` : ''}`,
      )
    case 'approval.timed_out':
      return line('     ', 'nobody answered in time')
    case 'approval.cancelled':
      return line('     ', 'the agent no longer asks')
    case 'question.asked':
      return line('ASKS ', known.body?.text ?? '')
    case 'session.state_changed':
      return line('state', `${known.data.from} -> ${known.data.to} (${known.data.reason.replaceAll('_', ' ')})`)
    case 'turn.ended':
      return known.data.end === 'end'
        ? line('---- ', 'turn ended')
        : line('---- ', `turn ended: ${known.data.end} ${known.body?.error ?? ''}`)
    case 'notice.posted':
      return line('note ', known.body?.text ?? '')
    default:
      return ''
  }
}
