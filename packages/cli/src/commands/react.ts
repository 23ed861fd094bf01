import { type Sign, signNames, signs } from '@hotline/protocol/sign'
import type { Command } from 'commander'
import { fail } from '../failure.ts'
import { findMessage, lastMessage } from '../find-message.ts'
import type { CommandContext } from './context.ts'

const choices = signs.map((sign) => `${sign} ${signNames[sign]}`).join(', ')

/** `react`: a sign under a message, or no longer. */
export function addReactCommand(program: Command, context: CommandContext): void {
  program
    .command('react')
    .description('put a sign under a message: under what the agent said last, where no other is named')
    .argument('<session>', 'id, or the beginning of it')
    .argument('<sign>', choices)
    .option('--message <id>', 'of the message, or its beginning', lastMessage)
    .option('--off', 'take it away again')
    .action(async (text: string, sign: string, options: { message: string; off?: true }) => {
      const chosen = signOf(sign)
      const server = context.server()
      const { session } = await server.findSession(text)
      const message = await findMessage(server, session, options.message)
      const data = { message, sign: chosen, on: options.off !== true }
      const accepted = await server.command(`session:${session}`, 'message.react', data)
      context.print(accepted, options.off ? `${chosen} is not there any more\n` : `${chosen} is there\n`)
    })
}

/** By itself, or by what it says. */
function signOf(text: string): Sign {
  const sign = signs.find((one) => one === text || signNames[one] === text)
  if (sign) return sign
  throw fail('invalid_request', `The signs are ${choices}; "${text}" is none.`)
}
