import { queueSentence, queueWords } from '@hotline/client/queue-words'
import type { QueueAnswer, QueuePlace } from '@hotline/protocol/queue'
import type { Command } from 'commander'
import type { z } from 'zod'
import { dayAndTimeOf, inLine } from '../approval-card.ts'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

/** Characters of an id that are enough to name it. */
const shownChars = 8

/** `queue`: sessions that wait for a machine, and how many a project may have at work. */
export function addQueueCommand(program: Command, context: CommandContext): void {
  const queue = program
    .command('queue')
    .description('sessions that wait for a machine, in the order in which they begin, and for what each waits')
  queue.action(async () => {
    const { queue: places } = await context.server().get<z.infer<typeof QueueAnswer>>('/api/queue')
    const none = 'Nothing waits.\n'
    context.print(places, places.length > 0 ? places.map((place) => lineOf(place, new Date())).join('') : none)
  })
  queue
    .command('limit')
    .description('how many sessions of a project may be at work at once; those at work stay so')
    .argument('<sessions>', 'a whole number, or "none" for as many as there are machines for')
    .option('--project <id>', 'another project than "default"', 'default')
    .action(async (text: string, { project }: { project: string }) => {
      const sessions = readLimit(text)
      const accepted = await context.server().command(`project:${project}`, 'project.limit_sessions', { sessions })
      const words = sessions === null ? 'as many sessions as there are machines for' : `at most ${sessions}`
      context.print(accepted, `At work at once in ${inLine(project)}: ${words}.\n`)
    })
}

function readLimit(text: string): number | null {
  if (text === 'none') return null
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text)
  throw fail('invalid_request', `The limit is a whole number from 1 to 9999, or "none"; not "${text}".`)
}

function lineOf(place: QueuePlace, now: Date): string {
  const { session, agent, priority, since } = place
  const words = queueSentence(place) ?? queueWords(place) ?? 'no machine that is connected could begin it'
  const rank = priority === 'normal' ? '' : ` (${priority})`
  return `${session.slice(0, shownChars)}  ${inLine(agent)}${rank}  since ${dayAndTimeOf(since, now)}  ${words}\n`
}
