import type { AgentRow, SessionRow } from '@hotline/protocol/http'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import { chooseMachine } from '../choose-machine.ts'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

/** What a person says of it. */
interface TakeoverOptions {
  runner?: string
  cwd?: string
  reason?: string
}

/** Letting a session go on upon another machine, because its own has fallen silent. */
export function addTakeoverCommand(program: Command, context: CommandContext): void {
  program
    .command('takeover')
    .description('let a session go on upon another machine, because its own is out of contact')
    .argument('<session>', 'id, or the beginning of it')
    .option('--runner <machine>', 'name or id of the machine; otherwise the only other one that offers its agent')
    .option('--cwd <folder>', 'its folder there, as an absolute path; otherwise the same as before')
    .option('--reason <text>')
    .action(async (text: string, { runner, cwd, reason }: TakeoverOptions) => {
      const server = context.server()
      const row = await server.findSession(text)
      const { agents } = await server.get<{ agents: readonly AgentRow[] }>('/api/agents')
      const there = runner === undefined ? onlyOther(agents, row) : chooseMachine(agents, undefined, runner).runner
      const accepted = await server.command(`session:${row.session}`, 'session.take_over', {
        runner: there,
        ...(cwd === undefined ? {} : { cwd }),
        ...(reason === undefined ? {} : { reason }),
      })
      context.print(accepted, 'taken over\n')
    })
}

/** Throws a `Failure` that names the machines where it is not clear which one is meant. */
function onlyOther(agents: readonly AgentRow[], { agent, runner }: SessionRow): string {
  const offering = agents.filter((row) => row.agent === agent && row.available && row.runnerId !== runner)
  const [only, another] = offering
  if (!only) throw fail('not_found', `No other machine that is connected offers "${inLine(agent)}".`)
  if (another) {
    const names = offering.map((row) => inLine(row.runner)).join(', ')
    throw fail('invalid_request', `Several machines offer "${inLine(agent)}". Choose one with --runner: ${names}`)
  }
  return only.runnerId
}
