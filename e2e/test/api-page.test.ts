import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'
import { watchPage } from '../src/trap.ts'

let scene: PageScene
let seen: readonly string[]
const refused: string[] = []
beforeAll(async () => {
  scene = await openPageScene()
  scene.page.on('console', (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) refused.push(message.text())
  })
  seen = watchPage(scene.page, new URL(scene.live.proxyUrl).origin)
})
afterAll(() => scene[Symbol.asyncDispose]())

describe('the page of the API', () => {
  it('[OA10] shows every operation under the policy of every page, and sends one as who is signed in or by a key', async () => {
    const { page, live } = scene
    await page.goto(`${live.proxyUrl}/docs/api`)
    await page.getByRole('heading', { name: 'The API' }).waitFor()
    const response = await fetch(new URL('/api/openapi.json', live.url))
    const { paths } = (await response.json()) as { paths: Record<string, object> }
    const count = Object.values(paths).flatMap((methods) => Object.keys(methods)).length
    expect(await page.locator('.api-operation').count()).toBe(count)
    await photograph(page, 'api', [390, 1440])
    await resize(page, 1440)

    const find = page.getByLabel('Find')
    await find.fill('get /api/me')
    const me = page.locator('.api-operation').first()
    await me.locator('summary').first().click()
    await me.getByRole('button', { name: 'Send' }).click()
    await me.getByLabel('Answer').getByText('"name": "dana"').waitFor()
    expect(await me.getByRole('status').innerText()).toContain('200 application/json')

    // A key speaks for itself, also where somebody is signed in.
    await page.getByLabel('Key (optional)').fill('hl_pat_wrong')
    await me.getByRole('button', { name: 'Send' }).click()
    await me.getByLabel('Answer').getByText('"unauthenticated"').waitFor()
    await page.getByLabel('Key (optional)').fill(live.token)
    await me.getByRole('button', { name: 'Send' }).click()
    await me.getByLabel('Answer').getByText('"name": "dana"').waitFor()

    await find.fill('post /api/follow')
    const follow = page.locator('.api-operation').first()
    await follow.locator('summary').first().click()
    await follow.getByText('Body', { exact: true }).click()
    await follow.getByRole('button', { name: 'Send' }).click()
    await follow.getByLabel('Answer').getByText('"caught_up"').waitFor()
    await photograph(page, 'api-tried', [390, 1440])
    expect([seen, refused]).toEqual([[], []])
  })

  it('[OA10] is there for whoever is not signed in', async () => {
    await scene.context.clearCookies()
    const page = await scene.openTab()
    await page.goto(`${scene.live.proxyUrl}/docs/api`)
    await page.getByRole('heading', { name: 'The API' }).waitFor()
    await page.getByLabel('Find').fill('get /api/me')
    const me = page.locator('.api-operation').first()
    await me.locator('summary').first().click()
    await me.getByRole('button', { name: 'Send' }).click()
    await me.getByLabel('Answer').getByText('"unauthenticated"').waitFor()
  })
})
