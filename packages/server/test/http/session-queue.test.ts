import { uuidV7 } from '@hotline/client/uuid'
import { httpRequest } from '@hotline/client/http-request'
import type { Link } from '@hotline/client/link'
import type { QueuePlace } from '@hotline/protocol/queue'
import { type HandRunner, takeByHand } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
let owner: Who
beforeEach(async () => {
  callers = await openCallers()
  ;({ owner } = callers)
})
afterEach(() => callers[Symbol.asyncDispose]())

/** A machine that is connected, and has said how much it takes. */
async function machine(name: 'runner' | 'runner of this machine', takes: object): Promise<Link & { token: string }> {
  const token = callers.who[name]?.token ?? ''
  const link = callers.server.link({ credential: { kind: 'token', token }, client: name })
  await waitFor(() => link.connection.value.status === 'open', { what: name })
  const agents = [{ agent: 'demo', name: 'Demo', description: '', available: true }]
  const said = await link.request('PUT', '/api/runner', {
    name,
    version: '0',
    platform: 'x',
    agents,
    holds: [],
    ...takes,
  })
  expect(said).toMatchObject({ ok: true })
  return Object.assign(link, { token })
}

async function start(more: object = {}): Promise<string> {
  const session = uuidV7()
  await callers.command(owner, `session:${session}`, 'session.start', {
    project: 'default',
    agent: 'demo',
    title: 'x',
    ...more,
  })
  return session
}

async function workOf(link: Link): Promise<string[]> {
  const answer = await link.request<{ work: { session: string; status: string }[] }>('GET', '/api/runner/work')
  if (!answer.ok) throw new Error(answer.problem.detail)
  return answer.value.work.filter(({ status }) => status === 'queued').map(({ session }) => session)
}

async function queue(who: Who = owner): Promise<QueuePlace[]> {
  const { status, body } = await callers.call('GET', '/api/queue', who)
  expect(status).toBe(200)
  return (body as { queue: QueuePlace[] }).queue
}

/** Takes one as a runner does; answers the code of the refusal. */
async function take(link: Link & { token: string }, session: string): Promise<string> {
  const command = { id: uuidV7(), stream: `session:${session}`, type: 'lease.take', data: {} }
  const answer = await httpRequest(
    callers.server.url,
    { kind: 'token', token: link.token },
    'POST',
    '/api/commands',
    command,
  )
  return answer.ok ? 'taken' : answer.problem.code
}

const end = (hand: HandRunner): Promise<unknown> =>
  hand.report({
    type: 'session.state_changed',
    data: { from: 'starting', to: 'failed', reason: 'start_failed' },
    body: {},
  })

describe('sessions that wait for a machine', () => {
  it('[SQ2] [SQ3] a machine hears of as many as it takes, takes no more, and of the next when one has ended', async () => {
    const first = await start()
    expect(await queue()).toMatchObject([{ session: first, why: 'no_machine', position: null, wait: null }])
    const link = await machine('runner of this machine', { sessionsMax: 1 })
    const second = await start()
    expect(await workOf(link)).toEqual([first])
    expect(await queue()).toMatchObject([
      { session: first, why: 'starting', position: 1 },
      { session: second, why: 'machine_full', position: 2, priority: 'normal', agent: 'demo', project: 'default' },
    ])
    expect(await take(link, second)).toBe('must_wait')
    const hand = await takeByHand(first, link)
    expect(await workOf(link)).toEqual([])
    expect(await take(link, second)).toBe('must_wait')
    let called = 0
    link.ephemeral(({ kind }) => (called += kind === 'work' ? 1 : 0))
    await end(hand)
    await waitFor(() => called > 0, { what: 'a call for the next one' })
    expect(await workOf(link)).toEqual([second])
    expect(await take(link, second)).toBe('taken')
    expect(await queue()).toEqual([])
  })

  it('[SQ2] of two machines that ask at the same moment, no more begin than the project may have at work', async () => {
    await callers.command(owner, 'project:default', 'project.limit_sessions', { sessions: 2 })
    const links = [await machine('runner of this machine', {}), await machine('runner', { sessionsMax: 5 })]
    const sessions = await Promise.all(Array.from({ length: 6 }, () => start()))
    const asked = await Promise.all(sessions.flatMap((session) => links.map((link) => take(link, session))))
    expect(asked.filter((code) => code === 'taken')).toHaveLength(2)
    expect(await queue()).toMatchObject(Array.from({ length: 4 }, () => ({ why: 'project_full' })))
    await callers.command(owner, 'project:default', 'project.limit_sessions', { sessions: null })
    expect(await queue()).toMatchObject(Array.from({ length: 4 }, () => ({ why: 'starting' })))
  })

  it('[SQ1] an urgent card goes before what waits, and agents have limits of their own', async () => {
    const agents = [
      { agent: 'demo', name: 'Demo', description: '', available: true, sessionsMax: 1 },
      { agent: 'other', name: 'Other', description: '', available: true },
    ]
    const link = await machine('runner of this machine', { agents })
    const plain = await start()
    const task = uuidV7()
    await callers.command(owner, `task:${task}`, 'task.create', {
      project: 'default',
      title: 'Now',
      priority: 'urgent',
    })
    const urgent = await start({ task })
    const other = await start({ agent: 'other' })
    expect(await workOf(link)).toEqual([urgent, other])
    expect(await queue()).toMatchObject([
      { session: urgent, priority: 'urgent', why: 'starting' },
      { session: plain, why: 'agent_full', position: 2 },
      { session: other, why: 'starting' },
    ])
  })

  it('[SQ6] what asks for labels waits for a machine that has them all, and is told of to no other', async () => {
    const plain = await machine('runner of this machine', { labels: ['linux'] })
    const wanting = await start({ labels: ['gpu', 'linux'] })
    expect(await queue()).toMatchObject([{ session: wanting, why: 'no_machine', position: null }])
    expect(await workOf(plain)).toEqual([])
    expect(await take(plain, wanting)).toBe('must_wait')
    const other = await start()
    expect(await workOf(plain)).toEqual([other])
    const strong = await machine('runner', { labels: ['gpu', 'linux'], sessionsMax: 1 })
    expect(await workOf(strong)).toEqual([wanting])
    const { body } = await callers.call('GET', '/api/agents', owner)
    const rows = (body as { agents: { runner: string; labels?: string[] }[] }).agents
    expect(rows.map(({ runner, labels }) => [runner, labels])).toEqual([
      ['runner of this machine', ['linux']],
      ['runner', ['gpu', 'linux']],
    ])
    expect(await take(strong, wanting)).toBe('taken')
    const wrong = { id: uuidV7(), stream: `session:${uuidV7()}`, type: 'session.start' }
    for (const labels of [[], ['with blank'], ['x'.repeat(41)], ['']]) {
      const data = { project: 'default', agent: 'demo', labels }
      expect((await callers.call('POST', '/api/commands', owner, { ...wrong, data })).status).toBe(400)
    }
  })

  it('[SQ4] [SQ5] people are told live where theirs stands, and how long it will probably be once that was measured', async () => {
    const link = await machine('runner of this machine', { sessionsMax: 1 })
    for (let at = 0; at < 5; at += 1) await end(await takeByHand(await start(), link))
    const told: (readonly QueuePlace[])[] = []
    const person = callers.server.link()
    person.ephemeral((frame) => {
      if (frame.kind === 'queue' && frame.stream === 'project:default') told.push(frame.queue ?? [])
    })
    person.follow('project:default', '0', {
      events: () => undefined,
      reset: () => undefined,
    })
    const hand = await takeByHand(await start(), link)
    const waiting = await start()
    await waitFor(() => told.at(-1)?.length === 1, { what: 'its place' })
    expect(told.at(-1)).toMatchObject([{ session: waiting, position: 1, why: 'machine_full', wait: { of: 5 } }])
    const wait = told.at(-1)?.[0]?.wait
    expect(wait && wait.lowS <= wait.likelyS && wait.likelyS <= wait.highS).toBe(true)
    await end(hand)
    await waitFor(() => told.at(-1)?.[0]?.why === 'starting', { what: 'its turn' })
    await callers.command(owner, `session:${waiting}`, 'session.abort', {})
    await waitFor(() => told.at(-1)?.length === 0, { what: 'an empty queue' })
  })

  it('[SQ5] [T26] nobody sees what waits in projects that are not theirs', async () => {
    await start()
    expect(await queue(callers.who['viewer by token'] ?? {})).toHaveLength(1)
    expect(await queue(callers.who['stranger by token'] ?? {})).toEqual([])
    expect(await queue(callers.who['owner for elsewhere'] ?? {})).toEqual([])
  })
})
