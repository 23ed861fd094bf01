import type { SessionState } from '@hotline/core/session/state'
import { isLive } from '@hotline/protocol/session-status'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import type { Server } from '../ask-server.ts'
import { fail } from '../failure.ts'
import { namedBy } from '../find-id.ts'
import type { CommandContext } from './context.ts'

/** Sessions that are asked for their states at once. */
const askedAtOnce = 8

/** `recall`: takes back what was allowed, while its agent does not have the answer. */
export function addRecallCommand(program: Command, context: CommandContext): void {
  program
    .command('recall')
    .description('takes back what was allowed, while its machine is away or the agent stands still')
    .argument('<approval>', 'id, or the beginning of it')
    .action(async (text: string) => {
      const server = context.server()
      const { session, approval } = await findAnswered(server, text)
      const accepted = await server.command(`session:${session}`, 'approval.recall', { approval })
      const words = 'Taken back. The agent is told no, unless its machine had handed the answer over by then:'
      context.print(accepted, `${words}\n  hotline logs ${inLine(session)}\n`)
    })
}

/** An approval that was answered, with the one whose answer is under way first. Throws a `Failure` where there is none, or several. */
async function findAnswered(server: Server, text: string): Promise<{ session: string; approval: string }> {
  const rows = (await server.sessions()).filter(({ status }) => isLive(status as SessionState['status']))
  const known: { session: string; approval: string }[] = []
  for (let at = 0; at < rows.length; at += askedAtOnce) {
    const some = await Promise.all(rows.slice(at, at + askedAtOnce).map(({ session }) => server.state(session)))
    for (const { state } of some) {
      const names = new Set([...state.approvals, ...state.resolved].map(({ approval }) => approval))
      for (const approval of names) known.push({ session: state.session, approval })
    }
  }
  const [only, another] = namedBy(text, known, ({ approval }) => approval)
  if (!only) throw fail('not_found', `No approval of a session that goes on begins with "${text}".`)
  if (another) throw fail('invalid_request', `Several approvals begin with "${text}". Give more of the id.`)
  return only
}
