import { exitCodes } from '@hotline/protocol/error'
import type { TaskDetail, TaskRow } from '@hotline/protocol/task'
import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(args, scene.env)
  hotline.endInput()
  return await hotline.ended
}

const rows = async (): Promise<TaskRow[]> => JSON.parse((await run('--json', 'task', 'ls')).out) as TaskRow[]

describe('cards at the command line', () => {
  it('[B106] [TK2] they are made, shown, changed, moved and removed', async () => {
    const add = [
      'task',
      'add',
      'Mend',
      'the',
      'redirect',
      '--priority',
      'high',
      '--label',
      'web',
      '--label',
      'auth',
      '--assign',
      'dana',
    ]
    const made = await run(...add, '--description', '# Why\nIt \u001b[31mdrops the query.')
    expect(made).toMatchObject({ code: 0, err: '' })
    const first = made.out.trim()
    const second = (await run('task', 'add', 'Another', '--column', 'backlog', '--assign', 'agent:demo')).out.trim()
    const shown = await run('task', 'ls')
    expect(shown.out).toContain('backlog\n  ')
    expect(shown.out).toMatch(/todo\n {2}\S+ +Mend the redirect {2}\(high, #web, #auth, @dana\)\n/)
    const { out } = await run('task', 'show', first)
    expect(out).toContain('# Why\nIt \\u{1b}[31mdrops the query.')
    expect(JSON.parse((await run('--json', 'task', 'show', first)).out)).toMatchObject({
      task: { labels: ['web', 'auth'] },
    })

    expect((await run('task', 'edit', first, '--title', 'Mend it', '--assign', 'nobody', '--no-labels')).out).toBe(
      'Changed.\n',
    )
    expect((await run('task', 'mv', second, 'in-progress')).out).toBe('It is in in_progress now.\n')
    expect((await run('task', 'mv', first, 'in_progress', '--first')).code).toBe(0)
    expect(await rows()).toMatchObject([
      { task: first, column: 'in_progress', title: 'Mend it', labels: [], assignee: null, priority: 'high' },
      { task: second, column: 'in_progress', assignee: { kind: 'agent', id: 'demo' } },
    ])
    expect((await run('task', 'mv', first, 'in_progress', '--after', second)).code).toBe(0)
    expect((await rows()).map(({ task }) => task)).toEqual([second, first])
    for (const one of [first, second]) expect((await run('task', 'rm', one)).out).toBe('Removed.\n')
    expect((await run('task', 'ls')).out).toBe('There are no cards.\n')
  })

  it('[B106] [TK3] a session is started for a card, which says so', async () => {
    const card = (await run('task', 'add', 'Say hello')).out.trim()
    const runner = await scene.live.startSession('For a card', { task: card })
    const session = async (): Promise<TaskDetail['task']['sessions'][number] | undefined> =>
      (JSON.parse((await run('--json', 'task', 'show', card)).out) as TaskDetail).task.sessions[0]
    await expect.poll(async () => (await session())?.phase).toBe('at_rest')
    expect((await run('task', 'show', card)).out).toContain(`${runner.session.slice(0, 18)}  demo, at rest\n`)
    const none = await run('run', 'demo', 'Hello', '--task', 'none-such', '--detach')
    expect(none).toMatchObject({
      code: exitCodes['not-found'],
      err: expect.stringContaining('hotline task ls') as string,
    })
  })

  it('[B125] [MN1] a message goes to the agent that it names, or to the newest', async () => {
    const card = (await run('task', 'add', 'For two')).out.trim()
    expect(await run('task', 'say', card, 'hello')).toMatchObject({
      code: exitCodes.conflict,
      err: expect.stringContaining('Start a session of it') as string,
    })
    const first = await scene.live.startSession('One', { task: card })
    const second = await scene.live.startSession('Two', { task: card, agent: 'second' })
    const both = async () => JSON.parse((await run('--json', 'task', 'show', card)).out) as TaskDetail
    await expect.poll(async () => (await both()).task.sessions.length).toBe(2)
    expect((await run('task', 'say', card, '@demo', 'go', 'on')).out).toMatch(/^Sent to demo \(/)
    expect((await run('task', 'say', card, 'hello')).out).toMatch(/^Sent to second \(/)
    const said = async (session: string): Promise<unknown[]> =>
      (await scene.live.stored(session)).flatMap(({ type, body }) => (type === 'message.posted' ? [body] : []))
    expect(await said(first.session)).toEqual([{ text: '@demo go on' }])
    expect(await said(second.session)).toEqual([{ text: 'hello' }])
  })

  it('[B115] the conversation of one is erased after a yes, with the password', async () => {
    const card = (await run('task', 'add', 'Talked about')).out.trim()
    const hand = await scene.live.startSession('A secret', { task: card })
    await hand.report({
      type: 'message.posted',
      data: { message: 'm1', role: 'agent', queued: false, chars: 6 },
      body: { text: 'secret' },
    })
    expect(await run('task', 'erase', card)).toMatchObject({
      code: exitCodes.invalid,
      err: expect.stringContaining('add --yes') as string,
    })
    const confirmed = async (): Promise<{ code: number | null; out: string; err: string }> => {
      const hotline = startHotlineProcess(['task', 'erase', card, '--yes', '--with-password'], scene.env)
      hotline.type('a long walk over the wet meadow')
      hotline.endInput()
      return await hotline.ended
    }
    expect(await run('task', 'erase', card, '--yes')).toMatchObject({
      code: exitCodes.unauthenticated,
      err: expect.stringContaining('--with-password') as string,
    })
    expect(await confirmed()).toMatchObject({
      code: exitCodes.conflict,
      err: expect.stringContaining('End it first') as string,
    })
    expect(JSON.stringify(await scene.live.stored(hand.session))).toContain('secret')
    expect(await scene.live.link().command(hand.stream, 'session.complete', {})).toMatchObject({ ok: true })
    const data = { from: 'active', to: 'completed', reason: 'goal_reached' } as const
    await hand.report({ type: 'session.state_changed', data, body: {} })
    expect(await confirmed()).toEqual({ code: 0, out: 'Erased.\n', err: '' })
    expect(JSON.stringify(await scene.live.stored(hand.session))).not.toContain('secret')
    expect((await run('task', 'show', card)).out).toContain('Talked about')
  })

  it('[B127] with its card a conversation is erased, after a yes, with the password', async () => {
    const card = (await run('task', 'add', 'A secret card')).out.trim()
    const hand = await scene.live.startSession('A secret', { task: card })
    await scene.live.link().command(hand.stream, 'session.complete', {})
    const data = { from: 'active', to: 'completed', reason: 'goal_reached' } as const
    await hand.report({ type: 'session.state_changed', data, body: {} })
    await expect.poll(async () => (await rows()).find(({ task }) => task === card)?.sessions.length).toBe(1)
    expect(await run('task', 'rm', card, '--with-conversation')).toMatchObject({
      code: exitCodes.invalid,
      err: expect.stringContaining('add --yes') as string,
    })
    expect((await rows()).some(({ task }) => task === card)).toBe(true)
    const args = ['task', 'rm', card, '--with-conversation', '--yes', '--with-password']
    const hotline = startHotlineProcess(args, scene.env)
    hotline.type('a long walk over the wet meadow')
    hotline.endInput()
    expect(await hotline.ended).toMatchObject({ code: 0, out: 'Removed.\n' })
    await expect.poll(async () => JSON.stringify(await scene.live.stored(hand.session))).not.toContain('A secret')
    expect((await rows()).some(({ task }) => task === card)).toBe(false)
  })

  it('[B106] what it cannot mean is refused, and says what there is', async () => {
    const card = (await run('task', 'add', 'Stays')).out.trim()
    for (const [why, ...args] of [
      ['none of: backlog, todo', 'mv', card, 'later'],
      ['none of: low, normal', 'edit', card, '--priority', 'asap'],
      ['Only one of', 'mv', card, 'done', '--first', '--after', card],
      ['Name what shall change', 'edit', card],
      ['must not hold a label twice', 'edit', card, '--label', 'a', '--label', 'a'],
    ] as const) {
      const { code, err } = await run('task', ...args)
      expect([why, code, err.includes(why)]).toEqual([why, exitCodes.invalid, true])
    }
    expect((await run('task', 'edit', card, '--assign', 'nobody-known')).code).toBe(exitCodes['not-found'])
    expect((await rows()).find(({ task }) => task === card)).toMatchObject({
      title: 'Stays',
      column: 'todo',
      labels: [],
    })
  })
})
