import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page

/** A block with a server of its own: with a machine, or with a session, it is another one than without. */
function inOwnScene(): void {
  beforeAll(async () => {
    scene = await openPageScene()
    page = scene.page
    // The smallest waits at first, and then the slow ones: time enough to press Reconnect before the page does it alone.
    await page.addInitScript('Math.random = () => 0')
  })
  beforeEach(() => resize(page, 1440))
  afterEach(() => scene.live.proxy.restore())
  afterAll(() => scene[Symbol.asyncDispose]())
}

/** The server can be reached no more, as after the network has gone. */
function leave(): void {
  scene.live.proxy.refuse()
  scene.live.proxy.cut()
}

/** The server is there again, and the person does not wait for the next try. */
async function reconnect(banner: Locator): Promise<void> {
  const leftSeconds = async (): Promise<number> =>
    Number(/Retrying in (\d+) s/.exec(await banner.innerText())?.[1] ?? 0)
  await expect.poll(leftSeconds).toBeGreaterThan(12)
  scene.live.proxy.restore()
  await banner.getByRole('button', { name: 'Reconnect' }).click()
  await banner.waitFor({ state: 'detached' })
}

/** Presses "Allow" where the server cannot be heard; answers the banner that says so. */
async function allowOutOfContact(session: string): Promise<Locator> {
  await scene.open(session)
  await page.locator('.card[data-keys]').waitFor()
  leave()
  const banner = page.locator('.banner')
  await banner.waitFor()
  await page.getByRole('button', { name: /^Allow/ }).click()
  await page.getByRole('button', { name: 'Allow waits' }).waitFor()
  return banner
}

describe('a server without a machine', () => {
  inOwnScene()

  it('[G21] with no machine it says so; when one comes, one button starts the demo agent at once', async () => {
    await page.goto(scene.live.proxyUrl)
    await page.getByText('No machine is connected.').waitFor()
    await photograph(page, 'no-machine', [390, 1440])
    const { live } = scene
    const token = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
    const machine = live.link({ credential: { kind: 'token', token }, client: 'hand' })
    await expect.poll(() => machine.connection.value.status).toBe('open')
    const agents = [{ agent: 'demo', name: 'Demo agent', description: 'A scripted agent', available: true }]
    const hello = { name: 'hand', version: '1', platform: 'linux', agents, holds: [] }
    const announced = await httpRequest(live.url, { kind: 'token', token }, 'PUT', '/api/runner', hello)
    expect(announced.ok).toBe(true)
    const start = page.getByRole('button', { name: 'Start the demo agent' })
    await start.waitFor()
    await photograph(page, 'empty', [390, 1440])
    await start.click()
    await page.getByRole('heading', { name: 'Show me around' }).waitFor()
    const session = page.url().split('/').at(-1) ?? ''
    const isSent = async (): Promise<boolean> =>
      (await live.stored(session)).some(({ body }) => body?.['text'] === 'Show me around')
    await expect.poll(isSent).toBe(true)
    expect(await page.getByRole('dialog').count()).toBe(0)
    await machine[Symbol.asyncDispose]()
  })
})

describe('a session without a machine', () => {
  inOwnScene()

  it('[G40] a session that waits says what it waits for', async () => {
    const { live } = scene
    const session = uuidV7()
    const start = { project: 'default', agent: 'elsewhere', title: 'Waits' }
    await live.link().command(`session:${session}`, 'session.start', start)
    await scene.open(session)
    const notice = page.getByRole('status')
    await notice.getByText('No machine is connected.').waitFor()
    const token = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
    const machine = live.link({ credential: { kind: 'token', token }, client: 'hand' })
    await expect.poll(() => machine.connection.value.status).toBe('open')
    const announce = async (agent: string): Promise<void> => {
      const agents = [{ agent, name: agent, description: '', available: true }]
      const hello = { name: 'hand', version: '1', platform: 'linux', agents, holds: [] }
      expect((await httpRequest(live.url, { kind: 'token', token }, 'PUT', '/api/runner', hello)).ok).toBe(true)
    }
    await announce('demo')
    await notice.getByText('No connected machine offers “elsewhere”.').waitFor()
    await photograph(page, 'waits', [390, 1440])
    await announce('elsewhere')
    await notice.getByText('“elsewhere”').waitFor({ state: 'detached' })
    await machine[Symbol.asyncDispose]()
  })
})

describe('the states of a view', () => {
  inOwnScene()

  it('[G22] while it loads it has the shape that it will have', async () => {
    await scene.live.startSession('Loads slowly')
    await page.goto(scene.live.proxyUrl)
    const list = page.getByRole('region', { name: 'Sessions' })
    const title = list.getByText('Loads slowly')
    await title.waitFor()
    // Nothing comes until everything was looked at.
    scene.live.proxy.bandwidth(0, { direction: 'toClient' })
    await title.click()
    const bones = page.getByRole('status', { name: 'Loading the session' })
    await bones.waitFor()
    const [head, box] = [bones.locator('header'), bones.locator('.compose')]
    const before = { head: await head.boundingBox(), box: await box.boundingBox() }
    await photograph(page, 'loading', [1440])
    scene.live.proxy.restore()
    await page.getByRole('heading', { name: 'Loads slowly' }).waitFor()
    await expect.poll(() => page.locator('.session > header').boundingBox()).toEqual(before.head)
    await expect.poll(() => page.locator('.compose').boundingBox()).toEqual(before.box)
  })

  it('[C22] a session that was seen before is shown at once, before anything comes', async () => {
    const hand = await scene.live.startSession('Seen before')
    const text = 'These words were here.'
    const data = { message: 'm1', role: 'agent', queued: false, chars: text.length } as const
    await hand.report({ type: 'message.posted', data, body: { text } })
    await scene.open(hand.session)
    await page.getByText(text).waitFor()
    await page.getByRole('link', { name: 'Sessions' }).first().click()
    const title = page.getByRole('region', { name: 'Sessions' }).getByText('Seen before')
    await title.waitFor()
    scene.live.proxy.bandwidth(0, { direction: 'toClient' })
    await title.click()
    await page.getByText(text).waitFor()
    scene.live.proxy.restore()
    await page.getByRole('button', { name: 'Send' }).waitFor()
  })

  it('[G23] what cannot be shown says what, why, and tries again', async () => {
    await scene.open('00000000-0000-7000-8000-000000000000')
    const alert = page.getByRole('alert')
    await alert.getByText('This session cannot be shown.').waitFor()
    await photograph(page, 'failed', [390, 1440])
    await alert.getByRole('button', { name: 'Try again' }).click()
    await alert.getByText('This session cannot be shown.').waitFor()
    await alert.getByRole('link', { name: 'Back to the sessions' }).click()
    await page.getByText('Choose a session, or start one.').waitFor()
  })

  it('[G24] out of contact it shows the last state with its age, and what is sent waits here and arrives once', async () => {
    const hand = await scene.live.startSession('In a tunnel')
    await scene.open(hand.session)
    const box = page.getByLabel('Message to the agent')
    await page.locator('.notice', { hasText: 'The agent is ready' }).waitFor()
    leave()
    const banner = page.locator('.banner')
    await banner.waitFor()
    for (const text of ['The first from the tunnel', 'The second from the tunnel', 'Not this one']) {
      await box.fill(text)
      await page.getByRole('button', { name: 'Send later' }).click()
    }
    const waiting = page.locator('.queued')
    await expect.poll(() => waiting.filter({ hasText: 'waits here' }).count()).toBe(3)
    await waiting.filter({ hasText: 'Not this one' }).getByRole('button', { name: 'Take back' }).click()
    await expect.poll(() => box.inputValue()).toBe('Not this one')
    await box.fill('')
    const words =
      /^Couldn.t reach the server for (\d+) s\. Nothing is lost: 2 messages wait here\. Retrying (in \d+ s|now)\./
    const said = async (): Promise<string> => (await banner.innerText()).trim()
    await expect.poll(said).toMatch(words)
    // The numbers are alive.
    const seconds = async (): Promise<number> => Number(words.exec(await said())?.[1] ?? -1)
    const first = await seconds()
    await expect.poll(seconds).toBeGreaterThan(first)
    await page.locator('.session .asof').waitFor()
    await page.locator('.list .asof').waitFor()
    await photograph(page, 'offline', [390, 1440])
    await resize(page, 1440)

    await reconnect(banner)
    await waiting.filter({ hasText: 'waits here' }).first().waitFor({ state: 'detached' })
    const texts = async (): Promise<unknown[]> =>
      (await scene.live.stored(hand.session)).flatMap(({ type, body }) =>
        type === 'message.posted' ? [body?.['text']] : [],
      )
    await expect.poll(texts).toEqual(['The first from the tunnel', 'The second from the tunnel'])
    await expect.poll(() => page.locator('.asof').count()).toBe(0)
  })

  it('[G24] a decision made out of contact arrives once', async () => {
    const hand = await scene.live.startSession('A decision in a tunnel')
    await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    const banner = await allowOutOfContact(hand.session)
    await expect.poll(() => banner.innerText()).toContain('1 answer waits here')
    await reconnect(banner)
    await page.getByText('✓ Allowed by You').waitFor()
    const decided = (await scene.live.stored(hand.session)).filter(({ type }) => type === 'approval.resolved')
    expect(decided).toHaveLength(1)
  })

  it('[DV7] a decision made out of contact does not count where somebody else was first', async () => {
    const hand = await scene.live.startSession('Two in a tunnel')
    const asked = await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    const banner = await allowOutOfContact(hand.session)
    const first = await scene.live.link().command(hand.stream, 'approval.decide', { ...asked, verdict: 'deny' })
    expect(first.ok).toBe(true)
    await reconnect(banner)
    await page.getByText('your answer did not count').waitFor()
    await page.getByText('Denied by You').waitFor()
    const decided = (await scene.live.stored(hand.session)).filter(({ type }) => type === 'approval.resolved')
    expect(decided).toMatchObject([{ data: { outcome: 'denied' } }])
  })

  it('[DV7] a decision made out of contact says nothing to what the agent asks in place of what was shown', async () => {
    const hand = await scene.live.startSession('Another in a tunnel')
    const asked = await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    const banner = await allowOutOfContact(hand.session)
    await hand.report({ type: 'approval.cancelled', data: { approval: asked.approval, reason: 'agent_withdrew' } })
    const other = await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls -la /' })
    await reconnect(banner)
    await page.getByText('your answer did not count').waitFor()
    // What it asks now is open, and is to be looked at.
    const card = page.locator('.card[data-keys]', { hasText: 'ls -la /' })
    await card.getByRole('button', { name: /^Allow/ }).waitFor()
    const events = await scene.live.stored(hand.session)
    expect(events.filter(({ type }) => type === 'approval.resolved')).toEqual([])
    expect(events.at(-1)).toMatchObject({ type: 'approval.requested', data: { approval: other.approval } })
  })
})
