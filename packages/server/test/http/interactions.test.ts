import { setTimeout as pause } from 'node:timers/promises'
import { uuidV7 } from '@hotline/client/uuid'
import { InteractionPage } from '@hotline/protocol/interactions'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { openMiddle } from '@hotline/testing/middle'
import { agentEvent, freely } from '@hotline/testing/log-bench'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readInteractions } from '../../src/session/read-interactions.ts'
import { type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
let owner: Who
beforeAll(async () => {
  callers = await openCallers()
  owner = callers.owner
})
afterAll(() => callers[Symbol.asyncDispose]())

async function card(): Promise<string> {
  const task = uuidV7()
  await callers.command(owner, `task:${task}`, 'task.create', { project: 'default', title: 'Talked about' })
  return task
}

/** Times are told to the millisecond: of two within one, nobody can say which was first. */
const tick = (): Promise<void> => pause(2)

const say = async (hand: HandRunner, text: string, more: object = {}): Promise<string> => {
  await tick()
  const id = uuidV7()
  const command = { id, stream: hand.stream, type: 'message.send', data: { text, ...more } }
  expect((await callers.call('POST', '/api/commands', owner, command)).status).toBe(200)
  return id
}
const answer = async (hand: HandRunner, text: string): Promise<void> => {
  await tick()
  await hand.report({ type: 'message.completed', data: { message: uuidV7(), chars: text.length }, body: { text } })
}

const path = (task: string, query = ''): string => `/api/projects/default/tasks/${task}/interactions${query}`

async function pages(task: string, limit: number): Promise<InteractionPage[]> {
  const all: InteractionPage[] = []
  for (let next: string | null = ''; next !== null;) {
    const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`
    const { status, body } = await callers.call('GET', path(task, `?limit=${limit}${after}`), owner)
    expect(status, JSON.stringify(body)).toBe(200)
    const page = InteractionPage.parse(body)
    all.push(page)
    next = page.next
  }
  return all
}

describe('the conversation of a task', () => {
  it('[TK5] it is what was said in all of its sessions, the oldest first, page by page', async () => {
    const task = await card()
    const one = await callers.server.startSession('One', { task })
    const two = await callers.server.startSession('Two', { task })
    await say(one, 'first', { metadata: { from: 'test' } })
    await answer(two, 'second')
    const edited = await say(one, 'thrid')
    const withdrawn = await say(one, 'never mind')
    await callers.command(owner, one.stream, 'message.edit', { message: edited, text: 'third' })
    await callers.command(owner, one.stream, 'message.withdraw', { message: withdrawn })
    await one.report({
      type: 'output.appended',
      data: { source: 'stdout', encoding: 'utf8', bytes: 8 },
      body: { text: 'not said' },
    })
    await answer(one, 'fourth')
    await two.report({ type: 'message.delta', data: { message: 'm' }, body: { text: 'fif' } })
    await answer(two, 'fifth')
    for (const limit of [1, 2, 100]) {
      const read = (await pages(task, limit)).flatMap(({ interactions }) => interactions)
      expect(read.map(({ content }) => content)).toEqual(['first', 'second', 'third', 'fourth', 'fifth'])
    }
    const [whole] = await pages(task, 100)
    expect(whole?.interactions.slice(0, 2)).toEqual([
      {
        id: expect.any(String) as string,
        task_id: task,
        session_id: one.session,
        user_id: callers.accounts['owner'],
        message_type: 'user_message',
        content: 'first',
        metadata: { from: 'test' },
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      },
      expect.objectContaining({ session_id: two.session, user_id: null, message_type: 'agent_response', metadata: {} }),
    ])
  })

  it('[TK5] a task without sessions has said nothing; one elsewhere is not there, and what cannot be read is told', async () => {
    const task = await card()
    expect(await pages(task, 10)).toEqual([{ interactions: [], next: null }])
    for (const [at, status] of [
      [`/api/projects/elsewhere/tasks/${task}/interactions`, 404],
      [path('none'), 404],
      [path(task, '?limit=0'), 400],
      [path(task, '?after=x'), 400],
      [path(task, '?after=s.1~'), 400],
      [path(task, '?page=2'), 400],
    ] as const) {
      expect([at, (await callers.call('GET', at, owner)).status]).toEqual([at, status])
    }
    // A session of somebody else that a made up position names is not read.
    const other = await callers.server.startSession('Another')
    await answer(other, 'not yours')
    const { body } = await callers.call('GET', path(task, `?after=${other.session}.0`), owner)
    expect(body).toEqual({ interactions: [], next: null })
  })

  it('[TK5] of long words a page holds fewer than were asked for, and the next goes on', async () => {
    const task = await card()
    const hand = await callers.server.startSession('Long', { task })
    const texts = Array.from({ length: 30 }, (_, at) => `${at} ${'x'.repeat(49_000)}`)
    for (const text of texts) await answer(hand, text)
    const all = await pages(task, 1_000)
    expect(all.length).toBeGreaterThan(1)
    for (const page of all) expect(JSON.stringify(page).length).toBeLessThan(1_200_000)
    expect(all.flatMap(({ interactions }) => interactions.map(({ content }) => content.split(' ')[0]))).toEqual(
      texts.map((_, at) => String(at)),
    )
  })

  it('[TK5] where little is said in much that happens, a page ends early and the next goes on', async () => {
    const middle = await openMiddle()
    const events = (count: number) => Array.from({ length: count }, (_, at) => agentEvent(`step ${at}`))
    const said = (text: string) => ({
      ...agentEvent(text),
      type: 'message.completed',
      data: { message: text, chars: text.length },
    })
    for (let at = 0; at < 45; at += 1) await middle.store.append([freely('session:long', ...events(1_000))])
    await middle.store.append([freely('session:long', said('at last'))])
    const of = { task: 't', sessions: ['long'], limit: 10 }
    const first = await readInteractions(middle.store, { ...of, told: {} })
    expect(first.interactions).toEqual([])
    const second = await readInteractions(middle.store, { ...of, told: first.told })
    expect(second.interactions.map(({ content }) => content)).toEqual(['at last'])
    expect([first.isOver, second.isOver]).toEqual([false, true])
    await middle.close()
  })
})
