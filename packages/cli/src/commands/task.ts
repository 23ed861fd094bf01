import { uuidV7 } from '@hotline/client/uuid'
import { addresseeOf } from '@hotline/core/task/addressee'
import { Id } from '@hotline/protocol/ids'
import {
  type Assignee,
  TaskColumn,
  taskColumns,
  type TaskDetail,
  TaskPriority,
  taskPriorities,
  type TaskRow,
} from '@hotline/protocol/task'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import { confirmingPassword } from '../confirm-password.ts'
import { fail } from '../failure.ts'
import { isWanted } from '../is-wanted.ts'
import { plainText } from '../plain-text.ts'
import { findTask, projectOr, readTasks } from '../read-tasks.ts'
import { shownIdChars } from '../session-row.ts'
import { cardLines } from '../task-row.ts'
import type { CommandContext } from './context.ts'

interface CardOptions {
  title?: string
  description?: string
  priority?: string
  label?: string[]
  assign?: string
  column?: string
  project?: string
}

const collect = (one: string, all: string[] = []): string[] => [...all, one]

/** `task`: the cards of a board. */
export function addTaskCommand(program: Command, context: CommandContext): void {
  const task = program.command('task').description('cards of a board: what shall be done, and how far it is')
  const described = (command: Command): Command =>
    command
      .option('--description <text>', 'Markdown')
      .option('--priority <how>', taskPriorities.join(', '))
      .option('--label <label>', 'a word to find it by; may be given again', collect)
      .option('--assign <who>', 'the name of a member, agent:<name> for an agent, or "nobody"')

  task
    .command('ls')
    .description('the cards of a project, by column')
    .option('--project <project>', 'id of a project (default: the first one)')
    .option('--column <column>', taskColumns.join(', '))
    .action(async ({ project, column }: CardOptions) => {
      const server = context.server()
      const rows = await readTasks(server, await projectOr(server, project), columnOf(column))
      const names = await server.names()
      const text = rows.length === 0 ? 'There are no cards.\n' : cardLines(rows, names)
      context.print(rows, text)
    })

  described(task.command('add'))
    .description('makes a card, last in its column')
    .argument('<title...>')
    .option('--column <column>', taskColumns.join(', '))
    .option('--project <project>', 'id of a project (default: the first one)')
    .action(async (title: string[], options: CardOptions) => {
      const server = context.server()
      const id = uuidV7()
      const { assignee, ...more } = await changesOf(options, () => server.names())
      const column = columnOf(options.column)
      await server.command(`task:${id}`, 'task.create', {
        project: await projectOr(server, options.project),
        title: title.join(' '),
        ...(column === undefined ? {} : { column }),
        ...more,
        ...(assignee ? { assignee } : {}),
      })
      context.print({ task: id }, `${id}\n`)
    })

  task
    .command('show')
    .description('one card, with its description and its sessions')
    .argument('<task>', 'id, or the beginning of it')
    .option('--project <project>', 'id of the project it is in (default: the first one)')
    .action(async (text: string, { project }: CardOptions) => {
      const server = context.server()
      const { task: id } = await findTask(server, text, project)
      const detail = await server.get<TaskDetail>(`/api/tasks/${id}`)
      context.print(detail, detailText(detail, await server.names()))
    })

  described(task.command('edit'))
    .description('changes what is named; all else stays')
    .argument('<task>', 'id, or the beginning of it')
    .option('--title <title>')
    .option('--no-labels', 'takes all labels away')
    .option('--project <project>', 'id of the project it is in (default: the first one)')
    .action(async (text: string, options: CardOptions & { labels?: boolean }) => {
      const server = context.server()
      const data = {
        ...(options.title === undefined ? {} : { title: options.title }),
        ...(options.labels === false ? { labels: [] } : {}),
        ...(await changesOf(options, () => server.names())),
      }
      const { task: id } = await findTask(server, text, options.project)
      context.print(await server.command(`task:${id}`, 'task.change', data), 'Changed.\n')
    })

  task
    .command('mv')
    .description('puts a card into a column: last, or where it is said')
    .argument('<task>', 'id, or the beginning of it')
    .argument('<column>', taskColumns.join(', '))
    .option('--after <task>', 'after this one of the column')
    .option('--first', 'before all of them')
    .option('--project <project>', 'id of the project it is in (default: the first one)')
    .action(async (text: string, to: string, options: { after?: string; first?: true; project?: string }) => {
      if (options.after !== undefined && options.first)
        throw fail('invalid_request', 'Only one of --after and --first.')
      const server = context.server()
      const column = columnOf(to) ?? 'todo'
      const { task: id } = await findTask(server, text, options.project)
      const after =
        options.after === undefined ? undefined : (await findTask(server, options.after, options.project)).task
      const place = options.first ? { after: null } : after === undefined ? {} : { after }
      context.print(
        await server.command(`task:${id}`, 'task.move', { to: column, ...place }),
        `It is in ${column} now.\n`,
      )
    })

  task
    .command('say')
    .description('writes to the agent that it names (@codex), or else to that of the newest session of a card')
    .argument('<task>', 'id, or the beginning of it')
    .argument('<text...>')
    .option('--project <project>', 'id of the project it is in (default: the first one)')
    .action(async (card: string, words: string[], { project }: CardOptions) => {
      const server = context.server()
      const row = await findTask(server, card, project)
      const text = words.join(' ')
      const to = addresseeOf(row.sessions, text)
      if (!to) throw fail('invalid_transition', 'No agent has begun with this card. Start a session of it.')
      const accepted = await server.command(`session:${to.session}`, 'message.send', { text })
      const { agent, session } = to
      context.print({ ...accepted, agent, session }, `Sent to ${agent} (${session.slice(0, shownIdChars)}).\n`)
    })

  task
    .command('rm')
    .description('takes a card off the board and erases what it says; its sessions go on')
    .argument('<task>', 'id, or the beginning of it')
    .option('--project <project>', 'id of the project it is in (default: the first one)')
    .option('--with-conversation', 'erase for good what was said and done in its sessions first')
    .option('-y, --yes', 'do not ask whether to erase that')
    .option('--with-password', 'read your password from standard input')
    .action(async (text: string, options: EraseOptions & { withConversation?: true }) => {
      const server = context.server()
      const row = await findTask(server, text, options.project)
      if (options.withConversation && row.sessions.length > 0) await eraseConversation(context, row, options)
      context.print(await server.command(`task:${row.task}`, 'task.remove', {}), 'Removed.\n')
    })

  task
    .command('erase')
    .description('erases for good what was said and done in the sessions of a card; the card stays')
    .argument('<task>', 'id, or the beginning of it')
    .option('--project <project>', 'id of the project it is in (default: the first one)')
    .option('-y, --yes', 'do not ask')
    .option('--with-password', 'read your password from standard input')
    .action(async (text: string, options: EraseOptions) => {
      const row = await findTask(context.server(), text, options.project)
      await eraseConversation(context, row, options)
      context.print({ task: row.task, sessions: row.sessions.length }, 'Erased.\n')
    })
}

interface EraseOptions {
  project?: string
  yes?: true
  withPassword?: true
}

/** After a yes. Throws a `Failure` where there is none, or it is refused. */
async function eraseConversation(context: CommandContext, row: TaskRow, options: EraseOptions): Promise<void> {
  const count = row.sessions.length
  const question = `Erase for good what was said and done in ${count === 1 ? 'the session' : `all ${count} sessions`} of “${inLine(row.title)}”?`
  if (!options.yes && !(await isWanted(context.stdin, question)))
    throw fail('invalid_request', 'Nothing was erased. Without a terminal to ask at, add --yes.')
  const path = `/api/projects/${encodeURIComponent(row.project)}/tasks/${encodeURIComponent(row.task)}/interactions`
  await confirmingPassword(context, options.withPassword ? 'standard input' : 'terminal', () =>
    context.server().once('DELETE', path),
  )
}

/** What the options say of a card. Throws a `Failure` for what they cannot mean. */
async function changesOf(
  { description, priority, label, assign }: CardOptions,
  names: () => Promise<ReadonlyMap<string, string>>,
): Promise<{ description?: string; priority?: TaskRow['priority']; labels?: string[]; assignee?: Assignee | null }> {
  return {
    ...(description === undefined ? {} : { description }),
    ...(priority === undefined
      ? {}
      : { priority: oneOf(TaskPriority.safeParse(priority).data, priority, taskPriorities) }),
    ...(label === undefined ? {} : { labels: label }),
    ...(assign === undefined ? {} : { assignee: assigneeOf(assign, await names()) }),
  }
}

function assigneeOf(text: string, names: ReadonlyMap<string, string>): Assignee | null {
  if (text === 'nobody') return null
  if (text.startsWith('agent:')) {
    const id = Id.safeParse(text.slice('agent:'.length)).data
    if (id === undefined) throw fail('invalid_request', `"${text}" names no agent. See: hotline agents`)
    return { kind: 'agent', id }
  }
  const name = text.replace(/^@/, '').toLowerCase()
  const account = [...names].find(([id, known]) => id === text || known.toLowerCase() === name)?.[0]
  if (account === undefined) throw fail('not_found', `Nobody here is called "${text}". An agent is agent:<name>.`)
  return { kind: 'person', id: account }
}

function columnOf(text: string | undefined): TaskColumn | undefined {
  return text === undefined
    ? undefined
    : oneOf(TaskColumn.safeParse(text.replaceAll(/[- ]/g, '_')).data, text, taskColumns)
}

function oneOf<T extends string>(found: T | undefined, text: string, all: readonly T[]): T {
  if (found === undefined) throw fail('invalid_request', `"${text}" is none of: ${all.join(', ')}.`)
  return found
}

function detailText({ task, description }: TaskDetail, names: ReadonlyMap<string, string>): string {
  const sessions = task.sessions.map(
    ({ session, agent, phase, changes }) =>
      `  ${session.slice(0, shownIdChars)}  ${inLine(agent)}, ${phase.replace('_', ' ')}${changes ? ', with changes to look at' : ''}\n`,
  )
  const text = description === null || description === '' ? '' : `\n${plainText(description).trimEnd()}\n`
  return `${cardLines([task], names)}${text}${sessions.length === 0 ? '' : `\nSessions:\n${sessions.join('')}`}`
}
