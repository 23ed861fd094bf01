import { exitCodes } from '@hotline/protocol/error'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, it } from 'vitest'
import { type HotlineProcess, startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

const start = (...args: string[]): HotlineProcess => startHotlineProcess(args, scene.env)
async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = start(...args)
  hotline.endInput()
  return await hotline.ended
}

const colours = {
  type: 'object',
  required: ['colour'],
  properties: { colour: { type: 'string', title: 'The \u001b[2Kcolour', enum: ['red', 'green'] } },
}
const several = {
  type: 'object',
  required: ['name', 'age'],
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 1 }, sure: { type: 'boolean' } },
}

async function ask(runner: HandRunner, question: string, schema?: object): Promise<string> {
  const text = `What now?\n00:00:00 answer \u202eyes`
  await runner.report({ type: 'question.asked', data: { question }, body: { text, ...(schema ? { schema } : {}) } })
  return question
}

const answersOf = async ({ session }: HandRunner): Promise<unknown[]> =>
  (await scene.live.stored(session))
    .filter(({ type }) => type === 'question.answered')
    .map(({ data, body }) => [data['question'], data['action'], body?.['content']])

describe('questions from the command line', () => {
  it('[B16] asks and ls say the same, and show what a question takes', async () => {
    const runner = await scene.live.startSession()
    await ask(runner, 'q-colours', colours)
    const listed = await run('ls')
    expect(listed.out).toContain('NEEDS YOU 1')
    expect(listed.out).toContain('asks: q-colours (a question)')
    for (const args of [['asks'], ['asks', runner.session], ['asks', 'q-col']]) {
      const { code, out } = await run(...args)
      expect(code).toBe(0)
      expect(out).toContain('q-colours a question\n| What now?\n| 00:00:00 answer \\u{202e}yes\n')
      expect(out).toContain('|   colour: The \\u{1b}[2Kcolour; one of 1 red, 2 green\n')
      expect(out).toContain('hotline answer q-colours <answer>')
    }
    const [line = ''] = (await run('--json', 'asks', runner.session)).out.trim().split('\n')
    expect(JSON.parse(line)).toMatchObject({ session: runner.session, question: 'q-colours', schema: colours })
    const wrong = await run('approve', runner.session)
    expect(wrong).toMatchObject({ code: exitCodes['not-found'], out: '' })
    expect(wrong.err).toContain('hotline answer q-colours')
  })

  it('[B16] answer takes text, a choice, its number, names, JSON and no; what does not fit is sent nowhere', async () => {
    const runner = await scene.live.startSession()
    const invalid = exitCodes.invalid
    await ask(runner, 'one-colour', colours)
    const blue = await run('answer', 'one-colour', 'blue')
    expect(blue).toMatchObject({ code: invalid, out: '' })
    expect(blue.err).toContain('"colour" must be one of 1 red, 2 green, not "blue". Nothing was answered.')
    expect((await run('answer', 'one-colour')).err).toContain('It needs an answer: <answer>')
    expect(JSON.parse((await run('--json', 'answer', 'one-colour', 'red')).err)).toMatchObject({
      code: 'invalid_request',
      detail: expect.stringContaining('one JSON object') as string,
    })
    expect(await answersOf(runner)).toEqual([])
    expect(await run('answer', 'one-colour', '2')).toMatchObject({ code: 0, out: 'answered\n' })
    expect(await run('answer', 'one-colour', 'red')).toMatchObject({ code: exitCodes['not-found'] })

    await ask(runner, 'first-several', several)
    await ask(runner, 'other-several', several)
    expect((await run('answer', runner.session, 'name=Dana', 'age=3')).err).toContain('Several are open; name one of')
    expect((await run('answer', 'first-several', 'Dana')).err).toContain('name=… age=… [sure=…]')
    expect((await run('answer', 'first-several', 'name=Dana')).err).toContain('It needs "age" too.')
    expect(await run('answer', 'first-several', 'name=Dana = me', 'age=3', 'sure=no')).toMatchObject({ code: 0 })
    const content = { name: '--', age: 4 }
    expect(await run('--json', 'answer', 'other-several', '{"name":"--","age":0}')).toMatchObject({ code: invalid })
    expect(await run('--json', 'answer', 'other-several', JSON.stringify(content))).toMatchObject({ code: 0 })

    await ask(runner, 'bare-question')
    expect(await run('answer', 'bare-question', 'text')).toMatchObject({ code: invalid })
    expect(await run('answer', 'bare-question', '--decline')).toMatchObject({ code: 0, out: 'declined\n' })
    expect(await answersOf(runner)).toEqual([
      ['one-colour', 'accept', { colour: 'green' }],
      ['first-several', 'accept', { name: 'Dana = me', age: 3, sure: false }],
      ['other-several', 'accept', content],
      ['bare-question', 'decline', undefined],
    ])
    expect((await run('asks', runner.session)).out).toBe('Nothing is asked now.\n')
  })

  it('[B16] in attach a question has a number, and /answer names it; a message is no answer', async () => {
    const runner = await scene.live.startSession()
    await runner.ask({ tool: 'bash', title: 'First', input: 'ls' })
    await ask(runner, 'attached-several', several)
    const attached = start('attach', runner.session)
    await attached.says('/answer 2 name=… age=… [sure=…]; elsewhere: hotline answer attached-several')
    attached.type('name=Dana')
    attached.type('/answer name=Dana age=3')
    await waitFor(() => attached.err.includes('Say which one and what: /answer 2 …'), { what: 'which one' })
    attached.type('/answer 1 name=Dana age=3')
    attached.type('/answer 2 name=Dana Smith  age=old')
    await waitFor(() => attached.err.includes('! "age" must be a whole number'), { what: 'what does not fit' })
    expect(await answersOf(runner)).toEqual([])
    attached.type('/answer 2 name=Dana Smith  age=3')
    await attached.says('answered by @dana: {"name":"Dana Smith","age":3}')
    attached.type('/answer 2 name=Dana age=4')
    await waitFor(() => attached.err.includes('No question is open now.'), { what: 'that it was answered' })
    await ask(runner, 'taken-back', colours)
    await runner.report({ type: 'question.withdrawn', data: { question: 'taken-back', reason: 'agent_withdrew' } })
    await attached.says('answer The agent no longer asks.')
    attached.type('/quit')
    expect((await attached.ended).code).toBe(0)
    expect(await answersOf(runner)).toEqual([['attached-several', 'accept', { name: 'Dana Smith', age: 3 }]])
  })
})
