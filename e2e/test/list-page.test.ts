import { httpRequest } from '@hotline/client/http-request'
import type { Ephemeral } from '@hotline/client/link'
import { endManySessions } from '@hotline/testing/many-sessions'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
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

const list = (): ReturnType<Page['getByRole']> => page.getByRole('region', { name: 'Sessions' })
const rows = (): Promise<number> => page.locator('.list .row').count()
const titles = (): Promise<string[]> => page.locator('.list .row .title').allInnerTexts()
const focused = (): Promise<string> => page.evaluate<string>('document.activeElement.innerText')
/** The row in the middle of the list, and its place. */
const middle = (x = 400): Promise<string> =>
  page.evaluate<string>(`(() => {
    const row = document.elementFromPoint(${x}, 450)?.closest('.row')
    return row ? row.querySelector('.title').innerText + ' at ' + row.getBoundingClientRect().y : ''
  })()`)
const scrolled = (): Promise<number> => page.evaluate<number>(`document.querySelector('.list .scroll').scrollTop`)

describe('the row of a session', () => {
  it('[G46] says what its agent does now, and for how long; nothing of it is logged', async () => {
    const hand = await scene.live.startSession('Fix the login redirect')
    const heard: Ephemeral[] = []
    const link = scene.live.link()
    link.ephemeral((frame) => heard.push(frame))
    link.follow('project:default', 'now', { events: () => undefined })
    const row = list().locator('.row', { hasText: 'Fix the login redirect' })
    await row.getByText('demo · waits for you to write').waitFor()
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      {
        type: 'step.started',
        data: { step: 's1', kind: 'edit', turn: 't1' },
        body: { title: 'Edit it', locations: ['src/auth.ts'] },
      },
    )
    await expect.poll(() => row.innerText()).toMatch(/demo · editing src\/auth\.ts · (now|\d+ s)/)
    await photograph(page, 'doing', [390, 1440])
    // An agent that takes many steps in a moment is told of once.
    const told = heard.length
    for (let at = 2; at < 60; at += 1) {
      await hand.report(
        { type: 'step.finished', data: { step: `s${at - 1}`, outcome: 'done' } },
        { type: 'step.started', data: { step: `s${at}`, kind: 'read' }, body: { title: `file ${at}.ts` } },
      )
    }
    await row.getByText('reading file 59.ts').waitFor()
    expect(heard.filter(({ kind }) => kind === 'doing').length - told).toBeLessThan(10)
    await hand.report({ type: 'step.finished', data: { step: 's59', outcome: 'done' } })
    await expect.poll(() => row.innerText()).toMatch(/last: file 59\.ts · (just now|\d+ s ago)/)
    // Who comes later hears it too.
    await page.reload()
    await row.getByText('last: file 59.ts').waitFor()
    await hand.report({ type: 'turn.ended', data: { turn: 't1', end: 'end' } })
    await row.getByText('demo · waits for you to write').waitFor()
    // A new turn begins with nothing: what the last one did is over.
    await hand.report({ type: 'turn.started', data: { turn: 't2' } })
    await row.getByText('demo · at work').waitFor()
    const path = '/api/projects/default/events'
    const index = await httpRequest(scene.live.url, { kind: 'token', token: scene.live.token }, 'GET', path)
    expect(JSON.stringify(index)).not.toContain('auth.ts')
    // What it costs stands beside it, and stays between its turns.
    await hand.report({
      type: 'usage.reported',
      data: { inputTokens: 40_000, outputTokens: 1_200, cost: { amount: 0.32, currency: 'USD' } },
    })
    await row.getByText('41k tokens · $0.32').waitFor()
    await hand.report({ type: 'turn.ended', data: { turn: 't2', end: 'end' } })
    await row.getByText('demo · waits for you to write · 41k tokens · $0.32').waitFor()
  })
})

describe('a list of two thousand sessions', () => {
  it('[G45] has few rows in the page, is walked by keys from end to end, and what waits is above all', async () => {
    // It waits for long: two thousand others have changed since.
    const hand = await scene.live.startSession('Asked long ago')
    await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    await endManySessions(scene.live, 2_000)
    await page.goto(scene.live.proxyUrl)
    await list().getByRole('heading', { name: 'Needs you 1' }).waitFor()
    expect((await titles())[0]).toBe('Asked long ago')
    expect(await rows()).toBeLessThan(60)
    await photograph(page, 'many', [390, 1440])
    for (let at = 0; at < 40; at += 1) await page.keyboard.press('j')
    await expect.poll(focused).toContain('Session 19')
    expect(await rows()).toBeLessThan(60)
    await page.keyboard.press('k')
    // To the end of what is loaded; more is read when somebody comes near to it.
    await expect
      .poll(
        async () => {
          await page.keyboard.press('End')
          return focused()
        },
        { timeout: 60_000 },
      )
      .toMatch(/Session 00\d\d/)
    expect(await rows()).toBeLessThan(60)
    await page.keyboard.press('k')
    await expect.poll(focused).toMatch(/Session 00\d\d/)
    await page.keyboard.press('Home')
    await expect.poll(focused).toContain('Asked long ago')
    await expect.poll(scrolled).toBe(0)
  })

  it('[G45] stays where a reader is when rows change, and says what came meanwhile', async () => {
    await page.mouse.move(1_200, 500)
    await page.evaluate(`document.querySelector('.list .scroll').scrollTop = 9000`)
    await expect.poll(() => middle()).toMatch(/Session/)
    // What it has not measured yet it draws first: then it stands still.
    let before = ''
    await expect
      .poll(async () => {
        const last = before
        before = await middle()
        return last === before
      })
      .toBe(true)
    const hand = await scene.live.startSession('Came meanwhile')
    await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    await list().getByRole('button', { name: '1 new' }).waitFor()
    expect(await middle()).toBe(before)
    // Opened and left again, it is where it was: on a phone too, where the list is away meanwhile.
    await resize(page, 390)
    await expect.poll(() => middle(200)).toMatch(/Session/)
    const place = await middle(200)
    const [title = ''] = place.split(' at ')
    await list().getByText(title).click()
    await page.getByRole('heading', { name: title }).waitFor()
    await page.goBack()
    await expect.poll(() => middle(200)).toBe(place)
    await resize(page, 1440)
    await list().getByRole('button', { name: '1 new' }).click()
    await list().getByText('Came meanwhile').waitFor()
    await expect.poll(scrolled).toBe(0)
  })

  it('[G45] finds a session by its name, and looks further back for an old one', async () => {
    await page.goto(scene.live.proxyUrl)
    await list().getByText('Session 1999').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('session 0042')
    await list()
      .getByText(/^None of the newest \d+ is called that/)
      .waitFor()
    for (let at = 0; at < 20; at += 1) {
      if ((await list().getByText('Session 0042').count()) > 0) break
      await list().getByRole('button', { name: 'Look further back' }).click()
      await list()
        .getByRole('button', { name: 'Look further back', disabled: false })
        .or(list().getByText('Session 0042'))
        .waitFor()
    }
    await list().getByText('Session 0042').click()
    await page.getByRole('heading', { name: 'Session 0042' }).waitFor()
  })
})
