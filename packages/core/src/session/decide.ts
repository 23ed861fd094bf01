import type { Command, CommandOf } from '@hotline/protocol/command'
import { logAgent } from '@hotline/protocol/commands/session'
import type { KnownDraft } from '@hotline/protocol/events'
import { limits } from '@hotline/protocol/limits'
import { holdsAgent, isLive } from '@hotline/protocol/session-status'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { draftEvent } from '../draft-event.ts'
import { evolveSession } from './evolve.ts'
import { openWaiting } from './weigh-request.ts'
import { decideApproval, decideQuestion, expireApproval, extendApproval } from './decide-approval.ts'
import { decideControl, endByItself } from './decide-control.ts'
import { decideMessage } from './decide-message.ts'
import { decideReport } from './decide-report.ts'
import { decideTerminal } from './decide-terminal.ts'
import { takeLease } from './lease.ts'
import { decideDraft } from './decide-draft.ts'
import { decideUndo } from './decide-undo.ts'
import { recoverReports, takeOver } from './take-over.ts'
import { judgeOpen } from './judge-open.ts'
import { recallApproval } from './recall-approval.ts'
import { endMode, setMode } from './session-mode.ts'
import type { SessionState } from './state.ts'
import { checkText } from './check-text.ts'

/**
 * What a command means for a session in this state. Rights are checked before (core/roles); here are the rules of the
 * session itself. A refusal changes nothing.
 */
export function decideSession(state: SessionState | undefined, command: Command, context: Context): Decision {
  const decision = decideCommand(state, command, context)
  if (!state || !decision.ok || !decision.events.some(({ type }) => hasSequel.has(type))) return decision
  const after = decision.events.reduce(
    (before, draft) => evolveSession(before, draftEvent(command.stream, draft, context)) ?? before,
    state,
  )
  const sequel = [
    ...(after.waiting ? openWaiting(after, context) : []),
    ...endByItself(after, decision.events, command.id),
  ]
  return sequel.length === 0 ? decision : { ...decision, events: [...decision.events, ...sequel] }
}

/** After these an approval is not open any more, and the next one can be; or a turn is over, and the session with it. */
const hasSequel: ReadonlySet<KnownDraft['type']> = new Set([
  'approval.resolved',
  'approval.timed_out',
  'approval.cancelled',
  'turn.ended',
])

function decideCommand(state: SessionState | undefined, command: Command, context: Context): Decision {
  if (command.type === 'session.start') return startSession(state, command, context)
  if (!state) return refuse('not_found', 'There is no session with this id.')
  switch (command.type) {
    case 'session.pause':
    case 'session.resume':
    case 'session.interrupt':
    case 'session.abort':
    case 'session.complete':
    case 'session.set_mode':
    case 'session.set_budget':
      return decideControl(state, command)
    case 'session.take_over':
      return takeOver(state, command.data)
    case 'session.erase':
      return eraseSession(state, context)
    case 'session.erase_output':
      return eraseOutput(state, command.data, context)
    case 'session.rename':
      return accept({ type: 'session.renamed', data: {}, body: { title: command.data.title } })

    case 'message.send':
    case 'message.edit':
    case 'message.withdraw':
    case 'message.hurry':
    case 'message.reorder':
    case 'message.react':
      return decideMessage(state, command, context)

    case 'approval.decide':
      return decideApproval(state, command, context)
    case 'approval.extend':
      return extendApproval(state, command.data, context)
    case 'approval.recall':
      return recallApproval(state, command.data)
    case 'approval.expire':
      return expireApproval(state, command.data.approval, context)
    case 'approval.judge':
      return judgeOpen(state, context)
    case 'policy.set_mode':
      return setMode(state, command.data, context)
    case 'policy.end_mode':
      return endMode(state, command.data)
    case 'question.answer':
      return decideQuestion(state, command)

    case 'input.send':
    case 'terminal.resize':
    case 'terminal.take':
    case 'terminal.release':
      return decideTerminal(state, command)

    case 'draft.make':
    case 'draft.review':
      return decideDraft(state, command)
    case 'undo.plan':
    case 'undo.apply':
    case 'undo.drop':
      return decideUndo(state, command)

    case 'lease.take':
      return takeLease(state, context)
    case 'agent.report':
      return decideReport(state, command, context)
    case 'agent.recover':
      return recoverReports(state, command.data, context)
    case 'contact.lose':
      if (!state.lease || state.staleSince || !holdsAgent(state.status)) return accept()
      return accept({ type: 'session.contact_lost', data: { since: command.data.since } })
    case 'contact.restore':
      return state.staleSince ? accept({ type: 'session.contact_restored', data: {} }) : accept()

    case 'account.begin':
    case 'read.mark':
    case 'ask.snooze':
    case 'ask.unsnooze':
    case 'project.create':
    case 'project.rename':
    case 'project.limit_sessions':
    case 'member.add':
    case 'member.change':
    case 'member.remove':
    case 'folder.trust':
    case 'folder.distrust':
    case 'webhook.add':
    case 'webhook.change':
    case 'webhook.remove':
    case 'webhook.rotate':
    case 'webhook.disable':
    case 'policy.set_rule':
    case 'policy.move_rule':
    case 'policy.revoke_rule':
    case 'policy.set_timeout':
    case 'task.create':
    case 'task.change':
    case 'task.move':
    case 'task.remove':
    case 'task.observe':
      return refuse('invalid_request', `"${command.type}" is not a command for a session.`)
  }
}

function startSession(
  state: SessionState | undefined,
  command: CommandOf<'session.start'>,
  context: Context,
): Decision {
  if (state) return refuse('already_exists', 'A session with this id exists. Choose a new id, or resume that one.')
  const { data } = command
  if (data.task !== undefined && context.cards?.get(data.task) !== data.project) {
    return refuse('not_found', 'There is no task with this id in this project.')
  }
  if (data.prompt !== undefined) {
    const refusal = checkText(data.prompt, limits.personMessageChars)
    if (refusal) return refusal
  }
  // Of a file that is followed, how it is followed is no part of its name.
  const named = data.agent === logAgent ? data.command?.[0] : data.command?.join(' ')
  const title = data.title ?? titleFrom(data.prompt ?? named ?? data.agent)
  const created = accept({
    type: 'session.created',
    data: {
      project: data.project,
      ...(data.task === undefined ? {} : { task: data.task }),
      agent: data.agent,
      ...(data.runner === undefined ? {} : { runner: data.runner }),
      ...(data.labels === undefined ? {} : { labels: [...new Set(data.labels)] }),
      personMessageChars: limits.personMessageChars,
      agentMessageChars: limits.agentMessageChars,
      approvalTimeoutMs: data.approvalTimeoutMs ?? limits.approvalTimeoutMs,
      ...(data.unasked === undefined ? {} : { unasked: true }),
      ...(data.unfenced === undefined ? {} : { unfenced: true }),
      ...(data.freeEdits === undefined ? {} : { freeEdits: true }),
      ...(data.endsAfter === undefined ? {} : { endsAfter: data.endsAfter }),
      ...(data.budget === undefined ? {} : { budget: data.budget }),
      ...(data.isolation === undefined ? {} : { isolation: data.isolation }),
      ...(data.bring === undefined ? {} : { bring: data.bring }),
    },
    body: {
      title,
      ...(data.cwd === undefined ? {} : { cwd: data.cwd }),
      ...(data.command === undefined ? {} : { command: data.command }),
      ...(data.mode === undefined ? {} : { mode: data.mode }),
    },
  })
  if (data.prompt === undefined || !created.ok) return created
  return accept(...created.events, {
    type: 'message.posted',
    subject: `message:${command.id}`,
    data: {
      message: command.id,
      role: context.actor.kind === 'system' ? 'system' : 'person',
      chars: data.prompt.length,
      queued: true,
    },
    body: { text: data.prompt },
  })
}

/** The first line of the prompt, short enough for a list. */
function titleFrom(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const line =
    text
      .trim()
      .split('\n', 1)[0]
      ?.replaceAll(/[\u0000-\u001f\u007f]/g, ' ') ?? ''
  return line.length > 80 ? `${line.slice(0, 79).trimEnd()}…` : line
}

/** Nothing is left to say or to do in it: what is erased can be asked for by nobody. Erased already, it stays so. */
function eraseSession({ status, erased }: SessionState, { head = 0 }: Context): Decision {
  if (isLive(status)) {
    return refuse('invalid_transition', `This session is ${status}. End it first; then it can be erased.`, { status })
  }
  return erased === true ? accept() : accept({ type: 'content.erased', data: { upTo: head, reason: 'requested' } })
}

/** What people and agents said stays, and so does what it is called. */
function eraseOutput(
  { status }: SessionState,
  { days }: CommandOf<'session.erase_output'>['data'],
  { head = 0 }: Context,
): Decision {
  if (isLive(status)) return refuse('invalid_transition', `This session is ${status}.`, { status })
  return accept({ type: 'content.erased', data: { upTo: head, reason: 'retention', kind: 'output', days } })
}
