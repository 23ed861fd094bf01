import type { Role } from '@hotline/protocol/actor'
import type { CommandType } from '@hotline/protocol/command'

/** What a role on a project, or the scope of a key, may allow. */
export type Permission = 'read' | 'write' | 'decide' | 'admin' | 'own'

const byRole: Record<Role, readonly Permission[]> = {
  viewer: ['read'],
  operator: ['read', 'write'],
  approver: ['read', 'write', 'decide'],
  admin: ['read', 'write', 'decide', 'admin'],
  owner: ['read', 'write', 'decide', 'admin', 'own'],
}

/** Whether a role on a project has the permission. */
export function roleAllows(role: Role, permission: Permission): boolean {
  return byRole[role].includes(permission)
}

/** Who may send a command: people and services by a permission on the project, or only a runner, or only the server itself. */
export type Sender = Permission | 'runner' | 'system'

const bySender: Record<CommandType, Sender> = {
  'session.start': 'write',
  'session.pause': 'write',
  'session.resume': 'write',
  'session.interrupt': 'write',
  'session.abort': 'write',
  'session.complete': 'write',
  'session.rename': 'write',
  'session.set_mode': 'decide',
  'message.send': 'write',
  'message.edit': 'write',
  'message.withdraw': 'write',
  'message.reorder': 'write',
  'approval.decide': 'decide',
  'question.answer': 'write',
  'input.send': 'write',
  'terminal.resize': 'write',
  'project.create': 'write',
  'project.rename': 'admin',
  'member.add': 'admin',
  'member.change': 'admin',
  'member.remove': 'admin',
  'task.create': 'write',
  'task.change': 'write',
  'task.move': 'write',
  'task.remove': 'admin',
  'lease.take': 'runner',
  'agent.report': 'runner',
  'approval.expire': 'system',
  'contact.lose': 'system',
  'contact.restore': 'system',
}

/** Who may send a command of this type. */
export function senderOf(type: CommandType): Sender {
  return bySender[type]
}
