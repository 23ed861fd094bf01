import type { Role } from '@hotline/protocol/actor'
import type { Command, CommandType } from '@hotline/protocol/command'
import { isTypedTo } from '@hotline/protocol/capabilities'
import { splitStream } from '@hotline/protocol/stream'
import { isOfSession } from '@hotline/protocol/commands/session'
import { riskOfWords } from './policy/risk.ts'
import type { SessionState } from './session/state.ts'

/** What a role on a project, or the scope of a key, may allow. */
export type Permission = 'read' | 'write' | 'decide' | 'decide_high' | 'admin' | 'own'

const byRole: Record<Role, readonly Permission[]> = {
  viewer: ['read'],
  operator: ['read', 'write'],
  approver: ['read', 'write', 'decide'],
  admin: ['read', 'write', 'decide', 'decide_high', 'admin'],
  owner: ['read', 'write', 'decide', 'decide_high', 'admin', 'own'],
}

/** Whether a role on a project has the permission. */
export function roleAllows(role: Role, permission: Permission): boolean {
  return byRole[role].includes(permission)
}

/** Who may send a command: people and services by a permission on the project, or only a runner, or only the server itself. */
export type Sender = Permission | 'runner' | 'system'

/** Whether it is something that people and services may have. */
export function isPermission(sender: Sender): sender is Permission {
  return sender !== 'runner' && sender !== 'system'
}

const bySender: Record<CommandType, Sender> = {
  'session.start': 'write',
  'session.pause': 'write',
  'session.resume': 'write',
  'session.interrupt': 'write',
  'session.abort': 'write',
  'session.complete': 'write',
  'session.rename': 'write',
  // Nothing brings it back.
  'session.erase': 'admin',
  'session.erase_output': 'system',
  // What an agent may cost is a decision.
  'session.set_budget': 'decide',
  'session.set_mode': 'decide',
  // What ran on the other machine may still be at work there.
  'session.take_over': 'decide',
  'message.send': 'write',
  'message.edit': 'write',
  'message.withdraw': 'write',
  'message.hurry': 'write',
  'message.reorder': 'write',
  'message.react': 'write',
  'approval.decide': 'decide',
  'approval.extend': 'decide',
  'approval.recall': 'decide',
  'question.answer': 'write',
  // What is typed into a program is not asked about any more.
  'input.send': 'decide',
  'terminal.resize': 'write',
  'draft.make': 'write',
  'draft.review': 'write',
  'undo.plan': 'write',
  'undo.apply': 'write',
  'undo.drop': 'write',
  'terminal.take': 'decide',
  'terminal.release': 'decide',
  'project.create': 'write',
  'project.rename': 'admin',
  'project.limit_sessions': 'admin',
  'member.add': 'admin',
  'member.change': 'admin',
  'member.remove': 'admin',
  // Only what somebody was shown, and allowed.
  'folder.trust': 'system',
  'folder.distrust': 'decide',
  // What happens in the project is told elsewhere.
  'webhook.add': 'admin',
  'webhook.change': 'admin',
  'webhook.remove': 'admin',
  'webhook.rotate': 'admin',
  'webhook.disable': 'system',
  // A rule decides for people, who are not asked any more.
  'policy.set_rule': 'decide',
  'policy.move_rule': 'decide',
  'policy.revoke_rule': 'decide',
  // It says for all sessions of the project when nobody's answer is a no.
  'policy.set_timeout': 'admin',
  'policy.set_mode': 'decide',
  'policy.end_mode': 'system',
  'task.create': 'write',
  'task.change': 'write',
  'task.move': 'write',
  'task.remove': 'admin',
  'task.observe': 'system',
  'lease.take': 'runner',
  'agent.report': 'runner',
  'agent.recover': 'runner',
  'approval.expire': 'system',
  'approval.judge': 'system',
  'contact.lose': 'system',
  'contact.restore': 'system',
  // To one's own stream; what is put aside can be read.
  'account.begin': 'read',
  'ask.snooze': 'read',
  'ask.unsnooze': 'read',
  'read.mark': 'read',
}

/**
 * All that it takes to send this command to a session in this state. To start what nobody will be asked about is a decision,
 * and so is to write to it. A rule that allows more than one plain thing takes who may say that for the whole project. What is
 * of high risk is looked at with the request itself (`Context.allowHigh`).
 */
export function sendersOf(command: Command, session: SessionState | undefined): readonly Sender[] {
  const sender = bySender[command.type]
  // The scope of a credential; that its account is an admin of the server is not a matter of roles.
  if (isOfServer(command) || isWideRule(command) || isHighRule(command)) {
    const wide: readonly Sender[] = isOfServer(command) || isWideRule(command) ? ['admin'] : []
    return [sender, ...wide, ...(isHighRule(command) ? (['decide_high'] as const) : [])]
  }
  return isUnasked(command, session) ? [sender, 'decide'] : [sender]
}

/**
 * Whether it lets somebody in or out, lets agents do more than one plain thing, erases what nothing brings back, or counts for all
 * projects: whoever sends it has just said their password.
 */
export function needsPassword(command: Command): boolean {
  if (isOfServer(command)) return true
  return withPassword.has(command.type) || isWideRule(command)
}

/** The last three send what is said in a project somewhere else, or tell by which secret it is believed there. */
const withPassword: ReadonlySet<CommandType> = new Set([
  'member.add',
  'member.change',
  'member.remove',
  'session.erase',
  'webhook.add',
  'webhook.change',
  'webhook.rotate',
])

/** It counts for all projects. */
function isOfServer({ stream }: Command): boolean {
  return splitStream(stream).kind === 'server'
}

/**
 * What "always allow" writes is narrow: one exact thing of one agent with one tool, for the usual time, after all other
 * rules. So are rules that ask or deny. All else is wide, and so is to take away what asks or denies, and to replace or move any
 * rule.
 */
function isWideRule(command: Command): boolean {
  // What takes the place of another may stand before others, and takes that one away.
  if (command.type === 'policy.move_rule') return true
  if (command.type === 'policy.set_rule' && command.data.replaces !== undefined) return true
  if (command.type === 'policy.revoke_rule') return command.data.effect !== 'allow'
  if (command.type !== 'policy.set_rule' || command.data.effect !== 'allow') return false
  const { match, until, before } = command.data
  const { agent, tool, command: template = [], path } = match
  const isPlain = template.every((word) => typeof word === 'string') && path?.endsWith('/') !== true
  return agent === undefined || tool === undefined || until !== undefined || before !== undefined || !isPlain
}

/** It allows from now on what only some may allow once: what is of high risk, or of what nobody here knows how much harm it does. */
function isHighRule(command: Command): boolean {
  if (command.type !== 'policy.set_rule' || command.data.effect !== 'allow') return false
  const { command: template, input, path, host, risk } = command.data.match
  const isOfAnything = [template, path, host].every((limit) => limit === undefined)
  if (isOfAnything && (risk === undefined || risk === 'high')) return true
  const words = (template ?? []).filter((word) => typeof word === 'string')
  return input !== undefined || riskOfWords(words) === 'high'
}

function isUnasked(command: Command, session: SessionState | undefined): boolean {
  if (command.type === 'session.start') {
    const { mode, command: line, unasked, unfenced, freeEdits } = command.data
    return [mode, line, unasked, unfenced, freeEdits].some((choice) => choice !== undefined)
  }
  // What others run, or what agents may do, is kept by whoever may decide; so is what goes onto a branch of others.
  if (command.type === 'draft.review') {
    const { guarded = [], commit } = command.data
    return guarded.length > 0 || commit?.into !== undefined
  }
  // A message to a program is typed into it.
  const isProgram = session !== undefined && (session.unasked === true || isOfSession(session.agent))
  return command.type === 'message.send' && (isProgram || isTypedTo(session?.capabilities))
}
