import { waitFor } from '@hotline/testing/wait-for'
import type { Page, Route } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

/** What this browser has kept of the list and of sessions, each as text. */
const kept = (): Promise<[list: string, sessions: string]> =>
  page.evaluate<[string, string]>(`(async () => {
    const answer = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)))
    const [{ name }] = await indexedDB.databases()
    const database = await answer(indexedDB.open(name))
    const stores = database.transaction(['list', 'sessions'])
    const all = await Promise.all(['list', 'sessions'].map((store) => answer(stores.objectStore(store).getAll())))
    database.close()
    return all.map((one) => JSON.stringify(one))
  })()`)

it('[C23] [C22] [G24] what was seen before is there at once with its age, also while the server is slow to answer', async () => {
  const hand = await scene.live.startSession('Seen on the last visit')
  const text = 'Said on the last visit.'
  await hand.report({
    type: 'message.posted',
    data: { message: 'm1', role: 'agent', queued: false, chars: text.length },
    body: { text },
  })
  await scene.open(hand.session)
  await page.getByText(text).waitFor()
  await waitFor(
    async () => {
      const [list, sessions] = await kept()
      return list.includes('Seen on the last visit') && sessions.includes(text)
    },
    { what: 'both to be kept' },
  )

  const held: Route[] = []
  let isHolding = true
  const hold = (route: Route): unknown => (isHolding ? held.push(route) : route.continue())
  await page.route('**/api/sessions?*', hold)
  await page.route(`**/api/sessions/${hand.session}`, hold)
  await page.reload()
  const list = page.getByRole('region', { name: 'Sessions' })
  await list.locator('.row', { hasText: 'Seen on the last visit' }).waitFor()
  await page.getByText(text).waitFor()
  const ages = page.getByText(/^as of (\S+ )*\d\d:\d\d, (just now|\d+ [smh] ago)$/)
  await waitFor(async () => (await ages.count()) === 2, { what: 'the age of the list and of the session' })
  await waitFor(() => held.length === 2, { what: 'both questions' })
  await photograph(page, 'kept', [390, 1440])
  isHolding = false
  expect(await scene.live.link().command(hand.stream, 'session.rename', { title: 'Renamed meanwhile' })).toMatchObject({
    ok: true,
  })
  for (const route of held) await route.continue()
  await waitFor(async () => (await page.getByText(/^as of /).count()) === 0, { what: 'both to be as of now' })
  await list.locator('.row', { hasText: 'Renamed meanwhile' }).waitFor()
  expect(await page.getByText(text).count()).toBe(1)
})
