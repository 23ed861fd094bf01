import type { CommandOf } from '@hotline/protocol/command'
import type { KnownDraft } from '@hotline/protocol/events'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { closeAll } from './close-open.ts'
import { readReport } from './decide-report.ts'
import type { SessionState } from './state.ts'

/**
 * A person gives a session to another runner: because its own has fallen silent, or because no agent is there anyway. From
 * here on the former one is fenced, whatever it did meanwhile; nobody can say what of the answers under way it had.
 */
export function takeOver(
  state: SessionState,
  { runner, cwd, reason }: CommandOf<'session.take_over'>['data'],
): Decision {
  const { status, lease } = state
  if (runner === state.runner) {
    return refuse(
      'invalid_transition',
      'That machine has this session already. Choose another one, or resume it there.',
      {
        status,
      },
    )
  }
  const input = state.capabilities?.input
  if (input !== undefined && input !== 'turns') {
    return refuse('unsupported', 'What a program has done cannot be gone on with elsewhere. Start it anew there.')
  }
  const taken: KnownDraft = {
    type: 'session.taken_over',
    data: {
      ...(state.runner === undefined ? {} : { from: state.runner }),
      runner,
      fence: (lease?.fence ?? 0) + 1,
    },
    body: cwd === undefined ? {} : { cwd },
  }
  switch (status) {
    case 'queued':
    case 'interrupted':
      return accept(taken)
    case 'starting':
      return state.staleSince === undefined ? inContact(state) : accept(taken)
    case 'active':
    case 'paused':
      if (state.staleSince === undefined) return inContact(state)
      return accept(
        ...closeAll(state, 'interrupted', 'a person'),
        {
          type: 'session.state_changed',
          data: { from: status, to: 'interrupted', reason: 'taken_over' },
          body: reason === undefined ? {} : { note: reason },
        },
        taken,
      )
    case 'completed':
    case 'failed':
    case 'aborted':
      return refuse('invalid_transition', `The session is ${status}; one cannot take it over now.`, { status })
  }
}

/** What a former runner still had to say: kept as it came, for people to read. It changes nothing. */
export function recoverReports(
  state: SessionState,
  { fence, events }: CommandOf<'agent.recover'>['data'],
  context: Context,
): Decision {
  const runner = context.actor.id
  if (state.former?.some((lease) => lease.runner === runner && lease.fence === fence) !== true) {
    return refuse('fenced', 'This session was not taken over from this runner.', { fence: state.lease?.fence ?? null })
  }
  const drafts: KnownDraft[] = []
  for (const report of events) {
    const { type } = report
    // Its deadline is the server's to set, and nobody will answer it.
    const isAsk = type === 'approval.requested'
    const read = readReport(
      isAsk ? { ...report, data: { expiresAt: context.now, onTimeout: 'deny', ...report.data } } : report,
    )
    if ('refusal' in read) return read.refusal
    drafts.push({
      type: 'report.recovered',
      subject: `recovered:${fence}`,
      data: { runner, fence, reported: type },
      body: { data: read.data, ...('body' in read ? { body: read.body } : {}) },
    })
  }
  return accept(...drafts)
}

function inContact({ status }: SessionState): Decision {
  return refuse(
    'invalid_transition',
    `The session is ${status} on a machine that is in contact. End it there; only what is out of contact is taken over.`,
    { status },
  )
}
