import { uuidV7 } from '@hotline/client/uuid'
import type { Envelope } from '@hotline/protocol/event'
import { TaskDetail, type TaskRow } from '@hotline/protocol/task'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
let owner: Who
beforeAll(async () => {
  callers = await openCallers()
  owner = callers.owner
})
afterAll(() => callers[Symbol.asyncDispose]())

async function create(data: object): Promise<string> {
  const task = uuidV7()
  await callers.command(owner, `task:${task}`, 'task.create', { project: 'elsewhere', ...data })
  return task
}

async function page(query: string): Promise<{ tasks: TaskRow[]; next: string | null; cursor: string }> {
  const { status, body } = await callers.call('GET', `/api/tasks?${query}`, owner)
  expect(status, JSON.stringify(body)).toBe(200)
  return body as { tasks: TaskRow[]; next: string | null; cursor: string }
}

describe('cards over HTTP', () => {
  it('[TK4] a board is read page by page, and followed from the cursor of a page', async () => {
    const made: string[] = []
    for (let at = 0; at < 7; at += 1)
      made.push(await create({ title: `Card ${at}`, labels: ['web'], priority: 'urgent' }))
    const first = await page('project=elsewhere&limit=3')
    const second = await page(`project=elsewhere&limit=3&after=${encodeURIComponent(first.next ?? '')}`)
    const third = await page(`project=elsewhere&limit=3&after=${encodeURIComponent(second.next ?? '')}`)
    expect([...first.tasks, ...second.tasks, ...third.tasks].map(({ task }) => task)).toEqual(made)
    expect(third.next).toBeNull()
    expect(first.tasks[0]).toMatchObject({
      title: 'Card 0',
      column: 'todo',
      labels: ['web'],
      priority: 'urgent',
      assignee: null,
      sessions: [],
    })
    // What happens after the cursor of a page comes as a line of the project's stream.
    const moved = made.at(-1) ?? ''
    await callers.command(owner, `task:${moved}`, 'task.move', { to: 'review' })
    await callers.command(owner, `task:${made[0]}`, 'task.remove', {})
    const follow = { follows: [{ stream: 'project:elsewhere', after: third.cursor }], wait: 0 }
    const { body } = await callers.call('POST', '/api/follow', owner, follow)
    const lines = (body as { frames: { t: string; events?: Envelope[] }[] }).frames.flatMap(({ events = [] }) => events)
    expect(lines).toMatchObject([
      { type: 'task.indexed', data: { task: moved, column: 'review' }, body: { title: 'Card 6', labels: ['web'] } },
      { type: 'task.indexed', data: { task: made[0], removed: true } },
    ])
    expect((await page('project=elsewhere')).tasks.map(({ task }) => task)).toEqual([moved, ...made.slice(1, -1)])
    expect((await page('project=elsewhere&column=review')).tasks.map(({ task }) => task)).toEqual([moved])
  })

  it('[TK4] one card is read with its description, as it was written last', async () => {
    const task = await create({ title: 'Described', description: '# Why\n\nBecause.' })
    const read = async (): Promise<TaskDetail> =>
      TaskDetail.parse((await callers.call('GET', `/api/tasks/${task}`, owner)).body)
    expect(await read()).toMatchObject({
      stream: `task:${task}`,
      task: { title: 'Described' },
      description: '# Why\n\nBecause.',
    })
    await callers.command(owner, `task:${task}`, 'task.change', { title: 'Another' })
    expect(await read()).toMatchObject({ task: { title: 'Another' }, description: '# Why\n\nBecause.' })
    await callers.command(owner, `task:${task}`, 'task.change', { description: '' })
    expect(await read()).toMatchObject({ description: '' })
    const bare = await create({ title: 'Bare' })
    expect((await callers.call('GET', `/api/tasks/${bare}`, owner)).body).toMatchObject({ description: null })
    await callers.command(owner, `task:${bare}`, 'task.remove', {})
    expect((await callers.call('GET', `/api/tasks/${bare}`, owner)).status).toBe(404)
  })

  it.each([
    ['/api/tasks', 400],
    ['/api/tasks?project=nowhere', 404],
    ['/api/tasks?project=elsewhere&column=later', 400],
    ['/api/tasks?project=elsewhere&after=todo', 400],
    ['/api/tasks?project=elsewhere&after=todo~%27~x', 400],
    ['/api/tasks?project=elsewhere&limit=0', 400],
    ['/api/tasks?project=elsewhere&other=1', 400],
    ['/api/tasks/none', 404],
  ])('[TK4] %s is answered by %i and a sentence', async (path, wanted) => {
    const { status, body } = await callers.call('GET', path, owner)
    expect({ status, body }).toMatchObject({ status: wanted, body: { detail: expect.any(String) as string } })
  })

  it('[TK3] the server itself moves a card when an agent begins and ends', async () => {
    const task = uuidV7()
    await callers.command(owner, `task:${task}`, 'task.create', { project: 'default', title: 'Goes by itself' })
    const column = async (): Promise<string> =>
      ((await callers.call('GET', `/api/tasks/${task}`, owner)).body as TaskDetail).task.column
    const hand = await callers.server.startSession('At work', { task })
    await waitFor(async () => (await column()) === 'in_progress', { what: 'the card to be in progress' })
    await hand.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'completed', reason: 'goal_reached' },
      body: {},
    })
    await waitFor(async () => (await column()) === 'done', { what: 'the card to be done' })
  })
})
