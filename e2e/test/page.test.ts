import { scriptPrompt } from '@hotline/demo-agent/script'
import { openBrowser } from '@hotline/testing/browser'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Hotline, owner, startHotline } from '../src/hotline.ts'
import { watchFor } from '../src/fleeting.ts'
import { photograph } from '../src/page-scene.ts'
import { signIn } from '../src/sign-in.ts'

let hotline: Hotline
let browser: Browser
let page: Page
const complaints: string[] = []

beforeAll(async () => {
  hotline = await startHotline({ bootstrap: false })
  browser = await openBrowser()
  page = await newPage()
})
afterAll(async () => {
  await browser.close()
  await hotline[Symbol.asyncDispose]()
})

async function newPage(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const opened = await context.newPage()
  opened.on('console', (message) => {
    // A request that is refused before signing in is no fault of the page.
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text())
  })
  opened.on('pageerror', (error) => complaints.push(String(error)))
  opened.on('request', (request) => {
    if (new URL(request.url()).hostname !== 'localhost') complaints.push(`asked ${request.url()}`)
  })
  return opened
}

const sessionOf = (of: Page): string => of.url().split('/').at(-1) ?? ''

// One story: each test goes on where the one before it ended.
describe('the page', { shuffle: false }, () => {
  it('[G1] a newcomer opens the printed link, makes the first account, and starts the demo agent', async () => {
    await page.goto(hotline.bootstrapLink)
    await page.getByRole('heading', { name: 'Welcome to Hotline' }).waitFor()
    expect(page.url()).not.toContain('bootstrap')
    await photograph(page, 'enter', [390, 1440])
    await page.getByLabel('Name').fill(owner.name)
    await page.getByLabel('Password, at least 12 characters').fill(owner.password)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.getByText('No agent is running.').waitFor()
    await photograph(page, 'empty', [390, 1440])
    await page.getByRole('button', { name: 'New session' }).first().click()
    const dialog = page.getByRole('dialog', { name: 'New session' })
    await dialog
      .getByText(/demonstration|scripted/i)
      .first()
      .waitFor()
    await photograph(page, 'start', [390, 1440])
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Start the demo agent' }).click()
    await page.getByRole('heading', { name: 'Show me around' }).waitFor()
  })

  it('[G2] it shows exactly what will run, takes allow and deny, and a message while the agent works', async () => {
    const box = page.getByLabel('Message to the agent')
    await box.fill('help')
    await box.press('Enter')
    const card = page.getByRole('article').first()
    await card.waitFor({ timeout: 60_000 })
    await expect.poll(() => page.title()).toBe('(1) Show me around · Hotline')
    await photograph(page, 'approval', [390, 1440])
    await box.blur()
    await page.locator('.card[data-keys]').waitFor()
    // The frame grew back from the width of a phone: only what fits it again can be allowed.
    await card.getByRole('button', { name: /^Allow/, disabled: false }).waitFor()
    await page.keyboard.press('a')
    await page.getByText('✓ Allowed by You').first().waitFor()
    const second = page.getByRole('article').first()
    await second.waitFor({ timeout: 60_000 })
    await second.getByLabel('Comment for the agent').fill('not on this machine')
    await second.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('✗ Denied by You').first().waitFor()
    await page.getByText('delivered').or(page.getByText('seen')).first().waitFor({ timeout: 60_000 })
    await page.getByText('waits for you to write').first().waitFor({ timeout: 90_000 })
    // All turns are over: nothing is to be written any more.
    await hotline.api.until(
      sessionOf(page),
      'the end of its turns',
      ({ queue, turn }) => queue.length === 0 && turn === undefined,
      90_000,
    )
    await photograph(page, 'conversation', [390, 1440])
  })

  it('[G3] after a reload and in a second browser everything is there once', async () => {
    const read = (of: Page): Promise<string[]> => of.locator('.message .said').allInnerTexts()
    const here = await read(page)
    expect(here.length).toBeGreaterThan(0)
    await page.reload()
    await expect.poll(() => read(page)).toEqual(here)
    const other = await newPage()
    await other.goto(page.url())
    await signIn(other)
    await expect.poll(() => read(other)).toEqual(here)
    expect(new Set(here).size).toBe(here.length)
    await other.context().close()
  })

  it('[G4] when the server is killed the page says so, keeps what is written, and goes on by itself', async () => {
    const session = await hotline.api.start(
      'demo',
      scriptPrompt([
        { do: 'tick', everyMs: 100, count: 80 },
        { do: 'say', text: 'All said.' },
      ]),
      { title: 'Through a crash' },
    )
    await page.goto(`${hotline.url}/sessions/${session}`)
    const box = page.getByLabel('Message to the agent')
    await box.fill('Not finished y')
    const said = page.locator('.message.agent .said')
    await said.filter({ hasText: 'tick 3' }).first().waitFor()
    const lost = await watchFor(page, 'reach the server for')
    process.kill(hotline.pidOf('server') ?? 0, 'SIGKILL')
    await lost()
    await said.filter({ hasText: 'All said.' }).first().waitFor({ timeout: 60_000 })
    const text = (await said.allInnerTexts()).join('\n')
    const ticks = [...text.matchAll(/tick (\d+)/g)].map((match) => Number(match[1]))
    // The list holds what is near the end, where the reader is.
    expect(ticks.length).toBeGreaterThan(0)
    expect(ticks).toEqual(Array.from({ length: ticks.length }, (_, at) => 81 - ticks.length + at))
    expect(await box.inputValue()).toBe('Not finished y')
  })

  it('[G5] nothing was asked of another host, and the browser had nothing to complain about', () => {
    const faults = complaints.filter((text) => !/WebSocket|ERR_CONNECTION|Failed to fetch|net::/.test(text))
    expect(faults).toEqual([])
  })
})
