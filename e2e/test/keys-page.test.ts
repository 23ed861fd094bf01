import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { watchFor } from '../src/fleeting.ts'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
beforeEach(() => resize(page, 1440))
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

const isFocused = (element: Locator): Promise<unknown> =>
  expect.poll(() => element.evaluate((box) => box.ownerDocument.activeElement === box)).toBe(true)
const focused = (): Promise<string> => page.evaluate<string>('document.activeElement.textContent')

describe('keys', () => {
  it('[G25] the palette finds sessions, pages and commands, and Enter takes what is chosen', async () => {
    await scene.live.startSession('Fix the login redirect')
    await scene.live.startSession('Write the docs')
    await page.getByRole('region', { name: 'Sessions' }).getByText('Write the docs').waitFor()
    const palette = page.getByRole('dialog', { name: 'Search' })
    const input = palette.getByRole('combobox')
    await page.keyboard.press('Control+k')
    await palette.getByRole('option', { name: 'Fix the login redirect' }).waitFor()
    await photograph(page, 'palette', [390, 1440])
    await page.keyboard.type('login')
    await expect.poll(() => palette.getByRole('option').count()).toBe(1)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Fix the login redirect' }).waitFor()
    await palette.waitFor({ state: 'hidden' })
    await page.keyboard.press('Meta+k')
    await isFocused(input)
    await page.keyboard.type('no such thing')
    await palette.getByText('Nothing is called that.').waitFor()
    await page.keyboard.press('Control+a')
    await page.keyboard.type('se')
    // Two begin with it: the arrows choose, and the ends hold.
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    const chosen = (): Promise<string> => palette.getByRole('option', { selected: true }).innerText()
    await expect
      .poll(async () => (await chosen()) === (await palette.getByRole('option').first().innerText()))
      .toBe(true)
    await page.keyboard.press('Escape')
    await palette.waitFor({ state: 'hidden' })
    await page.keyboard.press('Control+k')
    await isFocused(input)
    await page.keyboard.type('settings')
    await palette.getByRole('option', { name: 'Settings' }).first().waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor()
    // Where the list is out of sight, its key opens the palette.
    await page.keyboard.press('/')
    await isFocused(input)
    await page.keyboard.type('fix the')
    await expect.poll(() => palette.getByRole('option').count()).toBe(1)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Fix the login redirect' }).waitFor()
  })

  it('[G25] the list is walked, looked at, searched and opened without a pointer', async () => {
    const hand = await scene.live.startSession('Asks something')
    await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'npm test' })
    await page.goto(scene.live.proxyUrl)
    const list = page.getByRole('region', { name: 'Sessions' })
    await list.getByText('Asks something').waitFor()
    await page.keyboard.press('j')
    await expect.poll(focused).toContain('Asks something')
    await page.keyboard.press('j')
    await expect.poll(focused).not.toContain('Asks something')
    await page.keyboard.press('k')
    await expect.poll(focused).toContain('Asks something')
    const before = page.url()
    await page.keyboard.press(' ')
    const look = page.getByRole('dialog', { name: 'A short look' })
    await look.getByText('npm test').waitFor()
    await photograph(page, 'peek', [390, 1440])
    await page.keyboard.press(' ')
    await look.waitFor({ state: 'hidden' })
    expect(page.url()).toBe(before)
    await expect.poll(focused).toContain('Asks something')
    await page.keyboard.press('/')
    await isFocused(page.locator('input:focus'))
    await page.keyboard.type('login')
    await list.getByText('Asks something').waitFor({ state: 'detached' })
    await page.keyboard.press('Escape')
    await list.getByText('Asks something').waitFor()
    await page.keyboard.press('j')
    await expect.poll(focused).toContain('Asks something')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Asks something' }).waitFor()
    await page.locator('.card[data-keys]').waitFor()
    await page.keyboard.press('c')
    const comment = page.getByLabel('Comment for the agent')
    await isFocused(comment)
    await page.keyboard.type('not now')
    await expect.poll(() => comment.inputValue()).toBe('not now')
    await comment.blur()
    await page.keyboard.press('d')
    await page.getByText('✗ Denied by You').waitFor()
    await page.keyboard.press('?')
    const keys = page.getByRole('dialog', { name: 'Keys' })
    for (const key of ['Ctrl K', '/', 'j k', 'Enter', 'space', 'n', 'a', 'd', 'e', 'c', 's', '?']) {
      await keys.getByText(key, { exact: true }).waitFor()
    }
    await page.keyboard.press('Escape')
  })

  it('[G26] a short press of the key that stops a turn does nothing; held, it stops it', async () => {
    const hand = await scene.live.startSession('Gone astray')
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await scene.open(hand.session)
    const stop = page.getByRole('button', { name: /^Stop turn/ })
    await stop.waitFor()
    const asked = async (): Promise<boolean> =>
      (await scene.live.stored(hand.session)).some(({ type }) => type === 'control.requested')
    // One after the other as quick as can be: between two looks of ours it would be held for long enough.
    const held = await watchFor(page, 'Hold to stop')
    await Promise.all([page.keyboard.down('s'), page.keyboard.up('s')])
    await held()
    await stop.waitFor()
    expect(await asked()).toBe(false)
    await page.keyboard.down('s')
    await expect.poll(asked).toBe(true)
    await page.keyboard.up('s')
    await page.getByText('Stop this turn …').waitFor()
  })
})
