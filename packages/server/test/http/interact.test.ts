import { uuidV7 } from '@hotline/client/uuid'
import { InteractMessage } from '@hotline/protocol/interact'
import type { HandRunner } from '@hotline/testing/hand-runner'
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

interface Talker extends Disposable {
  readonly told: InteractMessage[]
  readonly ended: Promise<{ code: number; reason: string }>
  say(message: object | string): void
  /** `<type> <content>` of everything that came after the history. */
  words(): string[]
  history(): string[]
}

/** Talks as a program does that knows the documentation alone. */
function talk(task: string, { token = callers.server.token, project = 'default' } = {}): Talker {
  const address = `${callers.server.url.replace('http', 'ws')}/api/projects/${project}/tasks/${task}/interact`
  const socket = new WebSocket(address)
  const told: InteractMessage[] = []
  const open = new Promise<void>((resolve) => socket.addEventListener('open', () => resolve()))
  socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'auth', token })))
  socket.addEventListener('message', ({ data }) => told.push(InteractMessage.parse(JSON.parse(String(data)))))
  const ended = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason })),
  )
  return {
    told,
    ended,
    say: (message) =>
      void open.then(() => socket.send(typeof message === 'string' ? message : JSON.stringify(message))),
    words: () => told.slice(1).map((one) => `${one.type} ${'content' in one ? one.content : ''}`.trim()),
    history: () => (told[0]?.type === 'history' ? told[0].messages.map(({ content }) => content) : []),
    [Symbol.dispose]: () => socket.close(),
  }
}

async function card(): Promise<string> {
  const task = uuidV7()
  await callers.command(owner, `task:${task}`, 'task.create', { project: 'default', title: 'A task' })
  return task
}
/** A task whose agent the test plays. */
async function work(): Promise<{ task: string; hand: HandRunner }> {
  const task = await card()
  return { task, hand: await callers.server.startSession('A task', { task }) }
}
const answers = (hand: HandRunner, message: string, text: string): Promise<unknown> =>
  hand.report(
    { type: 'turn.started', data: { turn: `turn-${message}` } },
    { type: 'message.completed', data: { message, chars: text.length }, body: { text } },
    { type: 'turn.ended', data: { turn: `turn-${message}`, end: 'end' } },
  )
const heard = (talker: Talker, ...words: string[]): Promise<unknown> =>
  waitFor(() => words.every((one) => talker.words().includes(one)), {
    what: `${words.join(', ')}; there is ${talker.words().join(', ')}`,
  })
const begun = (talker: Talker): Promise<unknown> => waitFor(() => talker.told.length > 0, { what: 'the history' })

describe('the conversation of a task', () => {
  it('[TA11] begins with its history, and goes on with what people, agents and the server say, in the documented shapes', async () => {
    const { task, hand } = await work()
    using first = talk(task)
    await begun(first)
    expect(first.told[0]).toEqual({
      type: 'history',
      messages: [],
      truncated: false,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    })
    using second = talk(task)
    await begun(second)
    first.say({ type: 'user_message', content: 'Hello, AI!', metadata: { from: 'a form' } })
    await heard(second, 'user_message Hello, AI!')
    await answers(hand, 'm1', 'Hello, Dana.')
    for (const talker of [first, second]) {
      await heard(talker, 'user_message Hello, AI!', 'status_update', 'agent_response Hello, Dana.')
    }
    const [echo, thinking, answer] = first.told.slice(1)
    expect(echo).toMatchObject({
      type: 'user_message',
      session_id: hand.session,
      user_id: callers.accounts['owner'],
      metadata: { from: 'a form' },
    })
    expect(thinking).toMatchObject({ type: 'status_update', status: 'thinking', session_id: hand.session })
    expect(answer).toMatchObject({ type: 'agent_response', user_id: null, metadata: {} })
    using late = talk(task)
    await begun(late)
    expect(late.history()).toEqual(['Hello, AI!', 'Hello, Dana.'])
    const read = await callers.call('GET', `/api/projects/default/tasks/${task}/interactions`, owner)
    expect(late.told[0]).toMatchObject({ messages: (read.body as { interactions: unknown }).interactions })
  })

  it('[TA12] a message is there once, whatever is sent again with its id, and goes to the newest session', async () => {
    const { task, hand } = await work()
    using talker = talk(task)
    await begun(talker)
    const id = uuidV7()
    for (let time = 0; time < 3; time += 1) talker.say({ type: 'user_message', content: 'Once', id })
    talker.say({ type: 'user_message', content: 'Other words', id })
    await waitFor(() => talker.told.some(({ type }) => type === 'error'), { what: 'the refusal' })
    expect(talker.told.find(({ type }) => type === 'error')).toMatchObject({ code: 'idempotency_mismatch', id })
    const next = await callers.server.startSession('A task', { task })
    talker.say({ type: 'user_message', content: 'To the second' })
    await heard(talker, 'user_message To the second')
    const said = talker.told.filter((one) => one.type === 'user_message')
    expect(said.map(({ content, session_id }) => [content, session_id])).toEqual([
      ['Once', hand.session],
      ['To the second', next.session],
    ])
    // Sent again after a cut, it is where it was: no second agent hears it.
    talker.say({ type: 'user_message', content: 'Once', id })
    talker.say({ type: 'user_message', content: 'After it' })
    await heard(talker, 'user_message After it')
    expect(talker.told.filter((one) => one.type === 'user_message' && one.content === 'Once')).toHaveLength(1)
    // What the one before says is still heard.
    await answers(hand, 'm2', 'From the first')
    await answers(next, 'm3', 'From the second')
    await heard(talker, 'agent_response From the first', 'agent_response From the second')
  })

  it('[MN2] what names an agent of the task goes to it, and all hear what each of them says', async () => {
    const { task, hand } = await work()
    const other = await callers.server.startSession('A task', { task, agent: 'second' })
    using talker = talk(task)
    await begun(talker)
    const id = uuidV7()
    for (let time = 0; time < 2; time += 1) talker.say({ type: 'user_message', content: `@demo first`, id })
    talker.say({ type: 'user_message', content: 'No one by name' })
    talker.say({ type: 'user_message', content: 'And now @second' })
    await heard(talker, 'user_message And now @second')
    const said = talker.told.filter((one) => one.type === 'user_message')
    expect(said.map(({ content, session_id }) => [content, session_id])).toEqual([
      [`@demo first`, hand.session],
      ['No one by name', other.session],
      ['And now @second', other.session],
    ])
    await answers(hand, 'n2', 'One')
    await answers(other, 'n3', 'Two')
    await heard(talker, 'agent_response One', 'agent_response Two')
  })

  it('[TA11] of a history that is longer than one message may be, the last of it is told', async () => {
    const { task, hand } = await work()
    const long = 'x'.repeat(40_000)
    for (let at = 0; at < 30; at += 1) {
      const data = { message: `long-${at}`, chars: long.length + 3 }
      await hand.report({ type: 'message.completed', data, body: { text: `${String(at).padStart(2, '0')} ${long}` } })
    }
    using talker = talk(task)
    await begun(talker)
    expect(talker.told[0]).toMatchObject({ type: 'history', truncated: true })
    const numbers = talker.history().map((text) => Number(text.slice(0, 2)))
    expect(numbers.length).toBeGreaterThan(3)
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, at) => 30 - numbers.length + at))
    await answers(hand, 'm9', 'Still heard')
    await heard(talker, 'agent_response Still heard')
  })

  it('[TA12] is the same over a restart: whoever comes again finds all of it', async () => {
    const { task, hand } = await work()
    using before = talk(task)
    await begun(before)
    before.say({ type: 'user_message', content: 'Before' })
    await heard(before, 'user_message Before')
    await callers.server.restart()
    expect((await before.ended).code).toBe(4503)
    expect(before.told.at(-1)).toMatchObject({ type: 'error', code: 'draining' })
    await answers(hand, 'm4', 'After')
    using again = talk(task)
    await begun(again)
    expect(again.history()).toEqual(['Before', 'After'])
    again.say({ type: 'user_message', content: 'Still here' })
    await heard(again, 'user_message Still here')
  })

  it('[TA13] what is wrong is said, and ends nothing', async () => {
    const task = await card()
    using talker = talk(task)
    await begun(talker)
    talker.say({ type: 'user_message', content: 'Is anybody there?' })
    await waitFor(() => talker.told.length > 1, { what: 'that there is no agent' })
    expect(talker.told[1]).toMatchObject({ type: 'error', code: 'invalid_transition' })
    const hand = await callers.server.startSession('A task', { task })
    talker.say('{"type":')
    talker.say({ type: 'user_message', content: 'x', colour: 'red' })
    talker.say({ type: 'user_message', content: '   ' })
    await waitFor(() => talker.told.length > 4, { what: 'three refusals' })
    expect(talker.told.slice(2).map((one) => ('code' in one ? one.code : one.type))).toEqual([
      'invalid_frame',
      'invalid_frame',
      'message_empty',
    ])
    talker.say({ type: 'user_message', content: 'Now' })
    await heard(talker, 'user_message Now')
    expect(talker.told.at(-1)).toMatchObject({ session_id: hand.session })
  })

  it('[TA13] other words for a message that waits, and that it was taken back, are told', async () => {
    const { task, hand } = await work()
    await hand.report({ type: 'turn.started', data: { turn: 'u1' } })
    using talker = talk(task)
    await begun(talker)
    const [kept, gone] = [uuidV7(), uuidV7()]
    talker.say({ type: 'user_message', content: 'One', id: kept })
    talker.say({ type: 'user_message', content: 'Two', id: gone })
    await heard(talker, 'user_message One', 'user_message Two')
    await callers.command(owner, hand.stream, 'message.edit', { message: kept, text: 'One, better' })
    await callers.command(owner, hand.stream, 'message.withdraw', { message: gone })
    await heard(talker, 'user_message One, better')
    await waitFor(() => talker.told.at(-1)?.type === 'system_notification', { what: 'what was taken back' })
    expect(talker.told.slice(-2)).toMatchObject([
      { type: 'user_message', id: kept, edited: true },
      { type: 'system_notification', metadata: { withdrawn: gone } },
    ])
    using late = talk(task)
    await begun(late)
    expect(late.history()).toEqual(['One, better'])
  })
})

describe('who may take part', () => {
  it('[TA14] nothing is told to whoever does not say who they are, nor of a task that is not theirs', async () => {
    const { task } = await work()
    for (const one of [
      talk(task, { token: 'hl_pat_x' }),
      talk(task, { token: callers.who['stranger by token']?.token ?? '' }),
      talk(task, { project: 'elsewhere' }),
      talk(uuidV7()),
    ]) {
      using talker = one
      expect([4401, 4404]).toContain((await talker.ended).code)
      expect(talker.told.filter(({ type }) => type !== 'error')).toEqual([])
    }
  })

  it('[TA14] who may only read hears, and is told that they may not write', async () => {
    const { task, hand } = await work()
    using viewer = talk(task, { token: callers.who['viewer by token']?.token ?? '' })
    await begun(viewer)
    viewer.say({ type: 'user_message', content: 'Let me in' })
    await waitFor(() => viewer.told.length > 1, { what: 'the refusal' })
    expect(viewer.told[1]).toMatchObject({ type: 'error', code: 'forbidden' })
    await answers(hand, 'm5', 'Nobody wrote')
    await heard(viewer, 'agent_response Nobody wrote')
  })
})
