import type { Report } from '@hotline/protocol/commands/agent'
import type { AgentEvent, AgentFacts } from '../adapters/adapter.ts'

/** Events that say something on their own; the others have a history. */
type PlainEvent = Extract<
  AgentEvent,
  { t: 'step_started' | 'step_progressed' | 'step_finished' | 'plan' | 'usage' | 'question' | 'question_closed' }
>

/** What an agent did, in the words of the log. */
export function reportOf(event: PlainEvent, turn: string | undefined): Report {
  const ofTurn = turn === undefined ? {} : { turn }
  switch (event.t) {
    case 'step_started': {
      const { step, kind, title, input, parent, locations, changes } = event
      return {
        type: 'step.started',
        data: told({ step, kind, ...ofTurn, parent }),
        body: told({ title, input, locations, changes }),
      }
    }
    case 'step_progressed': {
      const { step, title, input, output, locations, changes } = event
      return { type: 'step.progressed', data: { step }, body: told({ title, input, output, locations, changes }) }
    }
    case 'step_finished': {
      const { step, outcome, title, output, error, changes } = event
      return { type: 'step.finished', data: { step, outcome }, body: told({ title, output, error, changes }) }
    }
    case 'plan': {
      const done = event.entries.filter(({ status }) => status === 'completed').length
      return { type: 'plan.updated', data: { entries: event.entries.length, done }, body: { entries: event.entries } }
    }
    case 'usage': {
      const { t: _, at: _at, ...usage } = event
      return { type: 'usage.reported', data: told(usage) }
    }
    case 'question': {
      const { question, text, schema } = event
      return { type: 'question.asked', data: { question, ...ofTurn }, body: told({ text, schema }) }
    }
    case 'question_closed':
      return { type: 'question.withdrawn', data: { question: event.question, reason: event.reason } }
  }
}

/** What the adapter learned about its agent. */
export function profileReport(facts: AgentFacts, more: Record<string, unknown> = {}): Report {
  const { capabilities, mode, modes, model, native } = facts
  return { type: 'session.profile_changed', data: told({ capabilities, ...more, mode, modes, model, native }) }
}

/** What this machine says of itself, in the session's own output. */
export function remarkReport(text: string): Report {
  const data = { source: 'log', encoding: 'utf8', bytes: Buffer.byteLength(text) }
  return { type: 'output.appended', data, body: { text } }
}

/** Without the members that have no value. */
export function told(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
