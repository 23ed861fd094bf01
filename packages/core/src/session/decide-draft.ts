import type { CommandOf } from '@hotline/protocol/command'
import type { KnownDraft } from '@hotline/protocol/events'
import { accept, type Decision, refuse } from '../decision.ts'
import { whyBusy } from './decide-undo.ts'
import type { SessionState } from './state.ts'

/**
 * A review has two steps, like an undo: a person asks what there is, the runner shows it under a digest, and a person decides
 * about exactly that.
 */
export function decideDraft(state: SessionState, command: CommandOf<'draft.make' | 'draft.review'>): Decision {
  switch (command.type) {
    case 'draft.make':
      return make(state, command)
    case 'draft.review':
      return review(state, command)
  }
}

function make(state: SessionState, { id }: CommandOf<'draft.make'>): Decision {
  const refusal = whyNotThere(state) ?? whyBusy(state)
  if (refusal !== undefined) return refuse('invalid_transition', refusal)
  const { draft } = state
  if (draft?.phase === 'reviewed') return refuse('invalid_transition', 'A review is being carried out.')
  const requested = { type: 'draft.requested', subject: `draft:${id}`, data: { draft: id } } as const
  if (!draft) return accept(requested)
  return accept(droppedDraft(draft.draft), requested)
}

/** Another look takes its place. */
export function droppedDraft(draft: string): KnownDraft {
  return { type: 'draft.dropped', subject: `draft:${draft}`, data: { draft } }
}

function review(state: SessionState, { data }: CommandOf<'draft.review'>): Decision {
  const { draft } = state
  if (draft?.draft !== data.draft) {
    return refuse('invalid_transition', 'These changes are not up for review any more. Ask for them anew.')
  }
  if (draft.phase !== 'ready') {
    const why = draft.phase === 'reviewed' ? 'The review is being carried out.' : 'They are not there yet.'
    return refuse('invalid_transition', why)
  }
  if (draft.digest !== data.digest) {
    return refuse('digest_mismatch', 'This is not what was shown. Look at it again.', { digest: draft.digest ?? null })
  }
  const refusal = whyNoReview(state)
  if (refusal !== undefined) return refuse('invalid_transition', refusal)
  const { keep = [], discard = [], guarded, reason, commit } = data
  return accept({
    type: 'draft.reviewed',
    subject: `draft:${data.draft}`,
    data: { draft: data.draft, digest: data.digest, keep: keep.length, discard: discard.length },
    body: {
      keep,
      discard,
      ...(guarded === undefined ? {} : { guarded }),
      ...(reason === undefined ? {} : { reason }),
      ...(commit === undefined ? {} : { commit: commit.message }),
      ...(commit?.into === undefined ? {} : { into: commit.into }),
    },
  })
}

/**
 * Why nothing can be reviewed now: the agent has to be there, to be told, and at rest. What is left of a session that is over
 * can be undone.
 */
export function whyNoReview(state: SessionState): string | undefined {
  // An agent that waits for it does nothing meanwhile.
  return whyNotThere(state) ?? (state.draft?.waits === true ? undefined : whyBusy(state))
}

function whyNotThere(state: SessionState): string | undefined {
  if (state.status !== 'active') return `The session is ${state.status}; its changes can be undone, not reviewed.`
  if (state.ending !== undefined) return 'The session is ending; its changes can be undone, not reviewed.'
  return state.undo?.phase === 'approved' ? 'An undo is under way.' : undefined
}
