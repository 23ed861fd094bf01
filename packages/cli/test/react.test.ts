import { exitCodes } from '@hotline/protocol/error'
import { expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(args, scene.env)
  hotline.endInput()
  return await hotline.ended
}

it('[M9] react puts a sign under what the agent said last, or under another message, and logs show it', async () => {
  const hand = await scene.live.startSession()
  const say = (message: string, text: string) =>
    hand.report({ type: 'message.completed', data: { message, chars: text.length }, body: { text } })
  expect(await run('react', hand.session, '👍')).toMatchObject({ code: exitCodes['not-found'] })
  await say('first-words', 'I begin.')
  await say('last-words', 'I am done.')
  expect(await run('react', hand.session, 'yes')).toMatchObject({ code: 0, out: '👍 is there\n' })
  expect(await run('react', hand.session, '🎉', '--message', 'first')).toMatchObject({ code: 0 })
  expect(await run('react', hand.session, '👍', '--off')).toMatchObject({ code: 0, out: '👍 is not there any more\n' })
  const { out } = await run('logs', hand.session)
  const notes = out.split('\n').flatMap((line) => (/put|took/.test(line) ? [line.slice(9).trim()] : []))
  expect(notes).toEqual([
    expect.stringMatching(/put 👍 under "I am done\."$/),
    expect.stringMatching(/put 🎉 under "I begin\."$/),
    expect.stringMatching(/took 👍 away from "I am done\."$/),
  ])
  const invalid = exitCodes.invalid
  expect(await run('react', hand.session, 'maybe')).toMatchObject({ code: invalid })
  expect(await run('react', hand.session, '👍', '--message', 'none-such')).toMatchObject({
    code: exitCodes['not-found'],
  })
})

it('[B116] send --reply-to replies to what the agent said last, or to another message, and logs show it', async () => {
  const hand = await scene.live.startSession()
  const none = await run('send', hand.session, 'Yes.', '--reply-to', 'last')
  expect(none).toMatchObject({ code: exitCodes['not-found'], out: '' })
  const text = 'Shall I go on?'
  await hand.report({ type: 'message.completed', data: { message: 'question-1', chars: text.length }, body: { text } })
  expect(await run('send', hand.session, 'Yes.', '--reply-to', 'last')).toMatchObject({ code: 0, out: 'sent\n' })
  expect(await run('send', hand.session, '--reply-to', 'question', 'And then stop.')).toMatchObject({ code: 0 })
  const posted = (await scene.live.stored(hand.session)).filter(({ type }) => type === 'message.posted')
  expect(posted).toMatchObject([
    { data: { replyTo: 'question-1' }, body: { text: 'Yes.', quote: { role: 'agent', text } } },
    { data: { replyTo: 'question-1' }, body: { text: 'And then stop.' } },
  ])
  expect((await run('logs', hand.session)).out.match(/ note {3}@\S+ replies to "Shall I go on\?"\n/g)).toHaveLength(2)
})

it('[B117] ls says how much is unread, read says that it was read, and so does writing', async () => {
  // One's own stream begins before the session does.
  const before = await scene.live.startSession()
  await run('read', before.session)
  const hand = await scene.live.startSession()
  const say = async (message: string) => {
    const text = 'I am done.'
    await hand.report({ type: 'message.completed', data: { message, chars: text.length }, body: { text } })
  }
  const told = async () => {
    const lines = (await run('ls')).out.split('\n')
    return lines[lines.findIndex((line) => line.startsWith(hand.session.slice(0, 18))) + 1]?.trim()
  }
  for (const message of ['m1', 'm2']) await say(message)
  expect(await told()).toBe('2 unread')
  expect(await run('read', hand.session)).toMatchObject({ code: 0, out: 'read\n' })
  expect(await told()).not.toContain('unread')
  await say('m3')
  expect(await told()).toBe('1 unread')
  expect(await run('send', hand.session, 'Good.')).toMatchObject({ code: 0 })
  expect(await told()).not.toContain('unread')
})
