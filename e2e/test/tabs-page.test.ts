import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import type { CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene } from '../src/page-scene.ts'

let scene: PageScene
let hand: HandRunner
const tabs: Page[] = []
const tabsMax = 30
/** Sockets that were opened until the first tab showed the session. */
let before = 0

beforeAll(async () => {
  scene = await openPageScene()
  hand = await scene.live.startSession('In many tabs')
  await scene.open(hand.session)
  await expectEverywhere(await say(), [scene.page])
  before = (await sockets()).opened
  tabs.push(scene.page)
  while (tabs.length < tabsMax) {
    const tab = await scene.openTab()
    await scene.open(hand.session)
    tabs.push(tab)
  }
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

/** Sockets of people at the server, now and since its start, as its metrics count them. */
async function sockets(): Promise<{ open: number; opened: number }> {
  const { url, token } = scene.live
  const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text()
  const valueOf = (name: string): number =>
    Number(new RegExp(`^${name}\\{kind="person"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  return { open: valueOf('hotline_connections'), opened: valueOf('hotline_connections_opened_total') }
}

const oneSocket = (): Promise<unknown> =>
  waitFor(async () => (await sockets()).open === 1, { what: 'one socket for all tabs', everyMs: 100 })

let said = 0
/** The agent says something new. */
async function say(): Promise<string> {
  const text = `Word number ${(said += 1)}.`
  await hand.report({
    type: 'message.posted',
    data: { message: `said-${said}`, role: 'agent', queued: false, chars: text.length },
    body: { text },
  })
  return text
}

/** Each tab shows it, once. */
async function expectEverywhere(text: string, where: readonly Page[] = tabs): Promise<void> {
  await Promise.all(
    where.map(async (tab) => {
      const shown = tab.getByText(text, { exact: true })
      await shown.first().waitFor()
      await waitFor(async () => (await shown.count()) === 1, { what: `${text}, once`, everyMs: 100 })
    }),
  )
}

async function write(tab: Page, text: string): Promise<void> {
  const box = tab.getByLabel('Message to the agent')
  await box.fill(text)
  await box.press('Enter')
}

/** Who leads, by asking each tab whether it holds the lock: the browser names pages, and so each tab names itself. */
async function leader(among: readonly Page[] = tabs): Promise<Page> {
  const holds = `navigator.locks.query().then(({ held }) => held.filter(({ name }) => !name.endsWith('seize')).map(({ clientId }) => clientId))`
  const own = `new Promise((resolve) => navigator.locks.request('who ' + Math.random(), async (lock) => {
    const { held } = await navigator.locks.query()
    resolve(held.find(({ name }) => name === lock.name).clientId)
  }))`
  return waitFor(
    async () => {
      const [holder] = await (among[0] as Page).evaluate<string[]>(holds)
      const names = await Promise.all(among.map((tab) => tab.evaluate<string>(own)))
      return among[names.indexOf(holder ?? '')]
    },
    { what: 'a tab that leads' },
  )
}

/** In the log, once it is there: tabs show what is written before it is. */
const told = (text: string): Promise<number> =>
  waitFor(
    async () =>
      (await scene.live.stored(hand.session)).filter(
        ({ type, body }) => type === 'message.posted' && body?.['text'] === text,
      ).length,
    { what: `"${text}" in the log` },
  )

describe('thirty tabs of one browser', () => {
  it('[C25] have one socket at the server, and show the same', async () => {
    await expectEverywhere(await say())
    expect(await sockets()).toEqual({ open: 1, opened: before })
    await write(tabs[17] as Page, 'from the eighteenth')
    await expectEverywhere('from the eighteenth')
    expect(await told('from the eighteenth')).toBe(1)
  })

  it('[C26] the tab that leads is closed: another leads', async () => {
    const led = await leader()
    tabs.splice(tabs.indexOf(led), 1)
    await led.close()
    await write(tabs[3] as Page, 'after the close')
    await expectEverywhere('after the close')
    expect(await told('after the close')).toBe(1)
    await oneSocket()
  })

  it('[C26] its process is killed, in the middle of a message of another tab', async () => {
    const led = await leader()
    tabs.splice(tabs.indexOf(led), 1)
    const other = tabs[5] as Page
    const crashed = led.waitForEvent('crash')
    led.goto('chrome://crash').catch(() => undefined)
    await write(other, 'during the crash')
    await crashed
    await expectEverywhere('during the crash')
    expect(await told('during the crash')).toBe(1)
    await expectEverywhere(await say())
    await oneSocket()
    await led.close()
  })

  it('[C26] the browser freezes it: it gives way before, and is there again when it thaws', async () => {
    const led = await leader()
    const devtools: CDPSession = await scene.context.newCDPSession(led)
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
    const awake = tabs.filter((tab) => tab !== led)
    await write(awake[7] as Page, 'during the frost')
    await expectEverywhere('during the frost', awake)
    await oneSocket()
    await devtools.send('Page.setWebLifecycleState', { state: 'active' })
    await expectEverywhere('during the frost', [led])
    expect(await told('during the frost')).toBe(1)
    await oneSocket()
  })

  it('[C26] it hangs without a word: the lock is taken from it', async () => {
    const led = await leader()
    const devtools: CDPSession = await scene.context.newCDPSession(led)
    await devtools.send('Debugger.enable')
    const paused = new Promise((resolve) => devtools.once('Debugger.paused', resolve))
    await devtools.send('Debugger.pause')
    await paused
    const awake = tabs.filter((tab) => tab !== led)
    await write(awake[9] as Page, 'while it hangs')
    await expectEverywhere('while it hangs', awake)
    expect(await leader(awake)).not.toBe(led)
    await devtools.send('Debugger.resume')
    await devtools.detach()
    await expectEverywhere('while it hangs', [led])
    expect(await told('while it hangs')).toBe(1)
    await oneSocket()
  })

  it('[C26] all of them are reloaded', async () => {
    await Promise.all(tabs.slice(0, 3).map((tab) => tab.reload()))
    await expectEverywhere(await say())
    await oneSocket()
  })

  it('[C19] who signs out in one has signed out in all, and nothing is left in the browser', async () => {
    await (tabs[2] as Page).goto(`${scene.live.proxyUrl}/settings`)
    await (tabs[2] as Page).getByRole('button', { name: 'Sign out', exact: true }).click()
    for (const tab of tabs) await tab.getByRole('button', { name: 'Sign in' }).waitFor()
    const databases = `indexedDB.databases().then((all) => all.map(({ name }) => name))`
    await expect.poll(() => (tabs[0] as Page).evaluate(databases)).toEqual([])
    expect(await (tabs[0] as Page).evaluate('sessionStorage.length')).toBe(0)
    await waitFor(async () => (await sockets()).open === 0, { what: 'no socket' })
  })
})
