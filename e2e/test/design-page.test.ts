import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

const styleOf = (selector: string, name: string): Promise<string> =>
  page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).getPropertyValue('${name}').trim()`)

async function openDesign(): Promise<void> {
  await page.goto(`${scene.live.proxyUrl}/design`)
  await page.getByRole('heading', { name: 'Design', exact: true }).waitFor()
  await page.getByText('Start the demo agent').waitFor()
  await page.evaluate('document.fonts.ready.then(() => true)')
}

/** What is wider than the place it has, other than code and text that is cut on purpose. */
const overflowing = `[...document.querySelectorAll('.design .sample *')].filter((element) => {
  if (element.closest('pre, .code, .exact, .unseen, select, textarea, input')) return false
  const style = getComputedStyle(element)
  return style.overflowX === 'visible' && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0 &&
    style.display !== 'inline'
}).map((element) => element.className || element.tagName)`

describe('the page of the design', () => {
  it('[G28] every component is clean at each width, light and dark, comfortable', async () => {
    await openDesign()
    for (const name of [
      'Messages',
      'Approvals, open',
      'Approvals, answered',
      'Out of contact',
      'No machine',
      'Failed',
    ]) {
      await page.getByRole('heading', { name, exact: true }).waitFor()
    }
    await photograph(page, 'design')
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 900 })
      expect(await page.evaluate(overflowing), `at ${width}`).toEqual([])
    }
  })

  it('[G28] [G29] density is chosen, kept over a reload, and clean as well', async () => {
    await page.goto(`${scene.live.proxyUrl}/settings`)
    await page.getByLabel('Density').selectOption('compact')
    await page.getByLabel('Theme').selectOption('dark')
    await openDesign()
    expect(await styleOf(':root', '--control')).toBe('30px')
    expect(await styleOf(':root', 'color-scheme')).toBe('dark')
    await page.goto(`${scene.live.proxyUrl}/settings`)
    expect(await page.getByLabel('Density').inputValue()).toBe('compact')
    await page.getByLabel('Theme').selectOption('system')
    await openDesign()
    await photograph(page, 'design-compact')
    await page.goto(`${scene.live.proxyUrl}/settings`)
    await page.getByLabel('Density').selectOption('comfortable')
    await photograph(page, 'settings')
  })

  it('[G29] with reduced motion nothing moves', async () => {
    await page.goto(scene.live.proxyUrl)
    const motion = async (): Promise<string[]> => {
      const keys = page.getByRole('dialog', { name: 'Keys' })
      const opened = async (): Promise<boolean> => {
        await page.keyboard.press('?')
        return keys.isVisible()
      }
      await expect.poll(opened).toBe(true)
      const found = [await styleOf('dialog[open]', 'animation-name'), await styleOf(':root', '--quick')]
      await page.keyboard.press('Escape')
      await keys.waitFor({ state: 'hidden' })
      return found
    }
    await page.getByRole('heading', { name: 'Sessions' }).waitFor()
    expect(await motion()).toEqual(['come', '.15s'])
    await page.emulateMedia({ reducedMotion: 'reduce' })
    expect(await motion()).toEqual(['none', '0s'])
    await page.emulateMedia({ reducedMotion: null })
  })
})
