import { openBrowser } from '@hotline/testing/browser'
import { freePort } from '@hotline/testing/free-port'
import { type HttpProxy, startHttpProxy } from '@hotline/testing/http-proxy'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { signIn } from '../src/sign-in.ts'

const pageDir = new URL('../../packages/web/dist', import.meta.url).pathname

let browser: Browser
let live: LiveServer
let proxy: HttpProxy
let url: string
beforeAll(async () => {
  const port = await freePort()
  url = `http://localhost:${port}`
  live = await startLiveServer({ pageDir, env: { HOTLINE_PUBLIC_URL: url } })
  proxy = await startHttpProxy(Number(new URL(live.url).port), port)
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await proxy[Symbol.asyncDispose]()
  await live[Symbol.asyncDispose]()
})

it.each([
  { what: 'refuses WebSockets', upgrades: 'refuse', answers: 'pass', way: 'streams' },
  { what: 'never answers them', upgrades: 'swallow', answers: 'pass', way: 'streams' },
  { what: 'refuses them and keeps answers until they are whole', upgrades: 'refuse', answers: 'buffer', way: 'polls' },
] as const)('[G200] the page lives behind a proxy that $what', async ({ upgrades, answers, way }) => {
  Object.assign(proxy, { upgrades, answers })
  const context = await browser.newContext()
  const page = await context.newPage()
  const asked: ('streams' | 'polls')[] = []
  page.on('request', (request) => {
    if (!request.url().endsWith('/api/follow')) return
    const { wait } = JSON.parse(request.postData() ?? '{}') as { wait?: number }
    asked.push(wait === undefined ? 'streams' : 'polls')
  })
  const hand = await live.startSession('Behind a proxy')
  const say = (text: string): Promise<unknown> =>
    hand.report({
      type: 'message.posted',
      data: { message: text.replaceAll(' ', '-'), role: 'agent', queued: false, chars: text.length },
      body: { text },
    })
  await say('said before')
  await page.goto(url)
  await signIn(page)
  await page.getByRole('heading', { name: 'Sessions' }).waitFor()
  await page.goto(`${url}/sessions/${hand.session}`)
  const talk = page.locator('.talk')
  await talk.getByText('said before').waitFor()
  await say('said after')
  await talk.getByText('said after').waitFor()
  await page.getByLabel('Message to the agent').fill('heard and answered')
  await page.keyboard.press('Enter')
  await page.locator('.queued').getByText('heard and answered').waitFor()
  const posted = async (): Promise<unknown[]> =>
    (await live.stored(hand.session)).flatMap(({ type, data, body }) =>
      type === 'message.posted' && data['role'] === 'person' ? [body?.['text']] : [],
    )
  await expect.poll(posted).toEqual(['heard and answered'])
  // A proxy that cuts what is open takes nothing away, and doubles nothing.
  proxy.cut()
  await say('said while it was cut')
  await talk.getByText('said while it was cut').waitFor()
  for (const text of ['said before', 'said after', 'said while it was cut'])
    expect(await talk.getByText(text, { exact: true }).count()).toBe(1)
  await page
    .getByText(/^Connected/)
    .first()
    .waitFor()
  expect(asked).toContain(way)
  expect(await posted()).toEqual(['heard and answered'])
  await context.close()
})
