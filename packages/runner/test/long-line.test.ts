import { expect, test } from 'vitest'
import { openBench } from './bench.ts'
import { profileOf } from './profile-of.ts'
import type { Oddness } from './odd-agent.ts'

const mebibyte = 1024 * 1024

const update = (text: string): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    method: 'session/update',
    params: {
      sessionId: '$SESSION',
      update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } },
    },
  })

/** The most that this process, in which the runner is, ever had in memory. */
const peakBytes = (): number => process.resourceUsage().maxRSS * 1024

async function openLong(odd: Oddness) {
  const bench = await openBench({ profiles: [profileOf('long', { modes: ['ask'], ...odd })] })
  const { world } = bench
  const session = world.start('long', { cwd: bench.cwd })
  await world.until(session, 'the agent', ({ status }) => status === 'active')
  return {
    world,
    session,
    /** What the runner told people of it. */
    told: () =>
      world
        .events(session, 'output.appended')
        .filter(({ data }) => data.source === 'log')
        .map(({ body }) => body?.text)
        .join(''),
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  }
}

test('[J20] a line of 300 MB is dropped in little memory and told to people; the next line is read', async () => {
  const bytes = 300 * mebibyte
  await using long = await openLong({ longLines: [bytes], say: [update('and on')] })
  const before = peakBytes()
  long.world.send(long.session, 'message.send', { text: 'go' })
  await long.world.until(long.session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(peakBytes() - before).toBeLessThan(150 * mebibyte)
  expect(long.world.state(long.session).status).toBe('active')
  expect(long.world.said(long.session)).toBe('and on')
  expect(long.told()).toBe(
    `Dropped a line of the agent with ${bytes} bytes; a line may have ${mebibyte}. Dropped since its start: 1.\n`,
  )
})

test('[J20] a line at the limit is read; those over it are counted', async () => {
  const sizes = [mebibyte + 1, 2 * mebibyte, 3 * mebibyte]
  await using long = await openLong({ longLines: [mebibyte, ...sizes], say: [update('and on')] })
  long.world.send(long.session, 'message.send', { text: 'go' })
  await long.world.until(long.session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  const lines = sizes.map(
    (size, at) =>
      `Dropped a line of the agent with ${size} bytes; a line may have ${mebibyte}. Dropped since its start: ${at + 1}.\n`,
  )
  expect(long.told()).toBe(lines.join(''))
  expect(long.world.said(long.session)).toBe('and on')
})

test('[J20] a line that does not end ends the agent, in little memory', async () => {
  await using long = await openLong({ longLines: [100_000 * mebibyte] })
  const before = peakBytes()
  long.world.send(long.session, 'message.send', { text: 'go' })
  await long.world.until(long.session, 'failed', ({ status }) => status === 'failed')
  const [change] = long.world.events(long.session, 'session.state_changed').slice(-1)
  expect(change).toMatchObject({
    data: { reason: 'adapter_error' },
    body: { note: expect.stringContaining('line too long') as string },
  })
  expect(peakBytes() - before).toBeLessThan(150 * mebibyte)
})
