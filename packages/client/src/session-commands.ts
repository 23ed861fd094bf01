import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Scope, Verdict } from '@hotline/protocol/events/approval'
import type { PauseMoment } from '@hotline/protocol/events/control'
import type { CommandOutcome } from './link.ts'

/** What a person can do to a session, beside writing. Each answers what became of it; refusals are values. */
export interface SessionCommands {
  /** Any command to this session's stream. */
  command<T extends CommandType>(type: T, data: CommandInput<T>): Promise<CommandOutcome>
  /** Changes one's own message while it waits. */
  edit(message: string, text: string): Promise<CommandOutcome>
  withdraw(message: string): Promise<CommandOutcome>
  /** A waiting message goes into the turn that runs, where the agent can take it (`capabilities.steer`). */
  hurry(message: string): Promise<CommandOutcome>
  /** All waiting messages in the wanted order. */
  reorder(order: readonly string[]): Promise<CommandOutcome>
  /** `digest` is that of the request as it was shown. `input` is the changed input of `modify`. */
  decide(
    approval: string,
    digest: string,
    verdict: Verdict,
    more?: { scope?: Scope; input?: string; reason?: string },
  ): Promise<CommandOutcome>
  answer(question: string, action: 'accept' | 'decline' | 'cancel', content?: unknown): Promise<CommandOutcome>
  /** Stops every process at once, or holds the agent at its next step. */
  pause(reason?: string, when?: PauseMoment): Promise<CommandOutcome>
  resume(): Promise<CommandOutcome>
  /** Stops the present turn. */
  interrupt(reason?: string): Promise<CommandOutcome>
  /** Ends the agent. */
  abort(reason?: string): Promise<CommandOutcome>
  complete(summary?: string): Promise<CommandOutcome>
  rename(title: string): Promise<CommandOutcome>
  setMode(mode: string): Promise<CommandOutcome>
  /** Keys, for a terminal. */
  input(text: string, encoding?: 'utf8' | 'base64'): Promise<CommandOutcome>
  resize(cols: number, rows: number): Promise<CommandOutcome>
}

/** The commands of one session over whatever sends them. */
export function sessionCommands(command: SessionCommands['command']): SessionCommands {
  return {
    command,
    edit: (message, text) => command('message.edit', { message, text }),
    withdraw: (message) => command('message.withdraw', { message }),
    hurry: (message) => command('message.hurry', { message }),
    reorder: (order) => command('message.reorder', { order: [...order] }),
    decide: (approval, digest, verdict, more = {}) =>
      command('approval.decide', { approval, digest, verdict, ...more }),
    answer: (question, action, content) =>
      command('question.answer', { question, action, ...(content === undefined ? {} : { content }) }),
    pause: (reason, when) =>
      command('session.pause', { ...withReason(reason), ...(when === undefined ? {} : { when }) }),
    resume: () => command('session.resume', {}),
    interrupt: (reason) => command('session.interrupt', withReason(reason)),
    abort: (reason) => command('session.abort', withReason(reason)),
    complete: (summary) => command('session.complete', summary === undefined ? {} : { summary }),
    rename: (title) => command('session.rename', { title }),
    setMode: (mode) => command('session.set_mode', { mode }),
    input: (text, encoding = 'utf8') => command('input.send', { text, encoding }),
    resize: (cols, rows) => command('terminal.resize', { cols, rows }),
  }
}

function withReason(reason: string | undefined): { reason?: string } {
  return reason === undefined ? {} : { reason }
}
