import { deskVariable } from '@hotline/runner/process/environment'
import type { Command } from 'commander'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

/** `hotline mcp`: tools by which an agent asks, tells and is allowed, on standard input and output. */
export function addMcpCommand(
  program: Command,
  context: CommandContext,
  { version, deskFile }: { version: string; deskFile: string | undefined },
): void {
  program
    .command('mcp')
    .description('an MCP server for agents: ask_human, request_approval, notify, complete_goal')
    .action(async () => {
      if (deskFile === undefined || deskFile === '') {
        throw fail(
          'invalid_request',
          `There is no session here: agents that Hotline starts find theirs by the variable ${deskVariable}. Does your agent hand it on to its MCP servers?`,
        )
      }
      // Read only where it is wanted: it is more than all the rest of the command line.
      const { serveTools } = await import('../mcp/serve.ts')
      await serveTools({ deskFile, version, stdin: context.stdin, stopped: context.interrupted() })
    })
}
