import { uuidV7 } from '@hotline/client/uuid'
import { TaskUpdate } from '@hotline/protocol/task-updates'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { requestUpgrade } from '@hotline/testing/raw-websocket'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
let owner: Who
beforeAll(async () => {
  callers = await openCallers()
  ;({ owner } = callers)
})
afterAll(() => callers[Symbol.asyncDispose]())

interface Listener extends Disposable {
  readonly told: TaskUpdate[]
  readonly ended: Promise<{ code: number; reason: string }>
  types(): string[]
}

/** Listens as a program does that knows the documentation alone. */
function listen(
  task: string,
  { since, token = callers.server.token }: { since?: string; token?: string } = {},
): Listener {
  const query = since === undefined ? '' : `?since=${since}`
  const socket = new WebSocket(`${callers.server.url.replace('http', 'ws')}/api/agent/${task}/updates${query}`)
  const told: TaskUpdate[] = []
  socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'hello', token })))
  socket.addEventListener('message', ({ data }) => told.push(TaskUpdate.parse(JSON.parse(String(data)))))
  const ended = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason })),
  )
  return { told, ended, types: () => told.map(({ type }) => type), [Symbol.dispose]: () => socket.close() }
}

/** A task whose agent the test plays. */
async function work(title = 'A task'): Promise<{ id: string; card: string; hand: HandRunner }> {
  const card = uuidV7()
  await callers.command(owner, `task:${card}`, 'task.create', { project: 'default', title })
  const hand = await callers.server.startSession(title, { task: card })
  return { id: hand.session, card, hand }
}

const step = (hand: HandRunner, id: string): Promise<unknown> =>
  hand.report(
    { type: 'step.started', data: { step: id, kind: 'edit' }, body: { title: `Edit ${id}` } },
    { type: 'step.progressed', data: { step: id, progress: 0.5 }, body: {} },
    { type: 'step.finished', data: { step: id, outcome: 'done' }, body: {} },
  )

const over = (hand: HandRunner, to: 'completed' | 'failed', note?: string): Promise<unknown> =>
  hand.report({
    type: 'session.state_changed',
    data: { from: 'active', to, reason: to === 'completed' ? 'requested' : 'agent_exited' },
    body: note === undefined ? {} : { note },
  })

const toldAfter = (listener: Listener, count: number, what: string): Promise<unknown> =>
  waitFor(() => listener.told.length >= count, { what: `${what}; there is ${listener.types().join(', ')}` })

describe('the updates of a task', () => {
  it('[TA7] tell how it stands, then each step, request and end, in the shape of the documentation', async () => {
    const { id, card, hand } = await work()
    using listener = listen(card)
    await toldAfter(listener, 1, 'how it stands')
    expect(listener.told[0]).toMatchObject({ type: 'status_change', data: { taskId: id, status: 'idle' } })
    await hand.report({ type: 'turn.started', data: { turn: 'u1' } })
    await step(hand, 's1')
    const ask = await hand.ask({ tool: 'Bash', title: 'Run it', input: 'make' })
    await toldAfter(listener, 7, 'a request')
    expect(listener.told.slice(1)).toMatchObject([
      { type: 'status_change', data: { status: 'running' } },
      { type: 'step_start', data: { step: { id: 's1', title: 'Edit s1', kind: 'edit' } } },
      { type: 'step_progress', data: { step: { id: 's1' }, progress: 50 } },
      { type: 'step_complete', data: { step: { id: 's1', title: 'Edit s1' }, message: 'done' } },
      { type: 'approval_request', data: { approvalRequest: { approvalId: ask.approval, digest: ask.digest } } },
      { type: 'status_change', data: { status: 'waiting_approval' } },
    ])
    await hand.report({ type: 'approval.cancelled', data: { approval: ask.approval, reason: 'agent_withdrew' } })
    await hand.report(
      { type: 'message.completed', data: { message: 'm1', chars: 5 }, body: { text: 'Done.' } },
      { type: 'turn.ended', data: { turn: 'u1', end: 'error' }, body: { error: 'overloaded' } },
    )
    await over(hand, 'completed')
    expect(await listener.ended).toEqual({ code: 1000, reason: 'over' })
    expect(listener.told.slice(7)).toMatchObject([
      { type: 'status_change', data: { status: 'running' } },
      { type: 'error', data: { message: 'overloaded' } },
      { type: 'status_change', data: { status: 'idle' } },
      { type: 'status_change', data: { status: 'completed' } },
      { type: 'completed', data: { taskId: id, result: 'Done.' } },
    ])
    const ids = listener.told.map((message) => message.id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { timestamp } of listener.told) expect(Math.abs(Date.now() - timestamp)).toBeLessThan(600_000)
  })

  it('[TA8] go on after the message that an earlier connection had last, also over a restart: none is missing, none comes twice', async () => {
    const { id, hand } = await work()
    const all = listen(id)
    await toldAfter(all, 1, 'how it stands')
    for (const name of ['s1', 's2', 's3']) await step(hand, name)
    const ask = await hand.ask({ tool: 'Bash', title: 'Run it', input: 'make' })
    await toldAfter(all, 12, 'all of it')
    for (const message of all.told) {
      using again = listen(id, { since: message.id })
      const after = all.told.slice(all.told.indexOf(message) + 1).filter(({ type }) => type !== 'status_change')
      const events = (): TaskUpdate[] => again.told.filter(({ type }) => type !== 'status_change')
      await waitFor(() => again.types().includes('status_change') || message === all.told.at(-1), { what: 'the state' })
      await waitFor(() => events().length >= after.length, { what: `what came after ${message.id}` })
      expect(events()).toEqual(after)
    }
    const last = all.told.at(-1)?.id ?? ''
    await callers.server.restart()
    expect((await all.ended).code).toBe(4503)
    using after = listen(id, { since: last })
    await hand.report({ type: 'approval.cancelled', data: { approval: ask.approval, reason: 'agent_withdrew' } })
    await step(hand, 's4')
    await waitFor(() => after.types().filter((type) => type === 'step_complete').length === 1, { what: 'the step' })
    expect(after.types()).not.toContain('approval_request')
  })

  it('[TA7] end for what failed or was cancelled, and for what is over already', async () => {
    const failed = await work()
    using first = listen(failed.id)
    await toldAfter(first, 1, 'how it stands')
    await over(failed.hand, 'failed', 'It fell over.')
    expect((await first.ended).code).toBe(1000)
    expect(first.told.slice(1)).toMatchObject([
      { type: 'error', data: { message: 'It fell over.' } },
      { type: 'status_change', data: { status: 'failed' } },
    ])
    const card = uuidV7()
    const session = uuidV7()
    await callers.command(owner, `task:${card}`, 'task.create', { project: 'default', title: 'x' })
    await callers.command(owner, `session:${session}`, 'session.start', {
      project: 'default',
      agent: 'demo',
      task: card,
    })
    await callers.command(owner, `session:${session}`, 'session.abort', {})
    using second = listen(card)
    expect((await second.ended).code).toBe(1000)
    expect(second.told).toMatchObject([
      { type: 'status_change', data: { status: 'cancelled' } },
      { type: 'cancelled', data: { taskId: session, result: null } },
    ])
  })

  it('[TA9] tell where a task stands in the queue, as that changes', async () => {
    await callers.command(owner, 'project:default', 'project.limit_sessions', { sessions: 1 })
    const token = callers.who['runner of this machine']?.token ?? ''
    const link = callers.server.link({ credential: { kind: 'token', token }, client: 'queue' })
    await waitFor(() => link.connection.value.status === 'open', { what: 'the machine' })
    const start = async (): Promise<string> => {
      const session = uuidV7()
      await callers.command(owner, `session:${session}`, 'session.start', { project: 'default', agent: 'demo' })
      return session
    }
    const [first, second] = [await start(), await start()]
    const agents = [{ agent: 'demo', name: 'Demo', description: '', available: true }]
    expect(
      await link.request('PUT', '/api/runner', { name: 'm', version: '0', platform: 'x', agents, holds: [] }),
    ).toMatchObject({ ok: true })
    using listener = listen(second)
    const places = (): (number | undefined)[] =>
      listener.told.flatMap(({ type, data }) => (type === 'queue_update' ? [data.queuePosition] : []))
    await waitFor(() => places().at(-1) === 2, { what: 'the second place' })
    await callers.command(owner, `session:${first}`, 'session.abort', {})
    await waitFor(() => places().at(-1) === 1, { what: 'the first place' })
    await callers.command(owner, `session:${second}`, 'session.abort', {})
    expect((await listener.ended).code).toBe(1000)
    await callers.command(owner, 'project:default', 'project.limit_sessions', { sessions: null })
  })

  it('[TA10] [T26] refuse who may not read it as what is not there, and say what is wrong with a request', async () => {
    const { id } = await work()
    const codeFor = async (task: string, more: Parameters<typeof listen>[1] = {}): Promise<unknown> => {
      using listener = listen(task, more)
      const { code } = await listener.ended
      return [code, listener.told.at(-1)?.data.message]
    }
    const stranger = callers.who['stranger by token']?.token ?? ''
    expect(await codeFor(id, { token: stranger })).toEqual(await codeFor(uuidV7()))
    expect(await codeFor(id, { token: stranger })).toMatchObject([4404, expect.stringContaining('nothing here')])
    expect(await codeFor(id, { since: 'yesterday' })).toMatchObject([4400, expect.stringContaining('"since"')])
    expect(await codeFor(id, { since: 'aaaaaaaa.1.0' })).toMatchObject([4410, expect.stringContaining('Come again')])
    const target = { port: callers.port, path: '/api/agent/no%20id/updates' }
    expect(await requestUpgrade(target)).toMatchObject({ kind: 'refused', response: { status: 400 } })
    const { status, body } = await callers.call('GET', `/api/agent/${id}/updates`, owner)
    expect([status, body]).toMatchObject([400, { detail: expect.stringContaining('WebSocket') as string }])
  })

  it('[TA10] whoever speaks into it is told that nothing is said here, and loses the line after a few times', async () => {
    const { id, hand } = await work()
    const socket = new WebSocket(`${callers.server.url.replace('http', 'ws')}/api/agent/${id}/updates`)
    const told: { type: string; data: { message?: string } }[] = []
    const ended = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))
    socket.addEventListener('message', ({ data }) => told.push(JSON.parse(String(data)) as (typeof told)[number]))
    socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'hello', token: callers.server.token })))
    await waitFor(() => told.length === 1, { what: 'how it stands' })
    socket.send('{"type":"approve"}')
    await waitFor(() => told.length === 2, { what: 'the refusal' })
    expect(told[1]).toMatchObject({
      type: 'error',
      data: { message: expect.stringContaining('Nothing is said here') as string },
    })
    await hand.report({ type: 'turn.started', data: { turn: 'u1' } })
    await waitFor(() => told.length === 3, { what: 'what goes on' })
    for (let at = 0; at < 6; at += 1) socket.send('nonsense')
    expect(await ended).toBe(4400)
  })
})
