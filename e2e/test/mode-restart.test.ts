import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, it } from 'vitest'
import { startServerProcess } from '../src/faults/server-process.ts'

it('[PO14] hands-free stands after the server was killed, to the very same end, and what it ended stays ended', async () => {
  await using dir = await openTempDir('hotline-modes-')
  await using server = await startServerProcess({ dir: dir.path })
  const runner = server.link('runner')
  const hand = await server.startSession(runner)
  const asked = (command: string) => ({ tool: 'Bash', title: command, input: JSON.stringify({ command }), cwd: '/src' })
  const answers = async (approval: string) =>
    (await server.stored(hand.session)).filter(
      ({ type, subject }) => type === 'approval.resolved' && subject === `approval:${approval}`,
    )
  expect(await server.post(hand.stream, 'policy.set_mode', { mode: 'hands_free', minutes: 20 })).toMatchObject({
    ok: true,
  })
  const before = (await server.state(hand.session)).policyMode
  await server.kill()
  expect(await server.start()).toBe('ready')
  expect((await server.state(hand.session)).policyMode).toEqual(before)
  const during = await hand.ask(asked('cargo test'))
  expect(await answers(during.approval)).toMatchObject([{ data: { outcome: 'allowed', mode: { mode: 'hands_free' } } }])

  expect(await server.post(hand.stream, 'policy.set_mode', { mode: 'ask' })).toMatchObject({ ok: true })
  await server.kill()
  expect(await server.start()).toBe('ready')
  const after = await hand.ask(asked('cargo test'))
  expect(await answers(after.approval)).toEqual([])
})
