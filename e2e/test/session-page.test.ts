import { mkdirSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import type { Report } from '@hotline/protocol/commands/agent'
import { openBrowser } from '@hotline/testing/browser'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const shots = new URL('../screenshots/', import.meta.url).pathname
const pageDir = new URL('../../packages/web/dist', import.meta.url).pathname

let live: LiveServer
let browser: Browser
let context: BrowserContext
let page: Page
beforeAll(async () => {
  mkdirSync(shots, { recursive: true })
  live = await startLiveServer({ pageDir })
  browser = await openBrowser()
  context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  page = await context.newPage()
  await page.goto(live.proxyUrl)
  await page.getByLabel('Name').fill('dana')
  await page.getByLabel('Password').fill('a long walk over the wet meadow')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
})
afterAll(async () => {
  await browser.close()
  await live[Symbol.asyncDispose]()
})

const open = (session: string): Promise<unknown> => page.goto(`${live.proxyUrl}/sessions/${session}`)

/** A step that reads a file, from its beginning to its end. */
function readOf(at: number): Report[] {
  const step = `s${at}`
  const path = `src/${at}.ts`
  return [
    {
      type: 'step.started',
      data: { step, turn: 't1', kind: 'read' },
      body: { title: `Read ${path}`, locations: [path] },
    },
    { type: 'step.finished', data: { step, outcome: 'done' }, body: {} },
  ]
}

async function photograph(name: string): Promise<void> {
  for (const width of [390, 768, 1440, 2560]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: `${shots}${name}-${width}-${colorScheme}.png` })
    }
    const wide = await page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    )
    expect(wide, `${name} at ${width} scrolls sideways`).toBeLessThanOrEqual(0)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.emulateMedia({ colorScheme: 'light' })
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(
    violations.map(({ id, nodes }) => `${name}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join()}`),
  ).toEqual([])
}

/** How many commands the browser keeps for later, as it runs in the page. */
const countKept = `(async () => {
  const [{ name }] = (await indexedDB.databases()).filter((database) => database.name.startsWith('hotline-outbox:'))
  const answer = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result) })
  const database = await answer(indexedDB.open(name))
  const count = await answer(database.transaction('commands').objectStore('commands').count())
  database.close()
  return count
})()`

describe('the page of one session', () => {
  it('[G11] an approval that may be changed is edited by key and allowed as edited, and both are kept', async () => {
    const hand = await live.startSession('Publish it')
    await hand.ask({
      tool: 'Bash',
      title: 'Run a command',
      input: 'npm publish --tag next',
      cwd: '/src/app',
      reason: 'You asked me to.',
    })
    await open(hand.session)
    await page.getByRole('article').getByText('npm publish --tag next').waitFor()
    await photograph('card')
    await page.keyboard.press('e')
    await page.getByLabel('What will run in its place').fill('npm publish --tag beta')
    await page.getByRole('button', { name: 'Allow as edited' }).click()
    await page.getByText('✓ Edited and allowed by You').click()
    await page.getByText('npm publish --tag next').waitFor()
    await page.getByText('npm publish --tag beta').waitFor()
    const decided = (await live.stored(hand.session)).find(({ type }) => type === 'approval.resolved')
    expect(decided?.data).toMatchObject({ outcome: 'allowed_modified' })
    expect(decided?.body).toMatchObject({ input: 'npm publish --tag beta' })
  })

  it('[G12] what is longer than its frame can only be allowed when its end was seen', async () => {
    const hand = await live.startSession('A long one')
    const lines = Array.from({ length: 200 }, (_, at) => `echo line ${at}`)
    await hand.ask({ tool: 'Bash', title: 'Run a script', input: lines.join('\n') })
    await open(hand.session)
    const allow = page.getByRole('button', { name: /^Allow/ })
    await page.getByText('Read to the end to allow').waitFor()
    expect(await allow.isDisabled()).toBe(true)
    await page.keyboard.press('a')
    expect((await live.stored(hand.session)).some(({ type }) => type === 'approval.resolved')).toBe(false)
    await page.locator('.card .exact').evaluate((box) => (box.scrollTop = box.scrollHeight))
    await allow.click()
    await page.getByText('✓ Allowed by You').waitFor()
  })

  it('[G13] beside the conversation stands what is known: state, machine, counts and plan', async () => {
    const hand = await live.startSession('With a plan')
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      {
        type: 'plan.updated',
        data: { entries: 3, done: 1 },
        body: {
          entries: [
            { text: 'Read the code', status: 'completed' },
            { text: 'Write the test', status: 'in_progress' },
            { text: 'Mend it', status: 'pending' },
          ],
        },
      },
      ...Array.from({ length: 10 }, (_, at) => readOf(at)).flat(),
    )
    await open(hand.session)
    const aside = page.getByRole('complementary', { name: 'What is known about this session' })
    await aside.getByText('1/3').waitFor()
    await aside.getByText('Write the test').waitFor()
    await page.getByText('read 10 files').waitFor()
    await photograph('context')
    await page.setViewportSize({ width: 390, height: 844 })
    await page.getByRole('button', { name: 'Details' }).click()
    await page.getByRole('dialog').getByText('Write the test').waitFor()
    await page.screenshot({ path: `${shots}context-sheet-390-light.png` })
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('[G14] a message that was on its way when the tab was closed is sent by the next one, once', async () => {
    const hand = await live.startSession('In a tunnel')
    await open(hand.session)
    const box = page.getByLabel('Message to the agent')
    await box.waitFor()
    await page.getByText('Nothing was said yet').or(page.getByText('The agent is ready')).first().waitFor()
    live.proxy.halfOpen()
    await box.fill('Said in a tunnel')
    await box.press('Enter')
    await page.getByText('sending …').waitFor()
    await expect.poll(() => page.evaluate<number>(countKept), { timeout: 10_000 }).toBe(1)
    await page.close()
    live.proxy.restore()
    page = await context.newPage()
    await open(hand.session)
    await page.getByText('Said in a tunnel').waitFor()
    await page.getByText('sending …').waitFor({ state: 'detached' })
    const sent = (await live.stored(hand.session)).filter(({ body }) => body?.['text'] === 'Said in a tunnel')
    expect(sent).toHaveLength(1)
  })

  it('[G15] the list does not move under the pointer, and says how many things wait', async () => {
    await page.goto(live.proxyUrl)
    const list = page.getByRole('region', { name: 'Sessions' })
    await list.getByText('With a plan').hover()
    const titles = (): Promise<string[]> => list.locator('.row .title').allInnerTexts()
    const before = await titles()
    const hand = await live.startSession('Came while I looked')
    await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    await list.getByRole('button', { name: '1 new' }).waitFor()
    expect(await titles()).toEqual(before)
    await page.waitForFunction('document.title.startsWith("(")')
    expect(await page.locator('link[rel=icon]').getAttribute('href')).toContain('data:image/png')
    await page.mouse.move(1_000, 600)
    await list.getByText('Came while I looked').waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).getByText('allow what is asked first').waitFor()
  })
})
