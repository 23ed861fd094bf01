import type { Role } from '@hotline/protocol/actor'
import { type Command, type CommandInput, type CommandType, parseCommand } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import { limits } from '@hotline/protocol/limits'
import type { TaskColumn } from '@hotline/protocol/task'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Owners } from '../src/access/owners.ts'
import type { Principal } from '../src/access/principal.ts'
import { Follower } from '../src/feed/follower.ts'
import type { SharedFrame } from '../src/feed/shared-frame.ts'
import { noFailpoints } from '../src/log/failpoints.ts'
import { systemClock, timestamp } from '../src/machine/clock.ts'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { Exchange, type Rights } from '../src/session/exchange.ts'
import type { CommandOutcome } from '../src/session/outcome.ts'
import { accepted, agentEvent, freely } from '@hotline/testing/log-bench'
import { machine, type Middle, openMiddle, person } from '@hotline/testing/middle'

let middle: Middle
const stream = 'session:s1'

beforeEach(async () => {
  middle = await openMiddle()
  await middle.send(systemPrincipal, stream, 'session.start', { project: 'p1', agent: 'demo' })
})
afterEach(async () => {
  expect(middle.faults).toEqual([])
  await middle.close()
})

const ports = (): ConstructorParameters<typeof Exchange>[0] => ({
  store: middle.store,
  lists: middle.lists,
  bus: middle.bus,
  failpoints: noFailpoints,
  fault: (error) => middle.faults.push(error),
  now: () => timestamp(systemClock),
})

/** An exchange in which the passwords are said, until it is late. */
function withoutProof(): { exchange: Exchange; late: () => void } {
  let missing: Problem | undefined
  const rights: Rights = {
    roleOf: (project, account) => middle.lists.roleOf(project, account),
    proofMissing: () => missing,
    owners: new Owners(middle.lists),
  }
  const late = (): void => {
    missing = problem('password_needed', 'Say it again.')
  }
  return { exchange: new Exchange(ports(), rights), late }
}

function command<T extends CommandType>(id: string, to: string, type: T, data: CommandInput<T>): Command {
  const parsed = parseCommand({ id, stream: to, type, data })
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
  return parsed.command
}

function eventsIn(frames: readonly SharedFrame[]): Envelope[] {
  return frames.flatMap(({ json }) => {
    const frame = JSON.parse(Buffer.from(json).toString()) as { t: string; events: Envelope[] }
    return frame.t === 'events' ? frame.events : []
  })
}

describe('commands', () => {
  it('[X1] the same command sent many times at once and later happens once, with the same answer', async () => {
    const send = (): ReturnType<Middle['send']> =>
      middle.send(systemPrincipal, stream, 'message.send', { text: 'once' }, 'same')
    const answers = [...(await Promise.all([send(), send(), send(), send(), send()])), await send()]
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toMatchObject({ ok: true })
    const stored = await middle.store.read(stream, { after: 0, limit: 100, maxBytes: 1e6 })
    expect(stored.filter(({ type }) => type === 'message.posted')).toHaveLength(1)
  })

  it('[X1] so does one that changed nothing: sent again later it does not happen after all', async () => {
    const task = 'task:t1'
    await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'owner' })
    await middle.send(person('dana'), task, 'task.create', { project: 'p1', title: 'A card', column: 'done' })
    const move = (to: TaskColumn, id: string): ReturnType<Middle['send']> =>
      middle.send(person('dana'), task, 'task.move', { to }, id)
    const first = await move('done', 'same')
    expect(first).toMatchObject({ ok: true })
    const before = await middle.store.head(task)
    expect(await move('done', 'same')).toEqual(first)
    expect(await middle.store.head(task)).toEqual(before)
    expect(await move('todo', 'other')).toMatchObject({ ok: true })
    expect(await move('done', 'same')).toEqual(first)
    expect((await middle.exchange.snapshot(task))?.state).toMatchObject({ column: 'todo' })
    expect(await move('review', 'same')).toMatchObject({ ok: false, problem: { code: 'idempotency_mismatch' } })
  })

  it('[X1] what was left out of a report stays out when the report comes again', async () => {
    const taken = await middle.send(machine, stream, 'lease.take', {})
    const fence = taken.ok ? (taken.accepted.fence ?? 0) : 0
    const posted = await middle.send(systemPrincipal, stream, 'message.send', { text: 'hello' }, 'm1')
    expect(posted).toMatchObject({ ok: true })
    const report = (): ReturnType<Middle['send']> => {
      const gone = { type: 'message.delivered', data: { message: 'never-sent' } } as const
      return middle.send(machine, stream, 'agent.report', { fence, events: [gone] }, 'r1')
    }
    const first = await report()
    expect(first).toMatchObject({ ok: true, accepted: { dropped: [{ index: 0 }] } })
    expect(await report()).toEqual(first)
  })

  it('[X1] a refusal is not remembered: nothing happened, and the same id may succeed later', async () => {
    const rename = (): ReturnType<Middle['send']> =>
      middle.send(person('dana'), stream, 'session.rename', { title: 'x' }, 'same')
    expect(await rename()).toMatchObject({ ok: false })
    await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'operator' })
    expect(await rename()).toMatchObject({ ok: true })
  })

  it('[X1] [A10] what was carried out gets its answer again when the password is no longer fresh', async () => {
    await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'owner' })
    const { exchange, late } = withoutProof()
    const add = (account: string) => {
      const data = { account, role: 'viewer' } as const
      return command('same', 'project:p1', 'member.add', data)
    }
    const first = await exchange.command(person('dana'), add('erin'))
    expect(first).toMatchObject({ ok: true })
    late()
    expect(await exchange.command(person('dana'), add('erin'))).toEqual(first)
    expect(await exchange.command(person('dana'), add('kim'))).toMatchObject({
      problem: { code: 'idempotency_mismatch' },
    })
    const another = command('other', 'project:p1', 'member.remove', { account: 'erin' })
    expect(await exchange.command(person('dana'), another)).toMatchObject({ problem: { code: 'password_needed' } })
  })

  it('[X1] who has become the last owner and sends an earlier change again gets its answer, not a refusal', async () => {
    const row = { password: '', admin: 0, disabled: 0, access_version: 1, created_at: timestamp(systemClock) }
    const rows = ['dana', 'erin'].map(
      (account) => ({ table: 'accounts', insert: { ...row, account, name: account, name_key: account } }) as const,
    )
    accepted(await middle.store.append([{ stream: 'server:main', expect: 'any', events: [], rows }]))
    const change = (by: Principal, account: string, role: Role, id?: string): ReturnType<Middle['send']> =>
      middle.send(by, 'project:p1', 'member.change', { account, role }, id)
    for (const account of ['dana', 'erin']) {
      await middle.send(systemPrincipal, 'project:p1', 'member.add', { account, role: 'owner' })
    }
    const first = await change(person('dana'), 'dana', 'admin', 'same')
    expect(first).toMatchObject({ ok: true })
    await change(systemPrincipal, 'dana', 'owner')
    await change(systemPrincipal, 'erin', 'admin')
    expect(await change(person('dana'), 'dana', 'admin', 'same')).toEqual(first)
    expect(await change(person('dana'), 'dana', 'admin')).toMatchObject({ problem: { code: 'last_owner' } })
  })

  it('[X7] a command whose right cannot be looked up is counted as well', async () => {
    const counted: CommandOutcome[] = []
    const roleOf = (): Promise<Role> => Promise.reject(new Error('the rows are away'))
    const exchange = new Exchange(
      ports(),
      { roleOf, proofMissing: () => undefined, owners: new Owners(middle.lists) },
      () => (outcome) => {
        counted.push(outcome)
      },
    )
    const sent = exchange.command(person('dana'), command('c', stream, 'session.rename', { title: 'x' }))
    await expect(sent).rejects.toThrow('the rows are away')
    expect(counted).toMatchObject([{ ok: false, problem: { code: 'storage_unavailable' } }])
  })

  it('[X2] an id that was used for another command is refused', async () => {
    await middle.send(systemPrincipal, stream, 'message.send', { text: 'one' }, 'same')
    const second = await middle.send(systemPrincipal, stream, 'message.send', { text: 'two' }, 'same')
    expect(second).toMatchObject({ ok: false, problem: { code: 'idempotency_mismatch', status: 409 } })
  })

  it('[X6] commands are carried out in the order in which they came, however long their rights take to look up', async () => {
    // Ports of the real middle; only the look-up of a role takes a while, and a shorter one each time.
    let turns = 40
    const roleOf = async (): Promise<Role> => {
      for (let turn = (turns -= 4); turn > 0; turn -= 1) await new Promise(setImmediate)
      return 'owner'
    }
    const rights = { roleOf, proofMissing: () => undefined, owners: new Owners(middle.lists) }
    const exchange = new Exchange(ports(), rights)
    const texts = Array.from({ length: 9 }, (_, at) => `text ${at}`)
    const sent = texts.map((text, at) =>
      exchange.command(person('dana'), command(`o${at}`, stream, 'message.send', { text })),
    )
    expect(await Promise.all(sent)).toHaveLength(9)
    const stored = await middle.store.read(stream, { after: 0, limit: 100, maxBytes: 1e6 })
    const events = stored.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Envelope)
    expect(events.filter(({ type }) => type === 'message.posted').map(({ body }) => body?.['text'])).toEqual(texts)
  })

  it('[X7] a log that cannot be read refuses a command as unavailable, so that it is sent again', async () => {
    await middle.store[Symbol.asyncDispose]()
    const refused = await middle.send(systemPrincipal, 'session:s2', 'session.rename', { title: 'x' })
    expect(refused).toMatchObject({ ok: false, problem: { code: 'storage_unavailable', retryAfterMs: 1_000 } })
    expect(middle.faults.splice(0)).toHaveLength(1)
  })

  it('[X2] two senders may use the same id', async () => {
    await middle.send(systemPrincipal, stream, 'message.send', { text: 'one' }, 'same')
    const other = { ...systemPrincipal, id: 'other' }
    expect(await middle.send(other, stream, 'message.send', { text: 'two' }, 'same')).toMatchObject({ ok: true })
  })

  it('[X3] the state that is stored is the fold of the log, and the list shows it', async () => {
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        middle.send(systemPrincipal, stream, 'message.send', { text: `m${index}` }),
      ),
    )
    await middle.send(machine, stream, 'lease.take', {})
    const head = await middle.store.head(stream)
    const snapshot = await middle.exchange.snapshot(stream)
    expect(JSON.parse(head?.state ?? '')).toEqual(JSON.parse(JSON.stringify(snapshot?.state)))
    expect(await middle.lists.session('s1')).toMatchObject({ status: 'starting', runner: 'r1' })
    const lines = await middle.store.read('project:p1', { after: 0, limit: 100, maxBytes: 1e6 })
    expect(lines.filter(({ type }) => type === 'session.indexed')).toHaveLength(2)
  })
})

describe('rights', () => {
  it('[X4] a stranger sees nothing and is told nothing: not there and not theirs look the same', async () => {
    const stranger = person('mallory')
    const theirs = await middle.send(stranger, stream, 'message.send', { text: 'hi' })
    const absent = await middle.send(stranger, 'session:none', 'message.send', { text: 'hi' })
    expect(theirs).toEqual(absent)
    expect(theirs).toMatchObject({ ok: false, problem: { status: 404 } })
    expect(await middle.exchange.mayRead(stranger, stream)).toBe(false)
  })

  it.each([
    ['viewer', 'message.send', { text: 'x' }, 403],
    ['operator', 'message.send', { text: 'x' }, 'ok'],
    ['operator', 'approval.decide', { approval: 'a', digest: 'a'.repeat(64), verdict: 'allow' }, 403],
    ['approver', 'approval.decide', { approval: 'a', digest: 'a'.repeat(64), verdict: 'allow' }, 404],
    ['operator', 'draft.review', { draft: 'd', digest: 'a'.repeat(64), keep: ['a'], commit: { message: 'm' } }, 409],
    [
      'operator',
      'draft.review',
      { draft: 'd', digest: 'a'.repeat(64), keep: ['a'], commit: { message: 'm', into: 'main' } },
      403,
    ],
    [
      'approver',
      'draft.review',
      { draft: 'd', digest: 'a'.repeat(64), keep: ['a'], commit: { message: 'm', into: 'main' } },
      409,
    ],
    ['owner', 'agent.report', { fence: 1, events: [{ type: 'turn.started', data: { turn: 't' } }] }, 403],
    ['owner', 'approval.expire', { approval: 'a' }, 403],
  ] as const)('[X5] [DR8] a %s who sends %s', async (role, type, data, expected) => {
    await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'admin' })
    if (role !== 'owner') await middle.send(systemPrincipal, 'project:p1', 'member.change', { account: 'dana', role })
    const answer = await middle.send(person('dana'), stream, type, structuredClone(data) as CommandInput<typeof type>)
    expect(answer.ok ? 'ok' : answer.problem.status).toBe(expected)
  })

  it('[X5] a credential without the scope cannot do what its account may', async () => {
    await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'approver' })
    const reader = person('dana', { scopes: ['read'] })
    expect(await middle.send(reader, stream, 'message.send', { text: 'x' })).toMatchObject({
      problem: { code: 'forbidden' },
    })
    const elsewhere = person('dana', { projects: ['p2'] })
    expect(await middle.send(elsewhere, stream, 'message.send', { text: 'x' })).toMatchObject({
      problem: { code: 'not_found' },
    })
  })
})

describe('followers', () => {
  /** A sink that can be made full. */
  function openSink() {
    const frames: SharedFrame[] = []
    return { frames, full: false, acknowledges: true, send: (frame: SharedFrame) => void frames.push(frame) }
  }
  const on = { caughtUp: () => undefined, failed: (error: unknown) => middle.faults.push(error) }

  it('[F1] joining at any moment of a stream of appends loses and doubles nothing', async () => {
    const sinks: ReturnType<typeof openSink>[] = []
    const followers: Follower[] = []
    const appends: Promise<unknown>[] = []
    for (let index = 0; index < 300; index += 1) {
      appends.push(middle.send(systemPrincipal, stream, 'session.rename', { title: `t${index}` }))
      if (index % 3 === 0) {
        const feed = await middle.feeds.open(stream)
        if (!feed) throw new Error('no feed')
        const sink = openSink()
        const follower = new Follower(feed, index % 2 === 0 ? 0 : Math.min(index, feed.head), sink, on)
        follower.resume()
        sinks.push(sink)
        followers.push(follower)
      }
    }
    await Promise.all(appends)
    const head = (await middle.store.head(stream))?.head ?? 0
    for (const [index, sink] of sinks.entries()) {
      await expect.poll(() => eventsIn(sink.frames).at(-1)?.seq).toBe(head)
      const seqs = eventsIn(sink.frames).map(({ seq }) => seq)
      expect(seqs, `follower ${index}`).toEqual(Array.from({ length: seqs.length }, (_, at) => (seqs[0] ?? 0) + at))
    }
    for (const follower of followers) follower.close()
  })

  it('[F1] what is in the log and was never published is read once its head is told', async () => {
    const feed = await middle.feeds.open(stream)
    if (!feed) throw new Error('no feed')
    const sink = openSink()
    const follower = new Follower(feed, 0, sink, on)
    follower.resume()
    await expect.poll(() => eventsIn(sink.frames).at(-1)?.seq).toBe(feed.head)
    // As after a commit whose answer said that nobody knows: it is there, and the bus never had it.
    const [appended] = accepted(await middle.store.append([freely(stream, agentEvent('unheard'))]))
    const { epoch = '', head = 0 } = appended ?? {}
    expect(feed.head).toBe(head - 1)
    middle.bus.publish([{ stream, epoch, head, events: [] }])
    await expect.poll(() => eventsIn(sink.frames).at(-1)?.seq).toBe(head)
    const seqs = eventsIn(sink.frames).map(({ seq }) => seq)
    expect(seqs).toEqual(Array.from({ length: head }, (_, at) => at + 1))
    follower.close()
  })

  it('[F2] a reader that stops costs a position, not memory, and gets everything when it goes on', async () => {
    const feed = await middle.feeds.open(stream)
    if (!feed) throw new Error('no feed')
    const stalled = openSink()
    const healthy = openSink()
    stalled.full = true
    const slow = new Follower(feed, 0, stalled, on)
    const quick = new Follower(feed, 0, healthy, on)
    slow.resume()
    quick.resume()
    for (let index = 0; index < 200; index += 1)
      await middle.send(systemPrincipal, stream, 'session.rename', { title: `t${index}` })
    expect(eventsIn(stalled.frames)).toEqual([])
    quick.acknowledge(feed.head)
    await expect.poll(() => eventsIn(healthy.frames).at(-1)?.seq).toBe(feed.head)
    stalled.full = false
    slow.resume()
    await expect.poll(() => eventsIn(stalled.frames).at(-1)?.seq).toBe(feed.head)
    expect(eventsIn(stalled.frames).map(({ seq }) => seq)).toEqual(Array.from({ length: feed.head }, (_, at) => at + 1))
    slow.close()
    quick.close()
  })

  it('[F3] without acknowledgements no more than the window is sent', async () => {
    const feed = await middle.feeds.open(stream)
    if (!feed) throw new Error('no feed')
    const title = 'x'.repeat(190)
    for (let batch = 0; batch < 12; batch += 1) {
      await Promise.all(
        Array.from({ length: 500 }, () => middle.send(systemPrincipal, stream, 'session.rename', { title })),
      )
    }
    const sink = openSink()
    const follower = new Follower(feed, 0, sink, on)
    follower.resume()
    await expect.poll(() => sink.frames.length).toBeGreaterThan(2)
    const sent = (): number => sink.frames.reduce((sum, { json }) => sum + json.length, 0)
    await expect.poll(() => sent()).toBeGreaterThan(limits.unacknowledgedBytes)
    expect(sent()).toBeLessThan(limits.unacknowledgedBytes + 2 * limits.pageBytes)
    const before = sent()
    follower.acknowledge(eventsIn(sink.frames).at(-1)?.seq ?? 0)
    await expect.poll(() => sent()).toBeGreaterThan(before)
    follower.close()
  })

  it('[F4] what a person waits for overtakes bulk that waits, and still comes in its place', async () => {
    const feed = await middle.feeds.open(stream)
    if (!feed) throw new Error('no feed')
    await middle.send(machine, stream, 'lease.take', {})
    const active = { from: 'starting', to: 'active', reason: 'agent_ready' } as const
    await middle.send(machine, stream, 'agent.report', {
      fence: 1,
      events: [{ type: 'session.state_changed', data: active, body: {} }],
    })
    const sink = openSink()
    const follower = new Follower(feed, 0, sink, on)
    follower.resume()
    await expect.poll(() => eventsIn(sink.frames).at(-1)?.seq).toBe(feed.head)
    sink.full = true
    await middle.send(systemPrincipal, stream, 'session.rename', { title: 'bulk' })
    await middle.send(machine, stream, 'agent.report', {
      fence: 1,
      events: [{ type: 'question.asked', data: { question: 'q1' }, body: { text: 'Which?' } }],
    })
    await expect.poll(() => sink.frames.some(({ json }) => Buffer.from(json).includes('"t":"urgent"'))).toBe(true)
    sink.full = false
    follower.resume()
    await expect.poll(() => eventsIn(sink.frames).at(-1)?.type).toBe('question.asked')
    follower.close()
  })
})
