import type { SessionEvidence } from '@hotline/protocol/evidence'
import type { SessionRow } from '@hotline/protocol/http'
import { holdsAgent } from '@hotline/protocol/session-status'
import type { Command } from 'commander'
import { budgetForms } from '@hotline/core/budget-words'
import { budgetLines, evidenceLines, usageHead, usageLine } from '../evidence-lines.ts'
import { budgetChange } from '../read-budget.ts'
import { shownIdChars } from '../session-row.ts'
import type { CommandContext } from './context.ts'

/** Machines are asked about so many agents at once. */
const atOnce = 8

/** Holding agents, and looking at how they stand. */
export function addControlCommands(program: Command, context: CommandContext): void {
  program
    .command('pause')
    .description('stop an agent with everything that it started, until it is resumed')
    .argument('<session>', 'id, or the beginning of it')
    .option('--after-step', 'let it work on to what it asks next, or to the end of its turn, and hold it there')
    .option('--reason <text>')
    .action(async (text: string, { afterStep, reason }: { afterStep?: boolean; reason?: string }) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      const accepted = await server.command(`session:${session}`, 'session.pause', {
        ...(reason === undefined ? {} : { reason }),
        ...(afterStep ? { when: 'next_step' } : {}),
      })
      context.print(accepted, afterStep ? 'will be held at its next step\n' : 'pausing\n')
    })

  program
    .command('interrupt')
    .description('stop the turn that runs; the agent can be told to go on')
    .argument('<session>', 'id, or the beginning of it')
    .option('--hard', 'end what it has started in this turn as well, also where it is stopping already')
    .option('--reason <text>')
    .action(async (text: string, { hard, reason }: { hard?: boolean; reason?: string }) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      const accepted = await server.command(`session:${session}`, 'session.interrupt', {
        ...(hard ? { hard: true as const } : {}),
        ...(reason === undefined ? {} : { reason }),
      })
      context.print(accepted, 'stopping its turn\n')
    })

  program
    .command('status')
    .description('how an agent stands, and how that is known: processes, CPU time, memory, last output')
    .argument('<session>', 'id, or the beginning of it')
    .action(async (text: string) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      const seen = await server.get<SessionEvidence>(`/api/sessions/${session}/evidence`)
      context.print(seen, evidenceLines(seen, new Date()))
    })

  program
    .command('budget')
    .description(
      'how much of its budget a session has used; with limits: sets them, and it goes on where that is enough',
    )
    .argument('<session>', 'id, or the beginning of it')
    .argument('[limits...]', `${budgetForms}; "none" takes one away`)
    .action(async (text: string, limits: string[]) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      if (limits.length > 0) {
        const budget = budgetChange(limits.join(','))
        const accepted = await server.command(`session:${session}`, 'session.set_budget', { budget })
        return context.print(accepted, 'set\n')
      }
      const { budgets } = await server.get<SessionEvidence>(`/api/sessions/${session}/evidence`)
      context.print(budgets, budgets.length > 0 ? budgetLines(budgets) : 'It may use as much as it wants.\n')
    })

  program
    .command('ps')
    .description('the processes of all agents that are at work, and what they use')
    .action(async () => {
      const server = context.server()
      const rows = (await server.sessions()).filter(({ status }) => holdsAgent(status as 'active'))
      const seen: { row: SessionRow; seen: SessionEvidence }[] = []
      for (let at = 0; at < rows.length; at += atOnce) {
        const some = rows.slice(at, at + atOnce).map(async (row) => ({
          row,
          seen: await server.get<SessionEvidence>(`/api/sessions/${row.session}/evidence`),
        }))
        seen.push(...(await Promise.all(some)))
      }
      const lines = seen.map(({ row, seen: one }) =>
        usageLine(one, { id: row.session.slice(0, shownIdChars), agent: row.agent, title: row.title }),
      )
      context.print(
        seen.map(({ seen: one }) => one),
        lines.length > 0 ? usageHead(shownIdChars) + lines.join('') : 'No agent is at work.\n',
      )
    })
}
