import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuidV7 } from '@hotline/client/uuid'
import { takeByHand } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPageScene, type PageScene, shots } from '../src/page-scene.ts'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

it('[SQ5] where a session stands in the queue is in the list and at its top, and changes by itself', async () => {
  const { live, page } = scene
  const token = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
  const machine = live.link({ credential: { kind: 'token', token }, client: 'desk' })
  await waitFor(() => machine.connection.value.status === 'open', { what: 'the machine' })
  const agents = [{ agent: 'demo', name: 'Demo', description: '', available: true }]
  const news = { name: 'desk', version: '0', platform: 'x', agents, holds: [], sessionsMax: 1 }
  expect(await machine.request('PUT', '/api/runner', news)).toMatchObject({ ok: true })
  const person = live.link()
  const start = async (title: string): Promise<string> => {
    const session = uuidV7()
    const data = { project: 'default', agent: 'demo', title }
    expect(await person.command(`session:${session}`, 'session.start', data)).toMatchObject({ ok: true })
    return session
  }
  const hand = await takeByHand(await start('At work'), machine)
  const [second, third] = [await start('Comes next'), await start('Comes after that')]
  await scene.open(third)
  const row = (session: string): ReturnType<typeof page.locator> => page.locator(`.list [data-session="${session}"]`)
  const notice = page.getByText(
    'Number 2 in the queue: the machines that could begin it are full. It begins by itself.',
  )
  await notice.waitFor()
  await row(second).getByText('number 1 in the queue').waitFor()
  await row(third).getByText('number 2 in the queue').waitFor()
  for (const [width, height, scheme] of [
    [1440, 900, 'light'],
    [390, 844, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme: scheme })
    await page.screenshot({ path: `${shots}session-queue-${width}-${scheme}.png` })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  await hand.report({
    type: 'session.state_changed',
    data: { from: 'starting', to: 'failed', reason: 'start_failed' },
    body: {},
  })
  await row(second).getByText('begins now').waitFor()
  await takeByHand(second, machine)
  await page.getByText('Number 1 in the queue: the machines that could begin it are full.').waitFor()
})
