import type { ConnectionPage, ConnectionRow } from '@hotline/protocol/http'
import { elapsedText } from '@hotline/core/elapsed'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import type { CommandContext } from './context.ts'

/** `connections`: who is connected, through what and since when. */
export function addConnectionsCommand(program: Command, context: CommandContext): void {
  program
    .command('connections')
    .description('open connections: yours, or for admins all of the server, the newest first')
    .action(async () => {
      const { connections, count } = await context.server().get<ConnectionPage>('/api/connections')
      const further = count - connections.length
      const rest = further > 0 ? `and ${further} more\n` : ''
      const lines = connections.map((row) => lineOf(row, Date.now())).join('')
      context.print(connections, count === 0 ? 'Nobody is connected.\n' : `${lines}${rest}`)
    })
}

function lineOf({ kind, name, address, channel, since, silentMs, streams }: ConnectionRow, nowMs: number): string {
  const facts = [
    `${inLine(name)} (${kind})`,
    address ?? 'no address',
    inLine(channel),
    `since ${elapsedText(nowMs - Date.parse(since))}`,
    `heard ${elapsedText(silentMs)} ago`,
    `${streams} ${streams === 1 ? 'stream' : 'streams'}`,
  ]
  return `${facts.join('  ')}\n`
}
