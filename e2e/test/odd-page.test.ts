import { mkdirSync } from 'node:fs'
import type { HandRunner } from '@hotline/testing/hand-runner'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { expectNoSidewaysScroll, openPageScene, type PageScene, photograph, resize, shots } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  mkdirSync(shots, { recursive: true })
  scene = await openPageScene()
  page = scene.page
})
beforeEach(() => resize(page, 1440))
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

const unbroken = 'pneumonoultramicroscopicsilicovolcanoconiosis'.repeat(3)
const rightToLeft = 'تصحيح إعادة التوجيه בדיקה (auth.ts)'
const emoji = '👩🏽‍💻🏳️‍🌈 Ship it 🚢🇫🇷'
/** Turns everything after it around, and never ends. */
const turned = 'Deploy \u202eexe.gpj'

async function say(hand: HandRunner, texts: readonly string[]): Promise<void> {
  await hand.report(
    ...texts.map((text, at) => ({
      type: 'message.completed' as const,
      data: { message: `m${at}`, chars: text.length },
      body: { text },
    })),
  )
}

describe('words of every kind', () => {
  it('[G47] long, unbroken, right-to-left and turned words stay in their place', async () => {
    const titles = [unbroken, rightToLeft, emoji, turned, `${'A rather long name for a session '.repeat(5)}end`]
    for (const title of titles) await scene.live.startSession(title.slice(0, 200))
    const hand = await scene.live.startSession(unbroken)
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      {
        type: 'step.started',
        data: { step: 's1', kind: 'execute', turn: 't1' },
        body: { title: `cat ${unbroken}`, locations: [`/home/dana/${unbroken}/auth.ts`] },
      },
      {
        type: 'step.finished',
        data: { step: 's1', outcome: 'done' },
        body: { output: Array.from({ length: 5_000 }, (_, line) => `${line} ${'output '.repeat(4)}`).join('\n') },
      },
    )
    await say(hand, [
      unbroken,
      `${rightToLeft}\n\nSecond paragraph, left to right.\n\n- ${rightToLeft}\n- one`,
      emoji,
      `\`\`\`\n${'const wide = '.repeat(40)}\n\`\`\``,
      `A [link](https://example.org/${unbroken}) and \`${unbroken}\`.`,
    ])
    await scene.open(hand.session)
    const talk = page.locator('.talk')
    await talk.getByText('Second paragraph, left to right.').waitFor()
    // The list is read from left to right whatever stands in a row, and what is turned is turned in its own place alone.
    for (const row of await page.locator('.list .row').all()) {
      const time = await row.locator('time').boundingBox()
      const title = await row.locator('.title').boundingBox()
      expect(title && time && title.x < time.x && title.x + title.width <= time.x).toBe(true)
    }
    const direction = 'getComputedStyle(document.querySelector(".message .said p")).unicodeBidi'
    expect(await page.evaluate(direction)).toBe('plaintext')
    await photograph(page, 'odd-words', [390, 1440])
  })

  it('[G47] of forty approvals five are asked, one after the other, the rest is counted, and each key answers one', async () => {
    const hand = await scene.live.startSession('Asks forty times')
    for (let at = 0; at < 40; at += 1) {
      await hand.ask({ tool: 'Bash', title: `Command ${at}`, input: `echo ${at}` })
    }
    await scene.open(hand.session)
    const row = page.locator('.list .row', { hasText: 'Asks forty times' })
    await page.locator('.rail').getByText('5', { exact: true }).waitFor()
    await row.getByText('5 to allow or deny, 35 more wait').waitFor()
    await photograph(page, 'forty', [390, 1440])
    // At the end one is led to what is asked first, and only there is a key shown.
    await page.getByRole('button', { name: '5 need you: show the first' }).click()
    for (const at of [0, 1]) {
      const card = page.getByRole('article', { name: `Needs you: Command ${at}`, exact: true })
      await page.locator('.card[data-keys]').and(card).waitFor()
      expect(await page.locator('.card .button .key', { hasText: 'd' }).count()).toBe(1)
      await page.keyboard.press('d')
      await page.getByText('✗ Denied by You').nth(at).waitFor()
    }
    await row.getByText('5 to allow or deny, 33 more wait').waitFor()
    await page.locator('.rail').getByText('5', { exact: true }).waitFor()
  })
})

describe('a person who needs it larger, or stiller', () => {
  it('[G47] at 200 % nothing is out of reach, and more contrast and less motion are heeded', async () => {
    const browser = scene.context.browser()
    if (!browser) throw new Error('the browser is gone')
    const hand = await scene.live.startSession('Read at twice the size')
    await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'npm publish --access public' })
    const large = await browser.newContext({
      // What is left of 1440 by 900 when everything is twice as large.
      viewport: { width: 720, height: 450 },
      deviceScaleFactor: 2,
      contrast: 'more',
      reducedMotion: 'reduce',
      storageState: await scene.context.storageState(),
    })
    const tab = await large.newPage()
    await tab.goto(`${scene.live.proxyUrl}/sessions/${hand.session}`)
    await tab
      .getByRole('button', { name: /^Allow/ })
      .first()
      .waitFor()
    await expectNoSidewaysScroll(tab, 'a session at 200 %')
    await tab.screenshot({ path: `${shots}large-session.png` })
    await tab.getByRole('button', { name: /^Deny/ }).first().click()
    await tab.getByText('✗ Denied by You').waitFor()
    const quiet = 'getComputedStyle(document.querySelector(".evidence")).color'
    const plain = 'getComputedStyle(document.body).color'
    expect(await tab.evaluate(quiet)).toBe(await tab.evaluate(plain))
    await tab.goto(scene.live.proxyUrl)
    await tab.getByText('Read at twice the size').waitFor()
    await expectNoSidewaysScroll(tab, 'the list at 200 %')
    await tab.screenshot({ path: `${shots}large-list.png` })
    await large.close()
  })
})

describe('the buttons of the browser', () => {
  it('[G47] back and forward lead through sessions and pages, and the title of the tab names the session', async () => {
    const first = await scene.live.startSession('The first of two')
    const second = await scene.live.startSession('The second of two')
    await scene.open(first.session)
    await page.getByRole('heading', { name: 'The first of two' }).waitFor()
    await expect.poll(() => page.title()).toMatch(/The first of two · Hotline$/)
    await page.locator('.list').getByText('The second of two').click()
    await page.getByRole('heading', { name: 'The second of two' }).waitFor()
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor()
    await expect.poll(() => page.title()).toMatch(/^(\(\d+\) )?Hotline$/)
    await page.goBack()
    await page.getByRole('heading', { name: 'The second of two' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { name: 'The first of two' }).waitFor()
    await page.goForward()
    await page.getByRole('heading', { name: 'The second of two' }).waitFor()
    await second.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'completed', reason: 'goal_reached' },
    })
    await page.locator('.evidence').getByText('completed').waitFor()
    await photograph(page, 'closed', [390, 1440])
  })
})
