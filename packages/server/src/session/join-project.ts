import { parseCommand } from '@hotline/protocol/command'
import type { JoinProject } from '../access/invitations.ts'
import type { Exchange } from './exchange.ts'

/** Adds members by the same command and rules as everybody; who is one already is fine. */
export function joinOver(exchange: Exchange): JoinProject {
  return async (by, { id, project, account, role }) => {
    const parsed = parseCommand({ id, stream: `project:${project}`, type: 'member.add', data: { account, role } })
    if ('issues' in parsed) throw new Error('an invitation does not make a valid command')
    const outcome = await exchange.command(by, parsed.command)
    return outcome.ok || outcome.problem.code === 'already_exists' ? undefined : outcome.problem
  }
}
