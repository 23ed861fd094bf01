import type { Me } from '@hotline/protocol/http'
import type { TrustedFolders } from '@hotline/protocol/place'
import type { Command } from 'commander'
import { dayAndTimeOf, inLine } from '../approval-card.ts'
import { fail } from '../failure.ts'
import { namedBy } from '../find-id.ts'
import type { CommandContext } from './context.ts'

type TrustedRow = TrustedFolders['trusted'][number] & { project: string }

/** Characters of a digest that are enough to name it. */
const shownChars = 12

/** `trust`: settings of folders with which agents start without a question. */
export function addTrustCommand(program: Command, context: CommandContext): void {
  const trust = program
    .command('trust')
    .description('folders whose settings for agents were allowed for a project: they start agents without a question')
  trust.action(async () => {
    const rows = await list(context)
    const none = 'None. You are asked before an agent starts with settings that its folder brings.\n'
    context.print(rows, rows.length > 0 ? rows.map((row) => lineOf(row, new Date())).join('') : none)
  })
  trust
    .command('revoke')
    .description('the next start there asks again; sessions that run go on')
    .argument('<settings>', 'their digest, or the beginning of it')
    .action(async (text: string) => {
      const [row, another] = namedBy(text, await list(context), ({ digest }) => digest)
      if (!row) throw fail('not_found', `No settings that begin with "${text}" are trusted. See: hotline trust`)
      if (another) throw fail('invalid_request', `Several begin with "${text}". Give more of the digest.`)
      const { project, runner, digest, folder } = row
      const accepted = await context.server().command(`project:${project}`, 'folder.distrust', { runner, digest })
      context.print(accepted, `The next start in ${inLine(folder)} asks again.\n`)
    })
}

async function list(context: CommandContext): Promise<readonly TrustedRow[]> {
  const server = context.server()
  const { projects } = await server.get<Me>('/api/me')
  const all = await Promise.all(
    projects.map(async ({ project }) => {
      const { trusted } = await server.get<TrustedFolders>(`/api/projects/${encodeURIComponent(project)}/trusted`)
      return trusted.map((one) => ({ ...one, project }))
    }),
  )
  return all.flat()
}

function lineOf({ digest, folder, at, project }: TrustedRow, now: Date): string {
  const since = dayAndTimeOf(at, now)
  return `${digest.slice(0, shownChars)}  ${inLine(folder)}  since ${since}, in ${inLine(project)}\n`
}
