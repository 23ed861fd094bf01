import { httpRequest } from '@hotline/client/http-request'
import type { SnoozePage } from '@hotline/protocol/asks'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type NeedsScene, openNeedsScene } from '../src/needs-scene.ts'
import { photograph, resize } from '../src/page-scene.ts'

let scene: NeedsScene
let page: Page
beforeAll(async () => {
  scene = await openNeedsScene()
  page = scene.page
})
beforeEach(async () => {
  await resize(page, 1440)
  await page.mouse.move(1_300, 880)
})
afterEach(() => scene.denyAll())
afterAll(() => scene[Symbol.asyncDispose]())

const list = () => page.getByRole('region', { name: 'What needs you' })
const rows = () => list().locator('.scroll > .row .title')
const group = () => list().locator('.snoozed')
const loud = (): Promise<(string | null)[]> =>
  Promise.all([
    page.getByRole('navigation', { name: 'Main', exact: true }).locator('a', { hasText: 'Needs you' }).innerText(),
    page.title().then((title) => /^\(\d+\)/.exec(title)?.[0] ?? null),
  ])
const counts = (count: number): unknown[] => [
  expect.stringMatching(new RegExp(`${count}$`)),
  count > 0 ? `(${count})` : null,
]
const toNeeds = async (): Promise<void> => {
  await page.goto(`${scene.live.proxyUrl}/needs`)
  await list().locator('.row').first().waitFor()
}
/** The card beside the list is the one that keys mean. */
const lookAt = async (command: string): Promise<void> => {
  await list().getByText(command, { exact: true }).click()
  await page.locator('.need .card .command').getByText(command, { exact: true }).waitFor()
  await page.mouse.move(1_300, 880)
  await page.locator('.need .card[data-keys]').waitFor()
}

describe('what one puts aside', () => {
  it('[SN5] by a key: it is no more counted, is found folded away with its time, and is brought back by a key', async () => {
    await scene.asking('npm test', 'Tests')
    await scene.asking('rm -rf build', 'Cleaning')
    await toNeeds()
    await expect.poll(loud).toEqual(counts(2))
    await lookAt('rm -rf build')
    await page.keyboard.press('z')
    const menu = page.getByRole('dialog', { name: 'Snooze for yourself' })
    await menu.waitFor()
    await photograph(page, 'snooze-menu', [390, 1440])
    // One finds one's way by arrows, and by its number.
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('2')
    await menu.waitFor({ state: 'hidden' })
    await page.locator('.need').getByText('Snoozed for you until').waitFor()
    await expect.poll(loud).toEqual(counts(1))
    await expect
      .poll(() => list().locator('p[role=status]').innerText())
      .toContain('1 to allow or deny · 1 snoozed by you')
    // It stays where it was until one goes on.
    expect(await list().locator('.scroll > .row.over').innerText()).toContain('snoozed')
    await lookAt('npm test')
    await expect.poll(() => rows().allInnerTexts()).toEqual(['npm test'])
    await group().getByText('Snoozed (1)').click()
    expect(await group().innerText()).toMatch(/rm -rf build[^]*back at \d\d:\d\d[^]*Bring back/)
    await photograph(page, 'snoozed', [390, 1440])
    await group().getByText('rm -rf build').click()
    await page.locator('.need').getByText('Snoozed for you until').waitFor()
    await photograph(page, 'snoozed-card', [390, 1440])

    await page.goto(`${scene.live.proxyUrl}/needs`)
    await group().getByText('Snoozed (1)').click()
    await photograph(page, 'snoozed-list', [390, 1440])

    // So it is after the page was loaded anew, and in the list of sessions.
    await page.goto(scene.live.proxyUrl)
    const row = page.locator('.list .row', { hasText: 'Cleaning' })
    await expect.poll(() => row.innerText()).toMatch(/1 snoozed until \d\d:\d\d/)
    expect(await row.getAttribute('class')).not.toContain('needs')
    await expect.poll(loud).toEqual(counts(1))
    await photograph(page, 'snoozed-sessions', [390, 1440])
    await row.click()
    const card = page.locator('.card', { hasText: 'rm -rf build' })
    await card.getByText('Snoozed for you until').waitFor()
    await page.locator('.card[data-keys]').waitFor()
    await page.keyboard.press('z')
    await card.getByRole('button', { name: 'Snooze …' }).waitFor()
    await expect.poll(loud).toEqual(counts(2))
  })

  it('[SN5] a question, until a time of one’s own; what another device puts aside or brings back, and what is answered, shows at once', async () => {
    const first = await scene.asking('npm run one', 'One')
    const hand = await scene.live.startSession('Regions')
    await hand.report({ type: 'question.asked', data: { question: 'q1' }, body: { text: 'Which region?' } })
    await toNeeds()
    await list().getByText('Which region?').click()
    const card = page.getByRole('article', { name: 'Needs you: a question' })
    await card.waitFor()
    await page.keyboard.press('z')
    const menu = page.getByRole('dialog', { name: 'Snooze for yourself' })
    await menu.getByLabel('A time of your own').fill('2020-01-01T10:00')
    await menu.getByRole('button', { name: 'Until then' }).click()
    await menu.getByText('is over already').waitFor()
    const day = new Date(Date.now() + 48 * 3_600_000).toISOString().slice(0, 10)
    await menu.getByLabel('A time of your own').fill(`${day}T10:00`)
    await menu.getByRole('button', { name: 'Until then' }).click()
    await menu.waitFor({ state: 'hidden' })
    await expect.poll(loud).toEqual(counts(1))

    const credential = { kind: 'token', token: scene.live.token } as const
    const me = await httpRequest<{ id: string }>(scene.live.url, credential, 'GET', '/api/me')
    if (!me.ok) throw new Error(me.problem.detail)
    const own = `account:${me.value.id}`
    const until = new Date(Date.now() + 3_600_000).toISOString()
    await scene.send(own, 'ask.snooze', { session: first.hand.session, ask: first.approval, until })
    await expect.poll(loud).toEqual(counts(0))
    await group().getByText('Snoozed (2)').click()
    await scene.send(own, 'ask.unsnooze', { session: hand.session, ask: 'q1' })
    await expect.poll(loud).toEqual(counts(1))
    await expect.poll(() => group().locator('.row .title').allInnerTexts()).toEqual(['npm run one'])
    await scene.decide(first, 'deny')
    await expect.poll(() => group().count()).toBe(0)
    expect(await httpRequest<SnoozePage>(scene.live.url, credential, 'GET', '/api/snoozes')).toMatchObject({ ok: true })
    await scene.send(hand.stream, 'question.answer', { question: 'q1', action: 'decline' })
  })

  it('[SN7] a session of which everything is put aside does not say that it needs the one who did', async () => {
    const { hand, approval } = await scene.asking('make all', 'Builds')
    await page.goto(`${scene.live.proxyUrl}/sessions/${hand.session}`)
    const line = (hasText: string) => page.locator('.evidence').filter({ hasText }).waitFor()
    await line('needs you: 1 request')
    const credential = { kind: 'token', token: scene.live.token } as const
    const me = await httpRequest<{ id: string }>(scene.live.url, credential, 'GET', '/api/me')
    if (!me.ok) throw new Error(me.problem.detail)
    const own = `account:${me.value.id}`
    const until = new Date(Date.now() + 60 * 60_000).toISOString()
    await scene.send(own, 'ask.snooze', { session: hand.session, ask: approval, until })
    await line('1 snoozed by you · since')
    await photograph(page, 'snoozed-header', [390, 1440])
    // On a phone it stands where it was said, and not before everything.
    await resize(page, 390)
    const inBar = (): Promise<number> =>
      page
        .locator('.thumb')
        .getByRole('button', { name: /^Allow/ })
        .count()
    await page.locator('.thumb').waitFor({ state: 'detached' })
    await scene.send(own, 'ask.unsnooze', { session: hand.session, ask: approval })
    await expect.poll(inBar).toBe(1)
    await scene.send(own, 'ask.snooze', { session: hand.session, ask: approval, until })
    await resize(page, 1440)
    await line('1 snoozed by you · since')
    await scene.send(own, 'ask.unsnooze', { session: hand.session, ask: approval })
    await line('needs you: 1 request')
  })

  it('[SN5] it comes back into the open page at its time, by itself', async () => {
    page = await scene.openTab()
    await page.clock.install()
    await scene.asking('npm run late', 'Late')
    await toNeeds()
    await lookAt('npm run late')
    await page.keyboard.press('z')
    await page.getByRole('dialog', { name: 'Snooze for yourself' }).getByRole('button', { name: '15 minutes' }).click()
    await expect.poll(loud).toEqual(counts(0))
    await page.clock.fastForward(14 * 60_000)
    await page.locator('.need').getByText('Snoozed for you until').waitFor()
    await page.clock.fastForward(70_000)
    await expect.poll(loud).toEqual(counts(1))
    await expect.poll(() => list().locator('.row.needs .title').allInnerTexts()).toEqual(['npm run late'])
    expect(await group().count()).toBe(0)
  })
})
