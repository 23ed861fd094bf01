import { uuidV7 } from '@hotline/client/uuid'
import { TaskAnswer, type TaskStatus } from '@hotline/protocol/task-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type Answered, type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
let owner: Who
beforeAll(async () => {
  callers = await openCallers()
  owner = callers.owner
  // A machine that is there.
  await callers.server.startSession('Its first')
  const row = { agent: 'demo', name: 'Demo agent', description: '', available: true, state: 'ready', ownFolder: true }
  const others = [{ agent: 'claude', name: 'Claude', description: '', available: true, state: 'ready' }]
  const announced = { name: 'here', version: '1', platform: 'test', agents: [row, ...others], holds: [] }
  const { status } = await callers.call('PUT', '/api/runner', callers.who['runner of this machine'] ?? {}, announced)
  expect(status).toBe(200)
})
afterAll(() => callers[Symbol.asyncDispose]())

const call = (method: string, path: string, body?: object): Promise<Answered> =>
  callers.call(method, `/api/agent${path}`, owner, body)

/** Hands a task in, and takes its session as its machine would. */
async function submit(task: string, more: object = {}): Promise<{ id: string; card: string; hand: HandRunner }> {
  const { status, body } = await call('POST', '', { task, ...more })
  expect({ status, body }).toMatchObject({ status: 201, body: { success: true, data: { status: 'pending' } } })
  const { taskId, conversationId } = (body as { data: { taskId: string; conversationId: string } }).data
  return { id: taskId, card: conversationId, hand: await callers.server.take(taskId) }
}

async function read(task: string, query = ''): Promise<TaskAnswer['data']> {
  const { status, body } = await call('GET', `/${task}${query}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return TaskAnswer.parse(body).data
}

const status = async (task: string): Promise<TaskStatus> => (await read(task)).task.status

async function begin(hand: HandRunner, turn = 'u1'): Promise<void> {
  const { queue } = await stateOf(hand)
  const [message] = queue
  await hand.report(
    ...(message ? [{ type: 'message.delivered' as const, data: { message: message.message, turn } }] : []),
    { type: 'turn.started', data: { turn } },
  )
}

async function stateOf(hand: HandRunner): Promise<{ queue: { message: string }[] }> {
  const { body } = await callers.call('GET', `/api/sessions/${hand.session}`, owner)
  return (body as { state: { queue: { message: string }[] } }).state
}

const end = (hand: HandRunner, turn = 'u1', how: 'end' | 'error' = 'end'): Promise<unknown> =>
  hand.report({ type: 'turn.ended', data: { turn, end: how }, body: how === 'error' ? { error: 'overloaded' } : {} })

const complete = (hand: HandRunner): Promise<unknown> =>
  hand.report({
    type: 'session.state_changed',
    data: { from: 'active', to: 'completed', reason: 'requested' },
    body: {},
  })

describe('the Task API', () => {
  it('[TA1] a task is handed in, worked at step by step, and over when its turn is', async () => {
    const { id, card, hand } = await submit('Mend the redirect\n\nIt drops the query.', {
      priority: 2,
      context: { ref: 17 },
    })
    expect(await status(id)).toBe('running')
    const message = (await stateOf(hand)).queue[0]?.message ?? ''
    await hand.report({ type: 'message.delivered', data: { message, turn: 'u1' } })
    // It has its message, and its turn has not begun: whoever waits for the end is not told that nothing goes on.
    expect((await stateOf(hand)).queue).toEqual([])
    expect(await status(id)).toBe('running')
    await hand.report({ type: 'turn.started', data: { turn: 'u1' } })
    await hand.report(
      { type: 'step.started', data: { step: 's1', kind: 'read' }, body: { title: 'Read session.ts' } },
      { type: 'step.progressed', data: { step: 's1', progress: 0.25 }, body: {} },
    )
    const now = await read(id)
    expect(now).toMatchObject({
      task: { id, conversationId: card, title: 'Mend the redirect', task: 'Mend the redirect\n\nIt drops the query.' },
      currentExecution: { step: { id: 's1', title: 'Read session.ts', kind: 'read' }, progress: 25, status: 'running' },
      logs: expect.arrayContaining([
        expect.objectContaining({
          type: 'message.posted',
          message: expect.stringContaining('Mend the redirect') as string,
        }),
      ]) as unknown,
    })
    const waiting = read(id, '?wait=25')
    await hand.report(
      { type: 'step.finished', data: { step: 's1', outcome: 'done' }, body: {} },
      { type: 'message.completed', data: { message: 'm1', chars: 5 }, body: { text: 'Done.' } },
    )
    await end(hand)
    await complete(hand)
    expect(await waiting).toMatchObject({ task: { status: 'completed', result: 'Done.', error: null } })
    expect((await waiting).currentExecution).toBeUndefined()
    const { body } = await callers.call('GET', `/api/tasks/${card}`, owner)
    expect(body).toMatchObject({ task: { priority: 'high', title: 'Mend the redirect', sessions: [{ session: id }] } })
    const history = await callers.call('GET', `/api/projects/default/tasks/${card}/interactions`, owner)
    expect(history.body).toMatchObject({ interactions: [{ metadata: { ref: 17 } }, { content: 'Done.' }] })
  })

  it('[TA1] the session is asked to end where its turn came to an end, and not where it broke off or more is to do', async () => {
    const { id, hand } = await submit('First')
    await begin(hand)
    await callers.command(owner, hand.stream, 'message.send', { text: 'And then this' })
    await end(hand)
    expect(await status(id)).toBe('running')
    await begin(hand, 'u2')
    await end(hand, 'u2', 'error')
    expect(await read(id, '?wait=25')).toMatchObject({ task: { status: 'idle', error: 'overloaded' } })
    await callers.command(owner, hand.stream, 'message.send', { text: 'Again' })
    await begin(hand, 'u3')
    await end(hand, 'u3')
    const { body } = await callers.call('GET', `/api/sessions/${id}`, owner)
    expect(body).toMatchObject({ state: { ending: 'completed' } })
  })

  it('[TA2] the same Idempotency-Key makes one task, and goes on where a first try stopped', async () => {
    const key = uuidV7()
    const send = async (task: string): Promise<{ status: number; body: unknown }> => {
      const response = await fetch(new URL('/api/agent', callers.server.url), {
        method: 'POST',
        headers: {
          origin: callers.server.url,
          authorization: `Bearer ${callers.server.token}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify({ task }),
      })
      return { status: response.status, body: await response.json() }
    }
    const first = await send('Once')
    expect(first.status).toBe(201)
    expect(await send('Once')).toEqual(first)
    expect(await send('Something else')).toMatchObject({
      status: 409,
      body: { success: false, code: 'idempotency_mismatch' },
    })
  })

  it('[TA3] what it asks is answered over it: allowed, changed, denied, and by whom first', async () => {
    const { id, hand } = await submit('Ask me')
    await begin(hand)
    const input = JSON.stringify({ command: 'npm test', timeout: 5 })
    const ask = (): Promise<{ approval: string; digest: string }> => hand.ask({ tool: 'Bash', title: 'Test', input })
    const [one, two, three] = [await ask(), await ask(), await ask()]
    const now = await read(id)
    expect(now.task.status).toBe('waiting_approval')
    expect(now.approvals[0]).toMatchObject({ approvalId: one.approval, tool: 'Bash', input, digest: one.digest })
    const approve = (body: object): Promise<Answered> => call('POST', `/${id}/approve`, body)
    const answered = (outcome: string) => ({ status: 200, body: { success: true, data: { taskId: id, outcome } } })
    expect(await approve({ approvalId: one.approval, approved: true, message: 'Go' })).toMatchObject(
      answered('allowed'),
    )
    const modifiedParameters = { command: 'npm run test:unit' }
    expect(await approve({ approvalId: two.approval, approved: true, modifiedParameters })).toMatchObject(
      answered('allowed_modified'),
    )
    expect(await approve({ approvalId: three.approval, approved: false, digest: three.digest })).toMatchObject(
      answered('denied'),
    )
    const { body } = await callers.call('GET', `/api/sessions/${id}/events?limit=1000`, owner)
    const { events } = body as { events: { type: string; body?: { input?: string } }[] }
    expect(events.filter(({ type }) => type === 'approval.resolved').map((event) => event.body?.input)).toContain(
      JSON.stringify({ command: 'npm run test:unit', timeout: 5 }),
    )
    // Second answers, wrong forms, and what is not there.
    const four = await ask()
    for (const [more, wanted, code] of [
      [{ approvalId: one.approval, approved: false }, 409, 'already_resolved'],
      [{ approvalId: 'none', approved: true }, 404, 'not_found'],
      [{ approvalId: four.approval, approved: true, digest: 'a'.repeat(64) }, 409, 'digest_mismatch'],
      [{ approvalId: four.approval, approved: true, modifiedParameters: { timeout: 'long' } }, 400, 'invalid_request'],
      [{ approvalId: four.approval }, 400, 'invalid_request'],
      [{ approvalId: four.approval, approved: 'yes' }, 400, 'invalid_request'],
    ] as const) {
      const answer = await approve(more)
      expect([more, answer.status, answer.body]).toMatchObject([more, wanted, { success: false, code }])
    }
    expect((await read(id)).approvals.map(({ approvalId }) => approvalId)).toEqual([four.approval])
  })

  it('[TA4] it is cancelled once, and what is over is not', async () => {
    const { body } = await call('POST', '', { task: 'Never begun' })
    const { taskId } = (body as { data: { taskId: string } }).data
    expect(await call('DELETE', `/${taskId}`)).toMatchObject({
      status: 200,
      body: { success: true, data: { taskId, status: 'cancelled' } },
    })
    expect(await call('DELETE', `/${taskId}`)).toMatchObject({ status: 409, body: { success: false } })
    expect(await status(taskId)).toBe('cancelled')
  })

  it('[TA5] history is listed by status and time, the newest first, and a card stands for its newest session', async () => {
    const first = await submit('Of a conversation')
    const again = await submit('Goes on', { conversationId: first.card })
    expect(again.card).toBe(first.card)
    expect(await read(first.card)).toMatchObject({ task: { id: again.id, task: 'Goes on' } })
    const list = async (query: string): Promise<{ tasks: { id: string; status: string }[]; total: number }> => {
      const answer = await call('GET', `/history?${query}`)
      expect(answer.status, JSON.stringify(answer.body)).toBe(200)
      return (answer.body as { data: { tasks: { id: string; status: string }[]; total: number } }).data
    }
    const newest = await list('limit=2')
    expect(newest.tasks.map(({ id }) => id)).toEqual([again.id, first.id])
    expect(newest.total).toBeGreaterThan(2)
    expect((await list('limit=1&offset=1')).tasks.map(({ id }) => id)).toEqual([first.id])
    const cancelled = await list('status=cancelled')
    expect(new Set(cancelled.tasks.map(({ status: of }) => of))).toEqual(new Set(['cancelled']))
    expect((await list('dateFrom=2999-01-01')).total).toBe(0)
    expect((await list('dateTo=2001-01-01T00:00:00Z')).total).toBe(0)
    expect((await list('dateFrom=2001-01-01')).total).toBe(newest.total)
  })

  it.each([
    ['POST', '', {}, 400],
    ['POST', '', { task: '' }, 400],
    ['POST', '', { task: 'x', priority: 9 }, 400],
    ['POST', '', { task: 'x', other: 1 }, 400],
    ['POST', '', { task: 'x', context: { project: 'nowhere' } }, 404],
    ['POST', '', { task: 'x', context: { agent: 'claude' } }, 400],
    ['POST', '', { task: 'x', conversationId: 'none' }, 404],
    ['POST', '', { task: 'x'.repeat(2_001) }, 400],
    ['GET', '/none', undefined, 404],
    ['GET', '/none?wait=26', undefined, 400],
    ['GET', '/history?limit=0', undefined, 400],
    ['GET', '/history?status=done', undefined, 400],
    ['GET', '/history?dateFrom=yesterday', undefined, 400],
    ['POST', '/none/approve', { approvalId: 'a', approved: true }, 404],
    ['POST', '/none/undo', {}, 404],
    ['DELETE', '/none', undefined, 404],
  ] as const)(
    '[TA6] %s %s: what is wrong is told with a sentence and success: false',
    async (method, path, body, wanted) => {
      const answer = await call(method, path, body)
      expect(answer).toMatchObject({
        status: wanted,
        body: { success: false, status: wanted, detail: expect.any(String) as string },
      })
    },
  )
})
