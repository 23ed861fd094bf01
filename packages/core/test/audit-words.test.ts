import { type AuditedEvent, auditWords } from '@hotline/core/audit-words'
import { type AuditedType, auditedTypes } from '@hotline/protocol/audit'
import { eventSpecs, type EventType } from '@hotline/protocol/events'
import { expect, it } from 'vitest'

const account = 'a1'
/** For each type: what it carries, its body, and what it says. */
const samples: Readonly<Record<AuditedType, [data: object, body: object | undefined, words: string][]>> = {
  'approval.requested': [
    [{ risk: 'high' }, {}, 'asked (high risk)'],
    [{}, {}, 'asked'],
  ],
  'approval.resolved': [
    [{ outcome: 'denied', scope: 'once' }, { reason: ' No. ' }, 'denied - No.'],
    [{ outcome: 'allowed', scope: 'session', rule: 'r1' }, {}, 'allowed for the session, by the rule r1'],
    [{ outcome: 'denied', scope: 'once', rule: 'r1', ruleOf: 'server' }, {}, 'denied, by the rule r1 of the server'],
    [{ outcome: 'allowed', scope: 'once', mode: { mode: 'hands_free' } }, undefined, 'allowed, hands-free'],
    [{ outcome: 'allowed_modified', scope: 'project' }, {}, 'allowed with changes for the project'],
  ],
  'approval.refused': [[{ limit: 100 }, {}, 'refused at once: 100 requests waited already']],
  'approval.extended': [[{ expiresAt: 'T' }, undefined, 'more time, until T']],
  'approval.timed_out': [[{}, undefined, 'nobody answered in time: denied']],
  'approval.cancelled': [[{ reason: 'agent_withdrew' }, undefined, 'withdrawn: agent withdrew']],
  'approval.recalled': [[{}, undefined, 'allowance taken back']],
  'approval.dispatched': [[{}, undefined, 'the answer reached the agent']],
  'approval.dispatch_refused': [[{ reason: 'stale' }, undefined, 'the answer was not used: stale']],
  'approval.dispatch_unknown': [[{}, undefined, 'whether the answer reached the agent is not known']],
  'question.asked': [[{}, {}, 'asked']],
  'question.answered': [[{ action: 'decline' }, {}, 'declined to answer']],
  'question.withdrawn': [[{ reason: 'turn_ended' }, undefined, 'withdrawn: turn ended']],
  'draft.reviewed': [[{ keep: 2, discard: 1 }, {}, 'reviewed: keep 2, discard 1']],
  'draft.resolved': [
    [{ kept: 2, discarded: 1, open: 0 }, { merged: { into: 'main' } }, '2 kept, 1 discarded, 0 open, merged into main'],
    [{ kept: 0, discarded: 0, open: 3 }, {}, '0 kept, 0 discarded, 3 open'],
  ],
  'draft.dropped': [[{}, undefined, 'review put aside']],
  'goal.completed': [[{}, { summary: 'Done.' }, 'goal reached - Done.']],
  'session.created': [
    [{ agent: 'demo' }, {}, 'demo started'],
    [{ agent: 'demo', unasked: true, unfenced: true }, {}, 'demo started, asked about nothing, without a fence'],
    [{ agent: 'demo', freeEdits: true }, {}, 'demo started, with free edits in a place of its own'],
  ],
  'session.state_changed': [
    [{ from: 'active', to: 'failed', reason: 'agent_exited' }, {}, 'active → failed (agent exited)'],
  ],
  'session.taken_over': [[{ runner: 'r1' }, {}, 'taken over by the machine r1']],
  'control.requested': [
    [{ action: 'pause', when: 'next_step' }, {}, 'pause at the next step wanted'],
    [{ action: 'interrupt', hard: true }, { reason: 'Stop' }, 'interrupt, hard wanted - Stop'],
    [{ action: 'set_mode', mode: 'plan' }, undefined, 'set mode plan wanted'],
  ],
  'control.escalated': [
    [
      { action: 'interrupt', processes: 0, agent: true },
      undefined,
      'interrupt: the agent itself was interrupted (SIGINT)',
    ],
  ],
  'control.done': [[{ action: 'kill' }, undefined, 'kill done']],
  'control.failed': [[{ action: 'kill' }, { reason: 'gone' }, 'kill failed - gone']],
  'budget.changed': [[{ budget: { toolCalls: 5 } }, undefined, 'budget: 5 tool calls']],
  'budget.exhausted': [[{ budget: 'toolCalls', used: 5, limit: 5 }, undefined, 'budget used up: 5 of 5 tool calls']],
  'undo.approved': [[{}, {}, 'undo approved']],
  'undo.dropped': [[{}, undefined, 'undo put aside']],
  'checkpoint.restored': [[{ restored: 2, kept: 1 }, {}, 'undone: 2 put back, 1 kept']],
  'terminal.taken': [[{}, undefined, 'keyboard taken']],
  'content.erased': [
    [{ upTo: 9, reason: 'requested' }, undefined, 'content erased up to event 9 (requested)'],
    [
      { upTo: 9, reason: 'retention', kind: 'output', days: 30 },
      undefined,
      'output erased up to event 9, kept for 30 days',
    ],
  ],
  'policy.rule_set': [
    [{ rule: 'r1', effect: 'deny' }, { note: 'Never.' }, 'rule r1 denies - Never.'],
    [{ rule: 'r2', effect: 'ask', replaces: 'r1' }, undefined, 'rule r2 asks, in place of the rule r1'],
  ],
  'policy.rule_moved': [
    [{ rule: 'r1', before: 'r2' }, undefined, 'rule r1 moved before the rule r2'],
    [{ rule: 'r1', before: null }, undefined, 'rule r1 moved after all others'],
  ],
  'policy.rule_revoked': [[{ rule: 'r1' }, undefined, 'rule r1 revoked']],
  'policy.timeout_set': [
    [{ approvalTimeoutMs: 300_000 }, undefined, 'people have 5m 0s to answer'],
    [{ approvalTimeoutMs: null }, undefined, 'people have the usual time to answer'],
    [{ approvalTimeoutMs: 300_000, risk: 'high' }, undefined, 'people have 5m 0s to answer what is of high risk'],
  ],
  'policy.mode_set': [
    [{ mode: 'hands_free', until: 'T' }, undefined, 'mode: Hands-free until T'],
    [{ mode: 'ask' }, undefined, 'mode: Ask for everything'],
  ],
  'policy.mode_ended': [[{ mode: 'hands_free' }, undefined, 'no longer hands-free: everything is asked']],
  'folder.trusted': [[{ runner: 'r1' }, {}, 'folder trusted on the machine r1']],
  'webhook.added': [
    [{ webhook: 'w1', events: ['approval.*'] }, { url: 'https://x.example' }, 'webhook w1 added for approval.*'],
  ],
  'webhook.changed': [
    [{ webhook: 'w1' }, {}, 'webhook w1 changed'],
    [{ webhook: 'w1', enabled: true }, {}, 'webhook w1 changed and turned on'],
    [{ webhook: 'w1', enabled: false }, {}, 'webhook w1 changed and turned off'],
  ],
  'webhook.removed': [[{ webhook: 'w1' }, undefined, 'webhook w1 removed']],
  'webhook.rotated': [[{ webhook: 'w1', generation: 2 }, undefined, 'webhook w1 has a new secret']],
  'webhook.disabled': [[{ webhook: 'w1' }, undefined, 'webhook w1 turned off: its receiver is gone']],
  'folder.distrusted': [[{ runner: 'r1' }, undefined, 'folder no longer trusted on the machine r1']],
  'project.created': [[{}, {}, 'project made']],
  'project.sessions_limited': [
    [{}, {}, 'sessions not limited'],
    [{ sessions: 3 }, {}, 'sessions limited to 3'],
  ],
  'project.renamed': [[{}, {}, 'project renamed']],
  'member.added': [[{ account, role: 'viewer' }, undefined, 'Ada came in as viewer']],
  'member.changed': [[{ account, role: 'admin' }, undefined, 'Ada is now admin']],
  'member.removed': [[{ account: 'gone' }, undefined, 'gone was removed']],
  'account.created': [
    [{ account, admin: true }, {}, 'account Ada made, an admin'],
    [{ account, admin: false }, {}, 'account Ada made'],
  ],
  'account.disabled': [[{ account }, undefined, 'account Ada disabled']],
  'account.enabled': [[{ account }, undefined, 'account Ada enabled']],
  'account.password_changed': [
    [{ account, reset: 'x' }, undefined, 'new password of Ada, by a link'],
    [{ account }, undefined, 'new password of Ada'],
  ],
  'account.signed_out': [
    [{ account, keys: 'revoke' }, undefined, 'Ada signed out everywhere, with all keys'],
    [{ account, keys: 'keep' }, undefined, 'Ada signed out everywhere'],
  ],
  'account.signed_in': [[{ account }, undefined, 'Ada signed in']],
  'account.second_factor_added': [[{ account }, undefined, 'second factor of Ada turned on']],
  'account.second_factor_removed': [[{ account }, undefined, 'second factor of Ada turned off']],
  'account.recovery_code_used': [[{ account, left: 9 }, undefined, 'Ada used a recovery code: 9 left']],
  'account.locked': [[{ account, until: 'T' }, undefined, 'Ada locked until T: too many wrong passwords']],
  'key.created': [
    [{ kind: 'svc', account }, {}, 'the key of a service made for Ada'],
    [{ kind: 'new' }, {}, 'new made'],
  ],
  'key.revoked': [[{}, undefined, 'key revoked']],
  'head_key.replaced': [
    [{ key: 'new', before: 'old' }, undefined, 'heads are signed with new from now on, and no more with old'],
  ],
  'runner.enrolled': [[{}, {}, 'machine came in']],
}

it('[AU1] every event of the audit says in words what happened', () => {
  for (const type of Object.keys(auditedTypes) as AuditedType[]) {
    for (const [data, body, words] of samples[type]) {
      const event = { type, data, body } as unknown as AuditedEvent
      expect([type, auditWords(event, (id) => (id === account ? 'Ada' : id))]).toEqual([type, words])
    }
  }
})

/** What is no line of the audit, by the reason. One that is added belongs here or in a group. */
const leftOut: Readonly<Record<string, readonly EventType[]>> = {
  'what was said and done is read in the session itself': [
    'message.posted',
    'message.delta',
    'message.completed',
    'message.edited',
    'message.reordered',
    'message.hurried',
    'message.withdrawn',
    'message.delivered',
    'message.seen',
    'message.delivery_unknown',
    'message.broken_off',
    'message.reacted',
    'thought.delta',
    'thought.completed',
    'thought.broken_off',
    'turn.started',
    'turn.ended',
    'step.started',
    'step.progressed',
    'step.finished',
    'plan.updated',
    'usage.reported',
    'output.appended',
    'screen.saved',
    'terminal.resized',
    'notice.posted',
    'workspace.prepared',
    'workspace.released',
    'session.renamed',
    'session.indexed',
  ],
  'it says that something could be decided, and nobody has': [
    'approval.opened',
    'draft.requested',
    'draft.ready',
    'draft.refused',
    'undo.requested',
    'undo.planned',
    'undo.refused',
  ],
  'a warning stops nothing': ['loop.noticed', 'budget.warned'],
  'a line of the audit says it already: who had the keyboard, what was wanted, who took over': [
    'input.sent',
    'terminal.released',
    'session.profile_changed',
    'session.lease_taken',
  ],
  'a machine tells of itself': [
    'session.contact_lost',
    'session.contact_restored',
    'report.recovered',
    'checkpoint.created',
    'checkpoint.skipped',
  ],
  'what a person settles for themselves is read by nobody else': [
    'account.begun',
    'ask.snoozed',
    'ask.unsnoozed',
    'read.marked',
  ],
  'cards of the board do nothing to an agent': [
    'task.created',
    'task.changed',
    'task.moved',
    'task.removed',
    'task.session_seen',
    'task.indexed',
  ],
}

it('[AU10] every event is in a group of the audit, or left out for a reason', () => {
  const known = [...Object.keys(auditedTypes), ...Object.values(leftOut).flat()]
  expect(known.toSorted()).toEqual(Object.keys(eventSpecs).toSorted())
})
