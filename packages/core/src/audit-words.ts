import type { EventOf } from '@hotline/protocol/events'
import type { AuditedType } from '@hotline/protocol/audit'
import { serverStream } from '@hotline/protocol/stream'
import { budgetWords, usedWords } from './budget-words.ts'
import { elapsedText } from './elapsed.ts'
import { modeAnswered, modeNames } from './policy/mode-words.ts'
import { escalatedWords } from './one-line.ts'

/** An event that the audit lists. */
export type AuditedEvent = EventOf<AuditedType>

const reach = { once: '', session: ' for the session', project: ' for the project' }
const outcomes = { allowed: 'allowed', allowed_modified: 'allowed with changes', denied: 'denied' }
const answers = { accept: 'answered', decline: 'declined to answer', cancel: 'dismissed' }
const rules = { allow: 'allows', ask: 'asks', deny: 'denies' }
const kinds: Readonly<Record<string, string>> = {
  ses: 'a browser',
  pat: 'a personal token',
  svc: 'the key of a service',
  run: 'the key of a machine',
  dev: 'a program',
  inv: 'an invitation',
  rst: 'a link for a new password',
}

/** Names of accounts, by their ids; one that is not known is shown by its id. */
export type NameOf = (account: string) => string

/** What happened, in a few words that stand beside who did it and what it is about. What people wrote is added as it is. */
export function auditWords(event: AuditedEvent, nameOf: NameOf): string {
  switch (event.type) {
    case 'approval.requested':
      return event.data.risk === undefined ? 'asked' : `asked (${event.data.risk} risk)`
    case 'approval.refused':
      return `refused at once: ${event.data.limit} requests waited already`
    case 'approval.resolved': {
      const { outcome, scope, rule, ruleOf, mode } = event.data
      const ofServer = ruleOf === 'server' ? ' of the server' : ''
      const by = mode ? `, ${modeAnswered(mode.mode)}` : rule === undefined ? '' : `, by the rule ${rule}${ofServer}`
      return withReason(`${outcomes[outcome]}${reach[scope]}${by}`, event.body?.reason)
    }
    case 'approval.extended':
      return `more time, until ${event.data.expiresAt}`
    case 'approval.timed_out':
      return 'nobody answered in time: denied'
    case 'approval.cancelled':
    case 'question.withdrawn':
      return `withdrawn: ${plain(event.data.reason)}`
    case 'approval.recalled':
      return 'allowance taken back'
    case 'approval.dispatched':
      return 'the answer reached the agent'
    case 'approval.dispatch_refused':
      return `the answer was not used: ${plain(event.data.reason)}`
    case 'approval.dispatch_unknown':
      return 'whether the answer reached the agent is not known'
    case 'question.asked':
      return 'asked'
    case 'question.answered':
      return answers[event.data.action]
    case 'draft.reviewed':
      return withReason(`reviewed: keep ${event.data.keep}, discard ${event.data.discard}`, event.body?.reason)
    case 'draft.resolved': {
      const { kept, discarded, open } = event.data
      const merged = event.body?.merged ? `, merged into ${event.body.merged.into}` : ''
      return `${kept} kept, ${discarded} discarded, ${open} open${merged}`
    }
    case 'draft.dropped':
      return 'review put aside'
    case 'goal.completed':
      return withReason('goal reached', event.body?.summary)
    case 'session.created': {
      const { agent, unasked, unfenced, freeEdits } = event.data
      const choices = [
        ...(unasked === true ? ['asked about nothing'] : []),
        ...(unfenced === true ? ['without a fence'] : []),
        ...(freeEdits === true ? ['with free edits in a place of its own'] : []),
      ]
      return [`${agent} started`, ...choices].join(', ')
    }
    case 'session.state_changed':
      return withReason(`${event.data.from} → ${event.data.to} (${plain(event.data.reason)})`, event.body?.note)
    case 'session.taken_over':
      return `taken over by the machine ${event.data.runner}`
    case 'control.requested': {
      const { action, when, hard, mode } = event.data
      const how = when === 'next_step' ? ' at the next step' : hard === true ? ', hard' : ''
      return withReason(`${plain(action)}${mode === undefined ? '' : ` ${mode}`}${how} wanted`, event.body?.reason)
    }
    case 'control.escalated':
      return `${plain(event.data.action)}: ${escalatedWords(event.data)}`
    case 'control.done':
      return `${plain(event.data.action)} done`
    case 'control.failed':
      return withReason(`${plain(event.data.action)} failed`, event.body?.reason)
    case 'budget.changed':
      return `budget: ${budgetWords(event.data.budget)}`
    case 'budget.exhausted':
      return `budget used up: ${usedWords(event.data)}`
    case 'undo.approved':
      return 'undo approved'
    case 'undo.dropped':
      return 'undo put aside'
    case 'checkpoint.restored':
      return `undone: ${event.data.restored} put back, ${event.data.kept} kept`
    case 'terminal.taken':
      return 'keyboard taken'
    case 'content.erased':
      if (event.data.kind === 'output') {
        const { upTo, days } = event.data
        return `output erased up to event ${upTo}${days === undefined ? '' : `, kept for ${days} days`}`
      }
      return `content erased up to event ${event.data.upTo} (${event.data.reason})`
    case 'policy.rule_set':
      return withReason(`${ruleSet(event.data)}${ofWhole(event)}`, event.body?.note)
    case 'policy.rule_moved': {
      const { rule, before } = event.data
      return `rule ${rule} moved ${before === null ? 'after all others' : `before the rule ${before}`}${ofWhole(event)}`
    }
    case 'policy.rule_revoked':
      return `rule ${event.data.rule} revoked${ofWhole(event)}`
    case 'policy.timeout_set': {
      const { approvalTimeoutMs, risk } = event.data
      const time = approvalTimeoutMs === null ? 'the usual time' : elapsedText(approvalTimeoutMs)
      return `people have ${time} to answer${risk === undefined ? '' : ` what is of ${risk} risk`}${ofWhole(event)}`
    }
    case 'policy.mode_set':
      return `mode: ${modeNames[event.data.mode]}${event.data.until === undefined ? '' : ` until ${event.data.until}`}`
    case 'policy.mode_ended':
      return `no longer ${modeAnswered(event.data.mode)}: everything is asked`
    case 'folder.trusted':
      return `folder trusted on the machine ${event.data.runner}`
    case 'folder.distrusted':
      return `folder no longer trusted on the machine ${event.data.runner}`
    case 'webhook.added':
      return `webhook ${event.data.webhook} added for ${event.data.events.join(', ')}`
    case 'webhook.changed':
      return `webhook ${event.data.webhook} changed${stateWords(event.data.enabled)}`
    case 'webhook.removed':
      return `webhook ${event.data.webhook} removed`
    case 'webhook.rotated':
      return `webhook ${event.data.webhook} has a new secret`
    case 'webhook.disabled':
      return `webhook ${event.data.webhook} turned off: its receiver is gone`
    case 'project.created':
      return 'project made'
    case 'project.sessions_limited':
      return event.data.sessions === undefined ? 'sessions not limited' : `sessions limited to ${event.data.sessions}`
    case 'project.renamed':
      return 'project renamed'
    case 'member.added':
      return `${nameOf(event.data.account)} came in as ${event.data.role}`
    case 'member.changed':
      return `${nameOf(event.data.account)} is now ${event.data.role}`
    case 'member.removed':
      return `${nameOf(event.data.account)} was removed`
    case 'account.created':
      return `account ${nameOf(event.data.account)} made${event.data.admin ? ', an admin' : ''}`
    case 'account.disabled':
      return `account ${nameOf(event.data.account)} disabled`
    case 'account.enabled':
      return `account ${nameOf(event.data.account)} enabled`
    case 'account.password_changed':
      return `new password of ${nameOf(event.data.account)}${event.data.reset === undefined ? '' : ', by a link'}`
    case 'account.signed_out':
      return `${nameOf(event.data.account)} signed out everywhere${event.data.keys === 'revoke' ? ', with all keys' : ''}`
    case 'account.signed_in':
      return `${nameOf(event.data.account)} signed in`
    case 'account.locked':
      return `${nameOf(event.data.account)} locked until ${event.data.until}: too many wrong passwords`
    case 'account.second_factor_added':
      return `second factor of ${nameOf(event.data.account)} turned on`
    case 'account.second_factor_removed':
      return `second factor of ${nameOf(event.data.account)} turned off`
    case 'account.recovery_code_used':
      return `${nameOf(event.data.account)} used a recovery code: ${event.data.left} left`
    case 'key.created': {
      const { kind, account } = event.data
      return `${kinds[kind] ?? kind} made${account === undefined ? '' : ` for ${nameOf(account)}`}`
    }
    case 'key.revoked':
      return 'key revoked'
    case 'head_key.replaced':
      return `heads are signed with ${event.data.key} from now on, and no more with ${event.data.before}`
    case 'runner.enrolled':
      return 'machine came in'
  }
}

function ruleSet({ rule, effect, replaces }: EventOf<'policy.rule_set'>['data']): string {
  return `rule ${rule} ${rules[effect]}${replaces === undefined ? '' : `, in place of the rule ${replaces}`}`
}

/** Where it is said for the whole server. */
function ofWhole({ stream }: AuditedEvent): string {
  return stream === serverStream ? ', in all projects' : ''
}

function plain(word: string): string {
  return word.replaceAll('_', ' ')
}

function withReason(words: string, reason: string | undefined): string {
  return reason === undefined || reason.trim() === '' ? words : `${words} - ${reason.trim()}`
}

function stateWords(enabled: boolean | undefined): string {
  if (enabled === undefined) return ''
  return enabled ? ' and turned on' : ' and turned off'
}
