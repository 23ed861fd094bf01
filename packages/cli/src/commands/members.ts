import { Role, roles } from '@hotline/protocol/actor'
import type { AccountRow, MemberPage, PeoplePage } from '@hotline/protocol/http'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import type { Server } from '../ask-server.ts'
import { confirmingPassword } from '../confirm-password.ts'
import { Failure, fail } from '../failure.ts'
import { projectOr } from '../read-tasks.ts'
import type { CommandContext } from './context.ts'

interface MemberOptions {
  project?: string
  withPassword?: true
}

/** `members`: who is in a project, and what each may do there. */
export function addMemberCommands(program: Command, context: CommandContext): void {
  const members = program.command('members').description('who is in a project, and what each may do there')
  members.option('--project <project>', 'id of the project (default: the first one)')
  members.action(async ({ project }: MemberOptions) => {
    const server = context.server()
    const rows = await read(server, await projectOr(server, project))
    context.print(rows, rows.map(({ role, name }) => `${role.padEnd(9)} ${inLine(name)}\n`).join(''))
  })
  const act = (name: string, what: string): Command =>
    members
      .command(name)
      .description(what)
      .argument('<who>', 'name or id of an account')
      .option('--with-password', 'read your password from standard input, and have it checked')

  for (const [name, what, done] of [
    ['add', 'lets somebody who has an account into the project', 'is in the project now'],
    ['change', 'gives a member another role', 'has the role now'],
  ] as const) {
    act(name, what)
      .argument('<role>', roles.join(', '))
      .action(async (who: string, said: string, { withPassword }: MemberOptions) => {
        const role = Role.safeParse(said)
        if (!role.success) throw fail('invalid_request', `"${said}" is none of: ${roles.join(', ')}.`)
        const { server, stream, account } = await find(context, members.opts(), who, name)
        const accepted = await confirmingPassword(context, withPassword ? 'standard input' : 'terminal', () =>
          server.command(stream, `member.${name}`, { account, role: role.data }),
        )
        context.print(accepted, `${inLine(who)} ${done}: ${role.data}\n`)
      })
  }
  act('remove', 'shuts a member out of the project, with what is connected, at once').action(
    async (who: string, { withPassword }: MemberOptions) => {
      const { server, stream, account } = await find(context, members.opts(), who, 'remove')
      const accepted = await confirmingPassword(context, withPassword ? 'standard input' : 'terminal', () =>
        server.command(stream, 'member.remove', { account }),
      )
      context.print(accepted, `${inLine(who)} is out of the project.\n`)
    },
  )
}

async function read(server: Server, project: string): Promise<MemberPage['members']> {
  return (await server.get<MemberPage>(`/api/projects/${encodeURIComponent(project)}/members`)).members
}

/** Whom a name means: a member, or for one that is to be added somebody whom the asker knows. */
async function find(
  context: CommandContext,
  { project }: MemberOptions,
  who: string,
  to: 'add' | 'change' | 'remove',
): Promise<{ server: Server; stream: string; account: string }> {
  const server = context.server()
  const id = await projectOr(server, project)
  const known = to === 'add' ? await acquaintances(server) : await read(server, id)
  const found = known.find(({ account, name }) => account === who || name.toLowerCase() === who.toLowerCase())
  if (found) return { server, stream: `project:${id}`, account: found.account }
  throw fail(
    'not_found',
    to === 'add'
      ? `You know nobody called "${who}". An admin of the server sees all accounts, and invites new people in the page.`
      : `Nobody called "${who}" is in this project. See: hotline members`,
  )
}

/** Everybody for an admin of the server; for others those with whom they share a project. */
async function acquaintances(server: Server): Promise<readonly { account: string; name: string }[]> {
  try {
    return (await server.get<{ accounts: AccountRow[] }>('/api/accounts')).accounts
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'forbidden') throw error
    // Programs are no members: they may what the account of theirs may.
    const { people } = await server.get<PeoplePage>('/api/people')
    return people.filter(({ kind }) => kind === 'person').map(({ id, name }) => ({ account: id, name }))
  }
}
