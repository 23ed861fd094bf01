import { z } from 'zod'
import { BudgetChange, NewBudget } from '../budget.ts'
import { PauseMoment } from '../events/control.ts'
import { FolderPath } from '../folder-path.ts'
import { MachineLabel } from '../machine-label.ts'
import { Bring, Isolation } from '../place.ts'
import { Id } from '../ids.ts'

/** Line breaks and tabs are text; other control characters are not a name. */
const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'must be one line')

/** One line for a list: of a session, a task or a project. */
export const Title = line(200)
/** One argument of a command line: never empty at the front of it, no NUL. */
const Argument = z
  .string()
  .max(32_768)
  .regex(/^[^\u0000]*$/, 'must not contain NUL')

/** A program and its arguments; no shell reads them. */
export const CommandLine = z
  .array(Argument)
  .min(1)
  .max(256)
  .refine((argv) => argv[0] !== '' && !argv[0]?.startsWith('-'), 'must start with a program')

/** The agent that is any command line: what a session of it runs comes with its start. */
export const commandAgent = 'command'
/** The same without a terminal: lines go in, and what the program prints comes out as it is. */
export const pipeAgent = 'pipe'
/** A file that is followed. Its "command line" is the path and, where it is not to be read from its start, `from-end`. */
export const logAgent = 'log'

/** An agent from elsewhere, which speaks for itself by the tools of `hotline mcp`. */
export const mcpAgent = 'mcp'

/** True for the agents whose sessions say at their start what they run or follow. */
export function isOfSession(agent: string): boolean {
  return agent === commandAgent || agent === pipeAgent || agent === logAgent
}

/** What people want of a session as a whole. */
export const sessionCommands = {
  /** Creates the stream it is sent to and puts the session into the queue. */
  'session.start': z.strictObject({
    project: Id,
    task: Id.optional(),
    agent: Id,
    runner: Id.optional(),
    /** Only a machine that has all of these begins it. */
    labels: z.array(MachineLabel).min(1).max(10).optional(),
    title: Title.optional(),
    cwd: FolderPath.optional(),
    command: CommandLine.optional(),
    mode: Id.optional(),
    /** Where it works; absent: as its profile and the folder have it. */
    isolation: Isolation.optional(),
    /** What comes along into a worktree. */
    bring: z.array(Bring).max(2).optional(),
    /** For an agent that is a program and asks nobody (`asks: false` in the list of agents): it takes the right to decide. */
    unasked: z.literal(true).optional(),
    /** Without the fence that its agent would be behind: it takes the right to decide. */
    unfenced: z.literal(true).optional(),
    /**
     * Changes to files are free from the start, where its agent works in a worktree or copy of its own and behind a fence: it takes the
     * right to decide. Anywhere else everything is asked as ever.
     */
    freeEdits: z.literal(true).optional(),
    /** It completes by itself when its agent has come to the end of its turn and nothing waits for it. */
    endsAfter: z.literal('turn').optional(),
    prompt: z.string().optional(),
    approvalTimeoutMs: z
      .int()
      .min(1_000)
      .max(30 * 24 * 60 * 60 * 1_000)
      .optional(),
    /** How much it may use up before it is held and a person is asked. */
    budget: NewBudget.optional(),
  }),
  /** `when`: `now` unless it says something else. */
  'session.pause': z.strictObject({ reason: z.string().max(500).optional(), when: PauseMoment.optional() }),
  /** Continues a paused session, or takes up an interrupted one again. */
  'session.resume': z.strictObject({}),
  /** `hard`: what the agent has started in this turn is ended as well, also where it is being stopped already. */
  'session.interrupt': z.strictObject({ reason: z.string().max(500).optional(), hard: z.literal(true).optional() }),
  'session.abort': z.strictObject({ reason: z.string().max(500).optional() }),
  'session.complete': z.strictObject({ summary: z.string().max(2_000).optional() }),
  /**
   * The session goes on upon another machine: its own is silent, or there is no agent. `cwd`: the folder there, where it is
   * another one.
   */
  'session.take_over': z.strictObject({
    runner: Id,
    cwd: FolderPath.optional(),
    reason: z.string().max(500).optional(),
  }),
  'session.rename': z.strictObject({ title: Title }),
  /** Of a session that is over: all that was said and done in it is erased; that it was, by whom and when, stays. */
  'session.erase': z.strictObject({}),
  /** The same of what programs and tools said alone, which is kept for so many days. */
  'session.erase_output': z.strictObject({ days: z.int().min(1) }),
  /** More of something, or less; where one was used up and is not any more, the agent goes on. */
  'session.set_budget': z.strictObject({ budget: BudgetChange }),
  'session.set_mode': z.strictObject({ mode: z.string().min(1).max(100) }),
}
