import { snoozeChoices } from '@hotline/client/snooze-choices'
import { readAmount } from '@hotline/core/budget-words'
import type { Me } from '@hotline/protocol/http'
import { accountStream } from '@hotline/protocol/stream'
import type { Command } from 'commander'
import { dayAndTimeOf } from '../approval-card.ts'
import type { Server } from '../ask-server.ts'
import { fail } from '../failure.ts'
import { type OpenAsk, openAsks } from '../open-asks.ts'
import type { CommandContext } from './context.ts'

interface SnoozeOptions {
  for?: string
  until?: string
  back?: true
}

/** `snooze`: puts what is asked aside for oneself alone; it is answered by nothing of this. */
export function addSnoozeCommand(program: Command, context: CommandContext): void {
  program
    .command('snooze')
    .description('puts what an agent asks aside for yourself, for an hour where nothing else is said')
    .argument('<id>', 'of an approval or a question, or of a session that asks only one thing; or its beginning')
    .option('--for <time>', 'such as 15m or 8h')
    .option('--until <time>', '"tomorrow" for its morning, or a time such as 2026-11-23T08:00 on this clock')
    .option('--back', 'brings it back now')
    .action(async (text: string, options: SnoozeOptions) => {
      const nowMs = Date.now()
      const until = untilOf(options, nowMs)
      const server = context.server()
      const { session, id: ask } = await findAsk(server, text)
      const me = await server.get<Me>('/api/me')
      const stream = accountStream(me.id)
      if (until === 'back') {
        const accepted = await server.command(stream, 'ask.unsnooze', { session, ask })
        return context.print(accepted, 'It is back.\n')
      }
      const accepted = await server.command(stream, 'ask.snooze', { session, ask, until })
      const end = accepted.until ?? until
      const earlier = end < until ? ': its own time ends soon after' : ''
      context.print(accepted, `It comes back ${dayAndTimeOf(end, new Date(nowMs))}${earlier}.\n`)
    })
}

/** RFC 3339 of when it comes back. Throws a `Failure` where that is not said, or twice. */
function untilOf({ for: length, until, back }: SnoozeOptions, nowMs: number): string {
  if ([length, until, back].filter((one) => one !== undefined).length > 1) {
    throw fail('invalid_request', 'Only one of --for, --until and --back.')
  }
  if (back) return 'back'
  const atMs = until === undefined ? nowMs + lengthOf(length ?? '1h') : timeOf(until, nowMs)
  return new Date(atMs).toISOString()
}

function lengthOf(text: string): number {
  const ms = readAmount('timeMs', text)
  if (ms === undefined) throw fail('invalid_request', `--for takes a time such as 15m or 8h, not "${text}".`)
  return ms
}

function timeOf(text: string, nowMs: number): number {
  if (text === 'tomorrow') return snoozeChoices(nowMs).at(-1)?.atMs ?? nowMs
  const ms = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  throw fail('invalid_request', `--until takes "tomorrow" or a time such as 2026-11-23T08:00, not "${text}".`)
}

async function findAsk(server: Server, text: string): Promise<OpenAsk> {
  const open = openAsks(await server.sessions(), text)
  const [only, ...further] = open ? [...open.approvals, ...open.questions] : []
  if (!only) throw fail('not_found', `Nothing is asked under "${text}" now. See: hotline asks`)
  if (further.length === 0) return only
  const all = [only, ...further].map(({ id }) => id)
  throw fail('invalid_request', `Several things are asked; name one of: ${all.join(', ')}`)
}
