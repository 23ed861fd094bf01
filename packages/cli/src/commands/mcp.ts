import { deskVariable } from '@hotline/runner/process/environment'
import type { Command } from 'commander'
import { fail } from '../failure.ts'
import { findDesk, type Wish } from '../mcp/find-desk.ts'
import type { CommandContext } from './context.ts'

/** `hotline mcp`: tools by which an agent asks, tells and is allowed, on standard input and output. */
export function addMcpCommand(
  program: Command,
  context: CommandContext,
  { version, deskFile }: { version: string; deskFile: string | undefined },
): void {
  program
    .command('mcp')
    .description('an MCP server for agents: ask_human, request_approval, submit_draft, notify, complete_goal')
    .option('--new', 'for an agent that Hotline did not start: a session of its own, from the first call on')
    .option('--session <id>', 'for a session of this machine (default: the one that it is started in)')
    .option('--title <title>', 'with --new: name in the lists')
    .option('--project <project>', 'with --new: id of a project (default: the first one)')
    .action(async (wish: Wish) => {
      const isWished = wish.new === true || wish.session !== undefined
      const file = deskFile === '' ? undefined : deskFile
      if (!isWished && file === undefined) {
        throw fail(
          'invalid_request',
          `There is no session here: agents that Hotline starts find theirs by the variable ${deskVariable}. Does your agent hand it on to its MCP servers? For another agent there is --new.`,
        )
      }
      // Read only where it is wanted: it is more than all the rest of the command line.
      const { serveTools } = await import('../mcp/serve.ts')
      const find = (): Promise<string> =>
        isWished || file === undefined ? findDesk(context, wish) : Promise.resolve(file)
      await serveTools({ findDesk: find, version, stdin: context.stdin, stopped: context.interrupted() })
    })
}
