import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectNoSidewaysScroll, openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

async function boxOf(element: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await element.boundingBox()
  if (!box) throw new Error('it is not in sight')
  return box
}

describe('the frame of the page', () => {
  it('[G19] rail, list, session and context stand side by side, as much as there is room for', async () => {
    const hand = await scene.live.startSession('A name that is far too long for the place it has in any list or head')
    await scene.open(hand.session)
    await page.getByRole('heading', { name: 'A name that is far too long' }).waitFor()
    const context = page.getByRole('complementary', { name: 'What is known about this session' })
    for (const width of [1440, 2560]) {
      await resize(page, width)
      expect((await boxOf(page.getByRole('navigation', { name: 'Main', exact: true }))).width).toBe(232)
      expect((await boxOf(page.getByRole('region', { name: 'Sessions' }))).width).toBe(360)
      expect((await boxOf(context)).width).toBe(300)
      expect((await boxOf(context)).x).toBe(width - 300)
    }
    await resize(page, 960)
    expect((await boxOf(page.getByRole('navigation', { name: 'Main', exact: true }))).width).toBe(232)
    expect((await boxOf(page.getByRole('region', { name: 'Sessions' }))).width).toBe(360)
    expect(await context.isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Details' }).click()
    await page.getByRole('dialog').getByText('Machine').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
    for (const width of [599, 600, 959, 960, 1200]) {
      await resize(page, width)
      await expectNoSidewaysScroll(page, `a session at ${width}`)
    }
    await resize(page, 1440)
  })

  it('[G20] on a phone the ways through are at the bottom, and allow and deny where a thumb is', async () => {
    const hand = await scene.live.startSession('On the phone')
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await hand.ask({ tool: 'Bash', title: 'Publish it', input: 'npm test', cwd: '/src/app' })
    await page.goto(scene.live.proxyUrl)
    await resize(page, 390)
    const bar = page.getByRole('navigation', { name: 'Main, at the bottom' })
    const { y, height } = await boxOf(bar)
    expect(y + height).toBe(844)
    await bar.getByRole('button', { name: 'More' }).click()
    const more = page.getByRole('dialog', { name: 'More' })
    await more.getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor()
    await more.waitFor({ state: 'hidden' })
    await bar.getByRole('link', { name: 'Needs you 1' }).click()
    const list = page.getByRole('region', { name: 'What needs you' })
    await list.getByText('On the phone').waitFor()
    expect(await list.getByText('A name that is far too long').count()).toBe(0)
    await photograph(page, 'needs', [390])
    await resize(page, 390)
    await list.getByText('On the phone').click()
    await page.locator('.need .card[data-keys]').waitFor()
    await photograph(page, 'needs-thumb', [390])
    await resize(page, 390)
    await page.getByRole('link', { name: 'Open the session' }).click()

    await page.locator('.session .card[data-keys]').waitFor()
    const allow = page.getByRole('button', { name: /^Allow/ })
    const box = page.getByLabel('Message to the agent')
    const thumb = page.getByRole('group', { name: 'Answer what is asked first' })
    expect((await boxOf(allow)).height).toBeGreaterThanOrEqual(44)
    // Between two thirds of the screen and the message box.
    expect((await boxOf(allow)).y).toBeGreaterThan((844 * 2) / 3)
    expect((await boxOf(allow)).y).toBeLessThan((await boxOf(box)).y)
    await photograph(page, 'thumb', [390])
    await resize(page, 390)

    // Out of sight it means nothing; the place stays, and leads back to it.
    const place = await boxOf(thumb)
    await hand.report(
      ...Array.from({ length: 30 }, (_, at) => ({
        type: 'message.posted' as const,
        data: { message: `m${at}`, role: 'agent' as const, queued: false, chars: 8 },
        body: { text: `Line ${at} of what I did.` },
      })),
    )
    await page.getByText('Line 29 of what I did.').waitFor()
    await expect.poll(async () => (await allow.count()) === 0 || (await allow.isDisabled())).toBe(true)
    await expect.poll(() => boxOf(thumb)).toEqual(place)
    await thumb.getByRole('button', { name: 'Publish it' }).click()
    await page.locator('.card[data-keys]').waitFor()
    await allow.click()
    await page.getByText('✓ Allowed by You').waitFor()
    await thumb.waitFor({ state: 'detached' })
    await resize(page, 1440)
  })

  it('[G33] the end stays in sight when a phone is turned or its keyboard comes up, and a reader above is left alone', async () => {
    const hand = await scene.live.startSession('A long talk')
    const say = (from: number, count: number): Promise<unknown> =>
      hand.report(
        ...Array.from({ length: count }, (_, at) => ({
          type: 'message.posted' as const,
          data: { message: `m${from + at}`, role: 'agent' as const, queued: false, chars: 80 },
          body: {
            text: `Line ${from + at}. It has so many words that a narrow screen needs more than one line for it.`,
          },
        })),
      )
    await say(0, 60)
    await resize(page, 1440)
    await scene.open(hand.session)
    const last = page.getByText('Line 59.')
    await last.waitFor()
    const box = page.getByLabel('Message to the agent')
    const bothInSight = async (height: number): Promise<boolean> => {
      const [words, write] = [await last.boundingBox(), await box.boundingBox()]
      return words !== null && write !== null && words.y + words.height <= write.y && write.y + write.height <= height
    }
    for (const [width, height] of [
      [390, 844],
      [390, 450],
      [844, 390],
      [390, 844],
      [1440, 900],
    ] as const) {
      await page.setViewportSize({ width, height })
      await expect.poll(() => bothInSight(height), { message: `at ${width} × ${height}` }).toBe(true)
    }
    await box.fill(Array.from({ length: 8 }, (_, at) => `row ${at}`).join('\n'))
    await expect.poll(() => bothInSight(900)).toBe(true)
    await box.fill('')

    const list = page.locator('.talk .scroll')
    await list.hover()
    await page.mouse.wheel(0, -2_000)
    await page.getByRole('button', { name: 'Latest ↓' }).waitFor()
    await expect.poll(() => last.count()).toBe(0)
    await page.setViewportSize({ width: 1440, height: 700 })
    await say(60, 3)
    await page.getByRole('button', { name: '3 new ↓' }).click()
    await page.getByText('Line 62.').waitFor()
    const jump = page.locator('.jump')
    await jump.waitFor({ state: 'detached' })

    // What one opens at the end opens in place.
    const output = Array.from({ length: 40 }, (_, at) => `line ${at} of the output`).join('\n')
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      { type: 'step.started', data: { step: 's1', turn: 't1', kind: 'execute' }, body: { title: 'npm test' } },
      { type: 'step.finished', data: { step: 's1', outcome: 'done' }, body: { output } },
    )
    const step = page.locator('summary', { hasText: 'npm test' })
    await step.waitFor()
    await expect.poll(async () => (await boxOf(step)).y).toBeGreaterThan(300)
    await jump.waitFor({ state: 'detached' })
    const { y } = await boxOf(step)
    await step.click()
    await page.getByText('line 0 of the output').waitFor()
    await jump.waitFor()
    await expect.poll(async () => (await boxOf(step)).y).toBe(y)
    await resize(page, 1440)
  })
})
