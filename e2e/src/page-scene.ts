import { mkdirSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { openBrowser } from '@hotline/testing/browser'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import type { BrowserContext, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { signIn } from './sign-in.ts'

/** Where photographs of the page are left for whoever changed it; never committed. */
export const shots: string = new URL('../screenshots/', import.meta.url).pathname
const pageDir = new URL('../../packages/web/dist', import.meta.url).pathname
const schemes = ['light', 'dark'] as const

/** A server with the built page behind a bad network, and a browser in which its first account is signed in. */
export interface PageScene extends AsyncDisposable {
  readonly live: LiveServer
  readonly context: BrowserContext
  /** The tab that was opened last. */
  readonly page: Page
  /** Another tab of the same browser, whose person is signed in there as well. */
  openTab(): Promise<Page>
  /** Goes to the page of a session. */
  open(session: string): Promise<void>
}

/** `env`: settings of the server beside those of every such one. */
export async function openPageScene(options: { env?: Record<string, string> } = {}): Promise<PageScene> {
  const live = await startLiveServer({ pageDir, ...options })
  const browser = await openBrowser()
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  let page = await context.newPage()
  await page.goto(live.proxyUrl)
  await signIn(page)
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
  return {
    live,
    context,
    get page() {
      return page
    },
    openTab: async () => {
      page = await context.newPage()
      return page
    },
    open: async (session) => {
      await page.goto(`${live.proxyUrl}/sessions/${session}`)
    },
    [Symbol.asyncDispose]: async () => {
      await browser.close()
      await live[Symbol.asyncDispose]()
    },
  }
}

/** Types the word that a card of high risk asks for. */
export async function typeWord(card: Page | Locator): Promise<void> {
  const label = card.locator('.word')
  await label.locator('input').fill(await label.locator('b').innerText())
}

/**
 * Resolves in the page when it is drawn as it stays: frames, fonts, and whatever in sight moves or fades but comes to an
 * end. What is folded away has no frames, so that its fading would never end.
 */
const settled = `document.fonts.ready
  .then(() => new Promise(requestAnimationFrame))
  .then(() => new Promise(requestAnimationFrame))
  .then(() => {
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity && effect.target.checkVisibility())
    return Promise.allSettled(ending.map(({ finished }) => finished))
  })
  .then(() => true)`

/** Puts the page at a width of a phone, or of a desk, and waits until it has taken it. */
export async function resize(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: width < 600 ? 844 : 900 })
  await page.evaluate(settled)
}

/** Photographs the page at each width, light and dark; nothing may scroll sideways, and axe must find nothing. */
export async function photograph(
  page: Page,
  name: string,
  widths: readonly number[] = [390, 768, 1440, 2560],
): Promise<void> {
  mkdirSync(shots, { recursive: true })
  for (const width of widths) {
    await resize(page, width)
    for (const colorScheme of schemes) {
      // A button that may be pressed from now on fades into its colours, also while axe measures them.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.evaluate(settled)
      await page.screenshot({ path: `${shots}${name}-${width}-${colorScheme}.png` })
      if (width === 390 || width === 1440) await expectAccessible(page, `${name} at ${width}, ${colorScheme}`)
    }
    await expectNoSidewaysScroll(page, `${name} at ${width}`)
  }
  await resize(page, 1440)
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null })
}

export async function expectNoSidewaysScroll(page: Page, name: string): Promise<void> {
  const wide = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  expect(wide, `${name} scrolls sideways`).toBeLessThanOrEqual(0)
}

async function expectAccessible(page: Page, name: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(
    violations.map(({ id, nodes }) => `${name}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join()}`),
  ).toEqual([])
}
