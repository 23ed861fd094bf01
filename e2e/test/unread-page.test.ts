import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openColleague } from '../src/colleague.ts'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let danas: Page
let sams: Page
beforeAll(async () => {
  scene = await openPageScene()
  danas = scene.page
  sams = await openColleague(scene, 'sam', 'operator')
})
afterAll(() => scene[Symbol.asyncDispose]())

let turns = 0
/** A turn in which the agent says something. */
async function say(hand: HandRunner, text: string): Promise<void> {
  turns += 1
  const turn = `t${turns}`
  await hand.report({ type: 'turn.started', data: { turn } })
  await hand.report(
    { type: 'message.completed', data: { message: `m${turns}`, chars: text.length }, body: { text } },
    { type: 'turn.ended', data: { turn, end: 'end' }, body: {} },
  )
}
const row = (page: Page, title: string) => page.locator('.list .row', { hasText: title })
const unread = (page: Page, title: string) =>
  expect.poll(() => row(page, title).locator('.unread-count').allInnerTexts())

it('[G189] the list counts what came, until its end is seen in a page that is in sight, on every device and for nobody else', async () => {
  const task = uuidV7()
  const card = { project: 'default', title: 'Write reports' }
  expect(await scene.live.link().command(`task:${task}`, 'task.create', card)).toMatchObject({ ok: true })
  const hand = await scene.live.startSession('Reports', { task })
  const other = await scene.live.startSession('Elsewhere')
  for (const page of [danas, sams]) {
    // Both have seen that there is nothing in it yet.
    await page.goto(`${scene.live.proxyUrl}/sessions/${hand.session}`)
    const marked = `fetch('/api/unread?sessions=${hand.session}').then((answer) => answer.json())`
    await expect.poll(() => page.evaluate(marked)).toMatchObject({ sessions: [{ seq: expect.any(Number) as number }] })
    await page.goto(`${scene.live.proxyUrl}/sessions/${other.session}`)
    await row(page, 'Reports').waitFor()
  }
  const second = await scene.openTab()
  await second.goto(`${scene.live.proxyUrl}/sessions/${other.session}`)
  await say(hand, 'The first part is done.')
  await say(hand, 'The second part as well.')
  for (const page of [danas, sams, second]) await unread(page, 'Reports').toEqual(['2 unread'])
  await photograph(danas, 'unread-list', [1440])
  await second.goto(scene.live.proxyUrl)
  await unread(second, 'Reports').toEqual(['2 unread'])
  await photograph(second, 'unread-list', [390])
  await second.goto(`${scene.live.proxyUrl}/tasks`)
  await second.locator('.stands', { hasText: '2 unread' }).waitFor()
  await photograph(second, 'unread-board', [390, 1440])
  await second.goto(`${scene.live.proxyUrl}/sessions/${other.session}`)

  // Read by one in one tab: so it is in the other tab, and still unread for the colleague.
  await resize(danas, 1440)
  await row(danas, 'Reports').click()
  await danas.getByText('The second part as well.').waitFor()
  for (const page of [danas, second]) await unread(page, 'Reports').toEqual([])
  await unread(sams, 'Reports').toEqual(['2 unread'])
  await danas.goto(`${scene.live.proxyUrl}/sessions/${other.session}`)
  await row(danas, 'Reports').waitFor()
  await unread(danas, 'Reports').toEqual([])

  await say(hand, 'The third.')
  for (const page of [danas, second]) await unread(page, 'Reports').toEqual(['1 unread'])
  await unread(sams, 'Reports').toEqual(['3 unread'])
})
