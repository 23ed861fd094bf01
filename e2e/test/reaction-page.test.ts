import type { HandRunner } from '@hotline/testing/hand-runner'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openColleague } from '../src/colleague.ts'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
let danas: Page
let sams: Page
let viewers: Page
let hand: HandRunner
beforeAll(async () => {
  scene = await openPageScene()
  danas = scene.page
  sams = await openColleague(scene, 'sam', 'operator')
  viewers = await openColleague(scene, 'vera', 'viewer')
  hand = await scene.live.startSession('Signed by two')
  await hand.report({ type: 'message.completed', data: { message: 'm1', chars: 4 }, body: { text: 'It is **done**.' } })
  for (const page of [danas, sams, viewers]) {
    await page.goto(`${scene.live.proxyUrl}/sessions/${hand.session}`)
    await said(page).waitFor()
  }
})
afterAll(() => scene[Symbol.asyncDispose]())

const said = (page: Page) => page.locator('.message.agent')
const signs = (page: Page) => said(page).getByRole('group', { name: 'Signs' })
const menu = (page: Page) => page.getByRole('group', { name: 'Add a sign' })
const labelOfFocus = (page: Page) => page.evaluate<string | null>('document.activeElement.getAttribute("aria-label")')

describe('signs under messages', () => {
  it('[G185] two people put them there and take them away, and all see how many, whose, and which are their own', async () => {
    await said(danas).hover()
    await said(danas).getByRole('button', { name: 'Add a sign …' }).click()
    await menu(danas).waitFor()
    await photograph(danas, 'signs-menu', [390, 1440])
    await menu(danas).getByRole('button', { name: 'yes' }).click()
    await menu(danas).waitFor({ state: 'hidden' })
    await expect.poll(() => signs(sams).innerText()).toBe('👍 1')
    const sams1 = signs(sams).getByRole('button', { name: 'yes: 1', pressed: false })
    expect(await sams1.getAttribute('title')).toBe('dana')
    await sams1.click()
    for (const page of [danas, sams]) await signs(page).getByRole('button', { name: 'yes: 2', pressed: true }).waitFor()
    expect(await signs(danas).getByRole('button').getAttribute('title')).toBe('You, sam')

    // By keys alone: the menu is walked through, and Escape leads back to what opened it.
    await said(sams).getByRole('button', { name: 'Add a sign …' }).focus()
    await sams.keyboard.press('Enter')
    await menu(sams).waitFor()
    await sams.keyboard.press('Escape')
    await menu(sams).waitFor({ state: 'hidden' })
    await sams.keyboard.press('Enter')
    await expect.poll(() => labelOfFocus(sams)).toBe('yes')
    expect(await menu(sams).getByRole('button', { name: 'yes', pressed: true }).count()).toBe(1)
    for (const key of ['ArrowLeft', 'Enter']) await sams.keyboard.press(key)
    await expect.poll(() => signs(danas).innerText()).toBe('👍 2\n🚀 1')
    await photograph(danas, 'signs', [390, 1440])

    await signs(danas).getByRole('button', { name: 'yes: 2' }).click()
    await expect.poll(() => signs(sams).innerText()).toBe('👍 1\n🚀 1')
    await danas.reload()
    await expect.poll(() => signs(danas).innerText()).toBe('👍 1\n🚀 1')
  })

  it('[G185] who may only read sees them, and has nothing to press', async () => {
    await expect.poll(() => signs(viewers).innerText()).toBe('👍 1\n🚀 1')
    await signs(viewers).getByRole('img', { name: 'yes: 1 (sam)' }).waitFor()
    expect(
      await said(viewers)
        .getByRole('button', { name: /sign|yes/ })
        .count(),
    ).toBe(0)
    await photograph(viewers, 'signs-viewer', [390])
  })
})
