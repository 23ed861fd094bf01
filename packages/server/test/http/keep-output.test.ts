import { startLiveServer } from '@hotline/testing/live-server'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/machine/clock.ts'

const dayMs = 24 * 60 * 60_000

it('[RT1] a server that was told so erases output of sessions that are over for so long', async () => {
  let aheadMs = 0
  const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + aheadMs }
  await using live = await startLiveServer({ env: { HOTLINE_KEEP_OUTPUT_DAYS: '1' }, clock })
  const hand = await live.startSession('A title')
  const data = { source: 'stdout', encoding: 'utf8', bytes: 12 } as const
  await hand.report({ type: 'output.appended', data, body: { text: 'printed text' } })
  await live.link().command(hand.stream, 'session.complete', {})
  const ended = { from: 'active', to: 'completed', reason: 'goal_reached' } as const
  await hand.report({ type: 'session.state_changed', data: ended, body: {} })
  const words = async (): Promise<string> => JSON.stringify(await live.stored(hand.session))
  await live.restart()
  expect(await words()).toContain('printed text')

  aheadMs = 2 * dayMs
  await live.restart()
  await expect.poll(words).not.toContain('printed text')
  const after = await words()
  expect(after).toContain('A title')
  expect(after).toContain('"kind":"output"')
})
