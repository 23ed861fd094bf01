import { startLiveServer } from '@hotline/testing/live-server'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, it } from 'vitest'

it('[P8] the clock of the server passes over what is open in a paused session, and comes when it goes on', async () => {
  await using live = await startLiveServer()
  const hand = await live.startSession('An agent that asks and is paused')
  const become = (from: 'active' | 'paused', to: 'active' | 'paused'): Promise<unknown> =>
    hand.report({ type: 'session.state_changed', data: { from, to, reason: 'requested' }, body: {} })
  const soonMs = Date.now() + 1_500
  await hand.ask({ tool: 'Bash', title: 'Run', input: 'ls' }, { expiresAt: new Date(soonMs).toISOString() })
  await become('active', 'paused')
  const types = async (): Promise<string[]> => (await live.stored(hand.session)).map(({ type }) => type)
  await waitFor(() => Date.now() > soonMs + 500, { what: 'its time to pass' })
  expect(await types()).not.toContain('approval.timed_out')
  await become('paused', 'active')
  expect(await types()).toContain('approval.extended')
  await waitFor(async () => (await types()).includes('approval.timed_out'), {
    what: 'the end of its time',
    deadlineMs: 10_000,
  })
})
