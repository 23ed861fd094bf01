import type { Envelope } from '@hotline/protocol/event'
import type { Said, Verdict } from '../adapters/adapter.ts'
import type { RecordedCall } from '../adapters/recorded.ts'
import type { Approvals } from './approvals.ts'
import type { Chores } from './chores.ts'
import { askedIn, lostAsks } from './lost-asks.ts'
import type { Left, Prompts } from './prompts.ts'
import type { Questions } from './questions.ts'
import type { RunPorts } from './run-ports.ts'
import type { RunningTurn } from './running-turn.ts'

/** The parts of a run that an earlier life of the runner has left its traces in. */
export interface Traces {
  ports: RunPorts
  turn: RunningTurn
  prompts: Prompts
  approvals: Approvals
  questions: Questions
  chores: Chores
}

/** Brings a run to where an earlier life of the runner has left it: what that one did to the agent, and what it still owes. */
export class EarlierLife {
  readonly #of: Traces
  /** What it has said into a turn, and whether the agent heard it. */
  readonly #steered = new Map<string, Promise<boolean>>()

  constructor(of: Traces) {
    this.#of = of
  }

  /** Does again what it has done at this point. */
  again(recorded: RecordedCall): void {
    const { ports, turn: running, prompts, approvals, questions, chores } = this.#of
    const { call, args } = recorded
    if (call === 'prompt') {
      const [turn, , message] = args as [string, string, string | null]
      running.begin(turn, message ?? undefined)
      prompts.wasGiven(message ?? undefined)
    } else if (call === 'answer') {
      const [ask, verdict] = args as [string, Verdict]
      const title = approvals.wasAnswered(ask)
      const isUnheard = verdict.verdict === 'deny' && !ports.agent.capabilities.denyReason
      if (isUnheard && verdict.reason && title !== undefined) {
        prompts.tellLater(title, verdict.reason, verdict.because === undefined ? 'person' : 'hotline')
      }
    } else if (call === 'steer') {
      const [{ message }] = args as [Said]
      prompts.wasGiven(message)
      this.#steered.set(message, ports.callAgain(recorded) as Promise<boolean>)
      return
    } else if (call === 'interrupt') prompts.tellNothing()
    else if (call === 'answerQuestion') questions.close(String(args[0]))
    chores.do(call, ports.callAgain(recorded))
  }

  /** What people did while nobody was here to pass it on. `typed`: keys that the agent has. */
  takeUp(typed: ReadonlySet<string>, follow: (event: Envelope) => void): void {
    const { ports, approvals, questions, chores } = this.#of
    const { sessionLog, screen, agent, reporter } = ports
    const { answers, inputs } = sessionLog.undelivered
    for (const answer of answers) follow(answer)
    const { size } = sessionLog.wanted
    if (size) {
      screen?.resize(size)
      agent.resize(size)
    }
    const last = inputs.findLastIndex(({ data }) => typed.has(data.input))
    for (const input of inputs.slice(last + 1)) follow(input)
    chores.do('approval', approvals.denyUnknown(askedIn(sessionLog.state)))
    const knows = (name: string): boolean => approvals.knows(name) || questions.knows(name)
    for (const report of lostAsks(sessionLog.state, knows)) reporter.put(report)
  }

  /** What it has said into a turn, or was about to: where the agent does not have it, it waits for its rest. */
  async steerAgain({ message, text, intent, pictures }: Left): Promise<void> {
    const { ports, prompts } = this.#of
    const isHeard = await this.#steered.get(message)?.catch(() => true)
    if (isHeard) ports.spool.conclude(intent)
    else prompts.leave({ message, text, intent, pictures })
  }
}
