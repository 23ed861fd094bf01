import type { CommandInput } from '@hotline/protocol/command'
import type { TaskColumn } from '@hotline/protocol/task'
import type { Link } from '@hotline/client/link'
import { openTaskBoard, type TaskBoard } from '@hotline/client/task-board'
import { openTaskView } from '@hotline/client/task-view'
import { uuidV7 } from '@hotline/client/uuid'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { waitFor } from '../src/wait-for.ts'

let live: LiveServer
let link: Link
const open: Disposable[] = []

beforeAll(async () => {
  live = await startLiveServer({ env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '100000' } })
  link = live.link()
})
afterEach(() => {
  live.proxy.restore()
  for (const one of open.splice(0)) one[Symbol.dispose]()
})
afterAll(() => live[Symbol.asyncDispose]())

async function newProject(): Promise<string> {
  const project = uuidV7()
  expect(await link.command(`project:${project}`, 'project.create', { name: project })).toMatchObject({ ok: true })
  return project
}

async function makeCard(
  project: string,
  title: string,
  more: Partial<CommandInput<'task.create'>> = {},
): Promise<string> {
  const task = uuidV7()
  expect(
    await link.command(`task:${task}`, 'task.create', { project, title, column: 'backlog', ...more }),
  ).toMatchObject({ ok: true })
  return task
}

async function liveBoard(project: string, over: Link = live.link()): Promise<TaskBoard> {
  const board = openTaskBoard(over, project)
  open.push(board)
  await waitFor(() => board.picture.value.status === 'live', { what: 'a live board' })
  return board
}

const titles = (board: TaskBoard, column: TaskColumn): readonly string[] =>
  board.picture.value.columns[column].tasks.map(({ title }) => title)

const shows = (board: TaskBoard, column: TaskColumn, wanted: readonly string[]): Promise<unknown> =>
  waitFor(() => JSON.stringify(titles(board, column)) === JSON.stringify(wanted), {
    what: `${JSON.stringify(wanted)} in ${column}`,
  })

it('[G169] [G171] two boards of one project show the same cards in one order, whoever made and moved them', async () => {
  const project = await newProject()
  const first = await makeCard(project, 'first', { labels: ['web'], priority: 'high' })
  const [here, there] = await Promise.all([liveBoard(project), liveBoard(project)])
  expect(here.picture.value.columns.backlog).toMatchObject({
    tasks: [{ task: first, title: 'first', labels: ['web'], priority: 'high', assignee: null, sessions: [] }],
    hasMore: false,
  })
  const second = await makeCard(project, 'second')
  const third = await makeCard(project, 'third')
  await Promise.all([here, there].map((board) => shows(board, 'backlog', ['first', 'second', 'third'])))
  const isMoving = here.move(third, { to: 'backlog', after: first })
  // At once here, before the server has said anything.
  expect(titles(here, 'backlog')).toEqual(['first', 'third', 'second'])
  expect(await isMoving).toBeUndefined()
  expect(await here.move(second, { to: 'todo', after: null })).toBeUndefined()
  expect(await there.move(first, { to: 'todo', after: second })).toBeUndefined()
  for (const board of [here, there]) {
    await shows(board, 'backlog', ['third'])
    await shows(board, 'todo', ['second', 'first'])
  }
  await link.command(`task:${first}`, 'task.change', { title: 'renamed' })
  await link.command(`task:${third}`, 'task.remove', {})
  for (const board of [here, there]) {
    await shows(board, 'todo', ['second', 'renamed'])
    await shows(board, 'backlog', [])
  }
})

it('[G171] a move that is refused is put back, and answered with the reason', async () => {
  const project = await newProject()
  const card = await makeCard(project, 'stays')
  const board = await liveBoard(project)
  const refused = board.move(card, { to: 'done', after: uuidV7() })
  expect(titles(board, 'done')).toEqual(['stays'])
  expect((await refused)?.detail).toEqual(expect.any(String))
  await shows(board, 'backlog', ['stays'])
  expect(titles(board, 'done')).toEqual([])
})

it('[G172] a column comes page by page, and what stands behind the page comes with its own', async () => {
  const project = await newProject()
  const wanted = Array.from({ length: 104 }, (_, at) => `card ${String(at).padStart(3, '0')}`)
  for (const title of wanted) await makeCard(project, title, { column: 'todo' })
  const board = await liveBoard(project)
  expect(board.picture.value.columns.todo.hasMore).toBe(true)
  expect(titles(board, 'todo')).toEqual(wanted.slice(0, 100))
  // It lands behind what is read: its page brings it.
  await makeCard(project, 'the last', { column: 'todo' })
  await makeCard(project, 'elsewhere')
  await shows(board, 'backlog', ['elsewhere'])
  expect(titles(board, 'todo')).toEqual(wanted.slice(0, 100))
  expect(await board.loadMore('todo')).toBeUndefined()
  await shows(board, 'todo', [...wanted, 'the last'])
  expect(board.picture.value.columns.todo.hasMore).toBe(false)
})

it('[G169] a board out of contact keeps what it shows, and has what it missed when it is back', async () => {
  const project = await newProject()
  await makeCard(project, 'before')
  const board = await liveBoard(project, live.link({ url: live.proxyUrl }))
  live.proxy.refuse()
  live.proxy.cut()
  await makeCard(project, 'meanwhile')
  expect(await board.loadMore('backlog')).toMatchObject({ code: expect.any(String) })
  expect(titles(board, 'backlog')).toEqual(['before'])
  live.proxy.restore()
  await shows(board, 'backlog', ['before', 'meanwhile'])
})

it('[G169] a board that begins out of contact comes when there is contact; one of no project says why not', async () => {
  const project = await newProject()
  await makeCard(project, 'there')
  live.proxy.refuse()
  const late = openTaskBoard(live.link({ url: live.proxyUrl }), project)
  open.push(late)
  await waitFor(() => late.picture.value.problem !== undefined, { what: 'a problem' })
  expect(late.picture.value.status).toBe('loading')
  live.proxy.restore()
  await shows(late, 'backlog', ['there'])
  const none = openTaskBoard(link, uuidV7())
  open.push(none)
  await waitFor(() => none.picture.value.status === 'failed', { what: 'a refusal' })
  expect(none.picture.value.problem).toMatchObject({ code: 'not_found' })
})

it('[G174] a card is shown as it stands, with what others change in it, and what is not there is said', async () => {
  const project = await newProject()
  const task = await makeCard(project, 'A card', { description: 'What is **wrong**' })
  const view = openTaskView(live.link({ url: live.proxyUrl }), task)
  open.push(view)
  await waitFor(() => view.picture.value.status === 'live', { what: 'the card' })
  expect(view.picture.value.detail).toMatchObject({ task: { title: 'A card' }, description: 'What is **wrong**' })
  await link.command(`task:${task}`, 'task.change', { description: 'What is right' })
  await waitFor(() => view.picture.value.detail?.description === 'What is right', { what: 'the change' })
  live.proxy.refuse()
  live.proxy.cut()
  await link.command(`task:${task}`, 'task.change', { title: 'Another title' })
  live.proxy.restore()
  await waitFor(() => view.picture.value.detail?.task.title === 'Another title', { what: 'what was missed' })
  const none = openTaskView(link, uuidV7())
  open.push(none)
  await waitFor(() => none.picture.value.status === 'failed', { what: 'a refusal' })
  expect(none.picture.value.problem).toMatchObject({ code: 'not_found' })
})
