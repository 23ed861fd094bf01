import type { Command } from '@hotline/protocol/command'
import { splitStream } from '@hotline/protocol/stream'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { decidePolicy } from '../policy/decide-policy.ts'
import type { ProjectState } from './state.ts'
import { decideWebhooks } from './webhooks.ts'

/** What a command means for a project. A project always keeps an owner. */
export function decideProject(state: ProjectState | undefined, command: Command, context: Context): Decision {
  if (command.type === 'project.create') {
    if (state) return refuse('already_exists', 'A project with this id exists.')
    const project = splitStream(command.stream).id
    return accept(
      { type: 'project.created', data: { project }, body: { name: command.data.name } },
      { type: 'member.added', data: { account: context.actor.id, role: 'owner' } },
    )
  }
  if (!state) return refuse('not_found', 'There is no project with this id.')
  if (command.type === 'project.rename') {
    return accept({ type: 'project.renamed', data: {}, body: { name: command.data.name } })
  }
  if (command.type === 'project.limit_sessions') {
    const sessions = command.data.sessions ?? undefined
    if (sessions === state.sessionsMax) return accept()
    return accept({ type: 'project.sessions_limited', data: sessions === undefined ? {} : { sessions } })
  }
  if (command.type === 'member.add') {
    const { account, role } = command.data
    if (state.members[account])
      return refuse('already_exists', 'This account is a member already. Change its role instead.')
    if (role === 'owner' && !isOwner(state, context)) return ownersOnly()
    if (context.strangers?.has(account)) {
      return refuse(
        'not_found',
        'There is no account with this id. GET /api/people says who there is; new people are invited.',
      )
    }
    return accept({ type: 'member.added', data: { account, role } })
  }
  if (command.type === 'member.change' || command.type === 'member.remove') {
    const { account } = command.data
    const now = state.members[account]
    const role = command.type === 'member.change' ? command.data.role : undefined
    if (!now) return refuse('not_found', 'This account is not a member of the project.')
    if (now === role) return accept()
    if ((now === 'owner' || role === 'owner') && !isOwner(state, context)) return ownersOnly()
    if (now === 'owner' && Object.values(state.members).filter((other) => other === 'owner').length === 1) {
      return refuse('last_owner', 'Make somebody else an owner first.')
    }
    return accept(
      role ? { type: 'member.changed', data: { account, role } } : { type: 'member.removed', data: { account } },
    )
  }
  if (command.type === 'folder.trust') {
    const { folder, ...data } = command.data
    return isTrusted(state, data) ? accept() : accept({ type: 'folder.trusted', data, body: { folder } })
  }
  if (command.type === 'folder.distrust') {
    return isTrusted(state, command.data) ? accept({ type: 'folder.distrusted', data: command.data }) : accept()
  }
  const webhooks = decideWebhooks(state.webhooks ?? {}, command)
  if (webhooks) return webhooks
  const decision = decidePolicy(state, command, context)
  return decision ?? refuse('invalid_request', `"${command.type}" is not a command for a project.`)
}

/** Whether these settings start agents on this machine without a question. */
export function isTrusted(
  { trusted = [] }: ProjectState,
  { runner, digest }: { runner: string; digest: string },
): boolean {
  return trusted.some((one) => one.runner === runner && one.digest === digest)
}

function isOwner(state: ProjectState, context: Context): boolean {
  return state.members[context.actor.id] === 'owner'
}

function ownersOnly(): Decision {
  return refuse('forbidden', 'Only an owner can make, change or remove an owner.')
}
