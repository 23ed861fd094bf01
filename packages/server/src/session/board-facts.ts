import type { Context } from '@hotline/core/decision'
import type { Board } from '@hotline/core/task/board'
import type { Command } from '@hotline/protocol/command'
import type { TaskColumn } from '@hotline/protocol/task'
import { generateKeyBetween } from 'fractional-indexing'
import type { Lists } from '../log/lists.ts'
import type { StreamState } from './state.ts'

/** The rows that say what is on a board. */
export type BoardRows = Pick<Lists, 'task' | 'lastPlace' | 'nextPlace' | 'roleOf'>

/** Where work puts a card by itself. */
const movedTo: readonly TaskColumn[] = ['in_progress', 'review', 'done']

type Wanted = readonly [column: TaskColumn, after: string | null | undefined]

/**
 * What commands to a card need of its board. Rows of what is being committed at this moment are not seen: two cards may get
 * the same place then, and their ids decide.
 */
export async function boardFor(
  rows: BoardRows,
  state: StreamState | undefined,
  batch: readonly { command: Command }[],
): Promise<Pick<Context, 'board'>> {
  const created = batch.map(({ command }) => command).find((command) => command.type === 'task.create')
  const project = state?.kind === 'task' ? state.project : created?.data.project
  if (project === undefined) return {}
  const wanted = batch.flatMap(({ command }) => wantedBy(command))
  const places = new Map<string, string | undefined>()
  for (const [column, after] of wanted) places.set(keyOf(column, after), await placeOn(rows, project, column, after))
  const members = new Set<string>()
  for (const account of batch.flatMap(({ command }) => assignedBy(command))) {
    if ((await rows.roleOf(project, account)) !== undefined) members.add(account)
  }
  const board: Board = {
    placeFor: (column, after) => places.get(keyOf(column, after)),
    isMember: (account) => members.has(account),
  }
  return { board }
}

/** The cards that sessions shall belong to, with their projects. */
export async function cardsFor(
  rows: BoardRows,
  batch: readonly { command: Command }[],
): Promise<Pick<Context, 'cards'>> {
  const named = batch.flatMap(({ command }) =>
    command.type === 'session.start' && command.data.task !== undefined ? [command.data.task] : [],
  )
  if (named.length === 0) return {}
  const found = await Promise.all(named.map((task) => rows.task(task)))
  return { cards: new Map(found.flatMap((row) => (row ? [[row.task, row.project] as const] : []))) }
}

function wantedBy(command: Command): readonly Wanted[] {
  if (command.type === 'task.create') return [[command.data.column, undefined]]
  if (command.type === 'task.move') return [[command.data.to, command.data.after]]
  return command.type === 'task.observe' ? movedTo.map((column) => [column, undefined]) : []
}

function assignedBy(command: Command): readonly string[] {
  const isSaid = command.type === 'task.create' || command.type === 'task.change'
  return isSaid && command.data.assignee?.kind === 'person' ? [command.data.assignee.id] : []
}

function keyOf(column: TaskColumn, after: string | null | undefined): string {
  return `${column} ${after === undefined ? 'last' : (after ?? 'first')}`
}

async function placeOn(
  rows: BoardRows,
  project: string,
  column: TaskColumn,
  after: string | null | undefined,
): Promise<string | undefined> {
  if (after === undefined) return generateKeyBetween((await rows.lastPlace(project, column)) ?? null, null)
  if (after === null) return generateKeyBetween(null, (await rows.nextPlace(project, column, '')) ?? null)
  const row = await rows.task(after)
  if (row?.project !== project || row.column_name !== column) return undefined
  return generateKeyBetween(row.position, (await rows.nextPlace(project, column, row.position)) ?? null)
}
