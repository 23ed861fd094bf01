import { commandAgent, isOfSession, logAgent, pipeAgent } from '@hotline/protocol/commands/session'
import { basename, resolve } from 'node:path'
import { uuidV7 } from '@hotline/client/uuid'
import { Title } from '@hotline/protocol/commands/session'
import { FolderPath } from '@hotline/protocol/folder-path'
import type { AgentRow, SessionRow } from '@hotline/protocol/http'
import { isLive } from '@hotline/protocol/session-status'
import { parseCursor } from '@hotline/protocol/stream'
import { SessionStatus } from '@hotline/protocol/status-schema'
import { type Command, Option } from 'commander'
import { budgetForms } from '@hotline/core/budget-words'
import { newBudget } from '../read-budget.ts'
import { chooseMachine, type Place } from '../choose-machine.ts'
import { choosePlace, type PlaceOptions, readPlace } from '../choose-place.ts'
import { Failure, fail } from '../failure.ts'
import { markRead, markWritten, readUnread } from '../read-marks.ts'
import { findMessage } from '../find-message.ts'
import { printWhole } from '../print-whole.ts'
import { findTask, projectOr } from '../read-tasks.ts'
import { readSnoozes } from '../read-snoozes.ts'
import { rowLines, shownIdChars } from '../session-row.ts'
import type { CommandContext } from './context.ts'
import { uploadFiles } from './files.ts'
import { readScreen, type ScreenOptions, stayOnScreen } from './screen.ts'
import { type Watching, watchSession } from './watch.ts'

interface RunOptions extends PlaceOptions, ScreenOptions {
  title?: string
  cwd?: string
  on?: string
  label?: string[]
  project?: string
  task?: string
  detach?: boolean
  pipe?: boolean
  log?: string
  fromStart?: boolean
  until: string
  budget?: string
  fence: boolean
  freeEdits?: boolean
}

const collect = (one: string, all: string[] = []): string[] => [...all, one]

/** Starting, watching, listing and ending sessions. `words` is the command line as it was typed, to see `--` in it. */
export function addSessionCommands(program: Command, context: CommandContext, words: readonly string[]): void {
  program
    .command('run')
    .description(
      'start an agent: run <agent> [prompt], any command: run -- <command> [arguments], or follow a file: run --log',
    )
    .argument('[agent...]')
    .option('--pipe', 'run the command without a terminal: each message is a line of its input')
    .option('--log <file>', 'follow a file, from its end on; it need not be there yet')
    .option('--from-start', 'with --log: from the start of the file')
    .option('--title <title>', 'name in the lists')
    .option(
      '--cwd <folder>',
      'where it works (default: here; some agents have a folder of their own; on another machine an absolute path)',
    )
    .option(
      '--isolation <how>',
      'worktree (of its own, beside the repository), copy, or in-place (default: agents in a repository in a worktree, everything else in place)',
    )
    .option('--include <what>', 'what comes along into a worktree: uncommitted, ignored, or all')
    .option('--on <machine>', 'name or id of the machine that shall do it (default: this one)')
    .option(
      '--label <label>',
      'what the machine has to be, or have (gpu); may be given again; without --on any that has all of them',
      collect,
    )
    .option('--project <project>', 'id of a project (default: the first one)')
    .option('--task <task>', 'the card it works on: id, or the beginning of it')
    .option('--budget <limits>', `it is held and you are asked when this much is used: ${budgetForms}`)
    .option('--no-fence', 'where the agent would be behind a fence: without it, by somebody who may decide')
    .option(
      '--free-edits',
      'in a worktree or copy of its own and behind a fence, do not ask about edits; by somebody who may decide',
    )
    .option('--detach', 'do not stay and watch')
    .option('--keys', 'stay with the screen of its terminal; every key goes to it')
    .option('--until <end|idle>', 'stay until the session has ended, or until the agent waits for a message', 'end')
    .action(async (args: string[], options: RunOptions) => {
      const server = context.server()
      const until = readUntil(options.until)
      const screen = readScreen(context, options)
      const hasDashes = words.indexOf('--') !== -1 && words.length - words.indexOf('--') - 1 === args.length
      const budget = options.budget === undefined ? undefined : newBudget(options.budget)
      const { agent, command, rest } = readRun(args, options, hasDashes)
      const chosen = readPlace(options)
      const project = await projectOr(server, options.project)
      const task = options.task === undefined ? undefined : await findTask(server, options.task, project)
      const session = uuidV7()
      const { agents } = await server.get<{ agents: AgentRow[] }>('/api/agents')
      const anywhere = options.label !== undefined && options.on === undefined
      const place = anywhere
        ? { runner: undefined, isHere: false }
        : chooseMachine(agents, context.settings().runner, options.on)
      const row = agents.find((one) => one.agent === agent && one.runnerId === place.runner)
      const needsNone = row?.ownFolder ?? agent === 'demo'
      const cwd = folderThere(place, options.cwd ?? (needsNone || !place.isHere ? undefined : '.'))
      const isPlain = isOfSession(agent) && chosen.isolation === undefined
      const at =
        cwd === undefined || isPlain || agent === logAgent || place.runner === undefined
          ? chosen
          : await choosePlace(context, server, { runner: place.runner, project, agent, folder: cwd, chosen })
      const { seq } = await server.command(`session:${session}`, 'session.start', {
        project,
        ...(task ? { task: task.task } : {}),
        agent,
        ...(place.runner === undefined ? {} : { runner: place.runner }),
        ...(options.label === undefined ? {} : { labels: options.label }),
        ...at,
        ...(command === undefined ? {} : { command: agent === logAgent ? fileThere(place, command) : [...command] }),
        // A program asks nobody, and whoever types its name knows what it is.
        ...(row?.asks === false && command === undefined ? { unasked: true } : {}),
        ...(options.fence ? {} : { unfenced: true }),
        ...(options.freeEdits ? { freeEdits: true } : {}),
        ...(cwd === undefined ? {} : { cwd }),
        ...(rest.length > 0 ? { prompt: rest.join(' ') } : {}),
        ...(budget === undefined ? {} : { budget }),
        ...titleOf(options),
      })
      await markWritten(server, session, seq)
      if (options.detach) return context.print({ session }, `${session}\n`)
      if (screen) return await stayOnScreen(context, session, screen)
      await stay(context, session, until)
    })

  program
    .command('attach')
    .description(
      'watch a session and write to it: lines are messages; /now <text>, /allow, /deny [reason], /answer, /stop, /quit',
    )
    .argument('<session>', 'id, or the beginning of it')
    .option(
      '--keys',
      'the screen of its terminal: takes the keyboard, and every key goes to the program; Ctrl-] q leaves',
    )
    .option('--screen', 'the same without the keyboard')
    .action(async (text: string, options: ScreenOptions) => {
      const screen = readScreen(context, options)
      const { session } = await context.server().findSession(text)
      if (screen) await stayOnScreen(context, session, screen)
      else await stay(context, session, 'end')
    })

  program
    .command('export')
    .description('print a whole session: as Markdown to read, or as JSON with every event')
    .argument('<session>', 'id, or the beginning of it')
    .addOption(new Option('--format <format>', 'what to print').choices(['markdown', 'json']).default('markdown'))
    .action(async (text: string, { format }: { format: string }) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      await printWhole(await server.download(`/api/sessions/${session}/export?format=${format}`))
    })

  program
    .command('logs')
    .description('print a session')
    .argument('<session>', 'id, or the beginning of it')
    .option('-f, --follow', 'go on until it ends')
    .option('-s, --short', 'each event that is news in one line')
    .action(async (text: string, options: { follow?: boolean; short?: boolean }) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      const { json } = context
      const until = options.follow ? 'end' : 'now'
      await watchSession(server, session, {
        json,
        until,
        reader: 'program',
        form: options.short ? 'short' : undefined,
        ...says(context),
        signal: context.interrupted(),
      })
    })

  program
    .command('ls')
    .description('the sessions, and what they ask')
    .option('-a, --all', 'ended ones too')
    .action(async (options: { all?: boolean }) => {
      const now = new Date()
      const server = context.server()
      const [all, snoozed] = await Promise.all([server.sessions(), readSnoozes(server)])
      const rows = all.filter((row) => options.all || isRunning(row))
      const unread = await readUnread(
        server,
        rows.map(({ session }) => session),
      )
      context.print(
        rows,
        rows.length > 0
          ? rows.map((row) => rowLines(row, now, snoozed, unread.get(row.session))).join('')
          : 'No sessions. Start one: hotline run demo\n',
      )
    })

  program
    .command('read')
    .description('say that you have read a session as far as it goes now')
    .argument('<session>', 'id, or the beginning of it')
    .action(async (text: string) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      const { cursor } = await server.state(session)
      const at = parseCursor(cursor)
      const seq = typeof at === 'object' ? at.seq : 0
      await markRead(server, session, seq)
      context.print({ session, seq }, 'read\n')
    })

  program
    .command('send')
    .description('write to a session')
    .argument('<session>', 'id, or the beginning of it')
    .argument('[text...]', 'may be left out with --attach')
    .option('--attach <files...>', 'files that come with it; after "--" the text')
    .option('--now', 'into the turn that runs, instead of after it, where the agent can take that')
    .option(
      '--reply-to <message>',
      'id of a message of the session, its beginning, or "last": what the agent said last',
    )
    .action(async (text: string, message: string[], options: SendOptions) => {
      if (message.length === 0 && !options.attach)
        throw fail('invalid_request', 'Say what to send: a text, or --attach with files.')
      const server = context.server()
      const { session, status } = await server.findSession(text)
      const replyTo = options.replyTo === undefined ? undefined : await findMessage(server, session, options.replyTo)
      const attachments = await uploadFiles(server, session, options.attach ?? [])
      const data = {
        text: message.join(' '),
        ...(attachments.length === 0 ? {} : { attachments: [...attachments] }),
        ...(options.now ? { now: true as const } : {}),
        ...(replyTo === undefined ? {} : { replyTo }),
      }
      const accepted = await server.command(`session:${session}`, 'message.send', data)
      context.print(accepted, 'sent\n')
      await markWritten(server, session, accepted.seq)
      if (status === 'interrupted' || status === 'paused') context.note(whyUnread(session, status))
    })

  program
    .command('resume')
    .description('take up a session again that was interrupted or paused')
    .argument('<session>', 'id, or the beginning of it')
    .action(async (text: string) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      context.print(await server.command(`session:${session}`, 'session.resume', {}), 'resuming\n')
    })

  program
    .command('abort')
    .description('end a session and its agent')
    .argument('<session>', 'id, or the beginning of it')
    .option('--reason <text>')
    .action(async (text: string, options: { reason?: string }) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      const reason = options.reason === undefined ? {} : { reason: options.reason }
      context.print(await server.command(`session:${session}`, 'session.abort', reason), 'ending\n')
    })
}

interface SendOptions {
  now?: true
  replyTo?: string
  attach?: readonly string[]
}

/** What shall be run: an agent by its name, or what the command line says itself. */
function readRun(
  args: readonly string[],
  { pipe, log, fromStart }: RunOptions,
  hasDashes: boolean,
): { agent: string; command?: readonly string[]; rest: readonly string[] } {
  if (log !== undefined) {
    if (args.length > 0 || pipe)
      throw fail('invalid_request', 'With --log there is nothing to run: name only the file.')
    return { agent: logAgent, command: [log, ...(fromStart ? [] : ['from-end'])], rest: [] }
  }
  if (fromStart) throw fail('invalid_request', '--from-start goes with --log.')
  const [agent, ...rest] = args
  if (agent === undefined) throw fail('invalid_request', 'Name an agent, or a command after --: run -- <command>.')
  if (hasDashes) return { agent: pipe ? pipeAgent : commandAgent, command: args, rest: [] }
  if (pipe) throw fail('invalid_request', '--pipe runs a command: run --pipe -- <command> [arguments].')
  return { agent, rest }
}

/** A folder of here means nothing on another machine. */
function folderThere({ isHere }: Pick<Place, 'isHere'>, cwd: string | undefined): string | undefined {
  if (cwd === undefined) return undefined
  if (isHere) return resolve(cwd)
  if (FolderPath.safeParse(cwd).success) return cwd
  throw fail('invalid_request', `On another machine --cwd takes an absolute path, not "${cwd}".`)
}

/** A file that is followed is called by its name alone. */
function titleOf({ title, log }: RunOptions): { title?: string } {
  if (title !== undefined) return { title }
  const name = Title.safeParse(log === undefined ? undefined : basename(log))
  return name.success ? { title: name.data } : {}
}

/** The same for a file that is followed. */
function fileThere({ isHere }: Pick<Place, 'isHere'>, [path = '', ...how]: readonly string[]): string[] {
  if (isHere) return [resolve(path), ...how]
  if (FolderPath.safeParse(path).success) return [path, ...how]
  throw fail('invalid_request', `On another machine --log takes an absolute path, not "${path}".`)
}

function whyUnread(session: string, status: 'interrupted' | 'paused'): string {
  const how = `nobody reads this until it is resumed: hotline resume ${session.slice(0, shownIdChars)}`
  return `It is ${status}; ${how}`
}

async function stay(context: CommandContext, session: string, until: 'end' | 'idle'): Promise<void> {
  const { json, stdin } = context
  const input: Watching['input'] = { stream: stdin, onEnd: stdin.isTTY ? 'leave' : 'stay' }
  const { state, refused } = await watchSession(context.server(), session, {
    json,
    until,
    input,
    reader: stdin.isTTY && process.stdout.isTTY && !json ? 'person' : 'program',
    ...says(context),
    signal: context.interrupted(),
  })
  // A terminal or a pipe that was read from would keep the process.
  stdin.destroy()
  if (state && isLive(state.status))
    context.note(`It goes on. Come back with: hotline attach ${session.slice(0, shownIdChars)}`)
  if (state?.status === 'failed') context.exit(1)
  // A person has read it as it came; a script reads the exit code.
  if (refused && !stdin.isTTY) throw new Failure(refused)
}

function says(context: CommandContext): Pick<Watching, 'write' | 'note'> {
  return { write: (text) => context.write(text), note: (text) => context.note(text) }
}

function readUntil(text: string): 'end' | 'idle' {
  if (text === 'end' || text === 'idle') return text
  throw fail('invalid_request', `--until takes "end" or "idle", not "${text}".`)
}

function isRunning({ status }: SessionRow): boolean {
  const known = SessionStatus.safeParse(status)
  // A status of a later version is shown rather than hidden.
  return !known.success || isLive(known.data)
}
