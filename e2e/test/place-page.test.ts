import { setInterval } from 'node:timers/promises'
import { waitFor } from '@hotline/testing/wait-for'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
afterAll(() => scene[Symbol.asyncDispose]())

/** The item at the upper edge, and where it begins. */
const top = (): Promise<string> =>
  page.evaluate<string>(`(() => {
    const edge = document.querySelector('.talk')?.getBoundingClientRect().top ?? 0
    const item = [...document.querySelectorAll('.talk .item')].find((one) => one.getBoundingClientRect().bottom > edge)
    return item ? item.dataset.key + ' ' + Math.round(item.getBoundingClientRect().top - edge) : 'nothing'
  })()`)

/** Scrolls up until the words are in sight, and rests. */
async function goUpTo(words: string): Promise<string> {
  const scroller = page.locator('.talk .scroll')
  await scroller.hover()
  await waitFor(
    async () => {
      if (await page.getByText(words, { exact: true }).isVisible()) return true
      await page.mouse.wheel(0, -2_000)
      return false
    },
    { what: words, deadlineMs: 60_000 },
  )
  let before = ''
  await waitFor(
    async () => {
      const now = await top()
      const isStill = now === before
      before = now
      return isStill
    },
    { what: 'the list to rest', everyMs: 200 },
  )
  return before
}

describe('where one was in an older window', () => {
  it('[G63] a reload brings one back there, through as many windows as lie between, and stays', async () => {
    const hand = await scene.live.startSession('A long talk')
    const texts = Array.from({ length: 900 }, (_, at) => `message ${at}\n\nmore of it`)
    for (let at = 0; at < texts.length; at += 100) {
      await hand.report(
        ...texts.slice(at, at + 100).map((text, index) => ({
          type: 'message.completed' as const,
          data: { message: `m${at + index}`, chars: text.length },
          body: { text },
        })),
      )
    }
    // A window in which nothing is shown in the conversation: it must not end the way back.
    const rows = Array.from({ length: 250 }, (_, at) => `line ${at}\n`)
    await hand.report(
      ...rows.map((text) => ({
        type: 'output.appended' as const,
        data: { source: 'stdout' as const, encoding: 'utf8' as const, bytes: text.length },
        body: { text },
      })),
    )
    await hand.report({ type: 'message.completed', data: { message: 'last', chars: 4 }, body: { text: 'last' } })
    await scene.open(hand.session)
    await page.getByText('last', { exact: true }).waitFor()
    const before = await goUpTo('message 310')
    await page.reload()
    await expect.poll(top).toBe(before)
    // It stays, also when something comes.
    await hand.report({ type: 'message.completed', data: { message: 'later', chars: 5 }, body: { text: 'later' } })
    await page.getByRole('button', { name: /^1 new/ }).waitFor()
    expect(await top()).toBe(before)
    // And is kept for the next time.
    await page.reload()
    await expect.poll(top).toBe(before)
    await page.getByRole('button', { name: /^1 new|^Latest/ }).click()
    await page.getByText('later', { exact: true }).waitFor()
  })

  it('[G63] a machine that takes long to draw goes back there as well', async () => {
    const hand = await scene.live.startSession('A slow machine')
    const texts = Array.from({ length: 30 }, (_, at) => `message ${at}\n\n${'more of it\n\n'.repeat(4)}`)
    await hand.report(
      ...texts.map((text, at) => ({
        type: 'message.completed' as const,
        data: { message: `m${at}`, chars: text.length },
        body: { text },
      })),
    )
    await scene.open(hand.session)
    await page.getByText('message 29').waitFor()
    const before = await goUpTo('message 12')
    const machine = await page.context().newCDPSession(page)
    for (const rate of [4, 10, 4, 10, 20]) {
      await machine.send('Emulation.setCPUThrottlingRate', { rate })
      await page.reload()
      await expect.poll(top).toBe(before)
    }
    await machine.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  })

  it('[G63] who was at the end comes back to the end, also of what a slow machine learns on its way there', async () => {
    const hand = await scene.live.startSession('Goes on alone')
    const other = await scene.live.startSession('Looked at between')
    const say = (from: number): Promise<unknown> =>
      hand.report(
        ...Array.from({ length: 30 }, (_, at) => ({
          type: 'message.completed' as const,
          data: { message: `m${from + at}`, chars: 200 },
          body: { text: `message ${from + at}\n\n${'more of it\n\n'.repeat(4)}` },
        })),
      )
    const goTo = (session: string): Promise<void> => page.locator(`.list a[href$="/sessions/${session}"]`).click()
    await say(0)
    await scene.open(hand.session)
    await page.getByText('message 29', { exact: true }).waitFor()
    const machine = await page.context().newCDPSession(page)
    for (const [rate, from] of [
      [8, 30],
      [12, 60],
      [20, 90],
    ] as const) {
      await goTo(other.session)
      await page.getByRole('heading', { name: 'Looked at between' }).waitFor()
      await say(from)
      await machine.send('Emulation.setCPUThrottlingRate', { rate })
      await goTo(hand.session)
      await page.getByText(`message ${from + 29}`, { exact: true }).waitFor()
      await page.getByRole('button', { name: '30 new ↑' }).waitFor()
    }
    await machine.send('Emulation.setCPUThrottlingRate', { rate: 1 })
  })

  it('[G167] a conversation is shown while its agent speaks without pause, and a reader can scroll up in it', async () => {
    const hand = await scene.live.startSession('Speaks without pause')
    let said = 0
    const say = (): Promise<unknown> => {
      said += 1
      const text = `word ${said}`
      return hand.report({
        type: 'message.completed',
        data: { message: `m${said}`, chars: text.length },
        body: { text },
      })
    }
    for (let at = 0; at < 60; at += 1) await say()
    const silence = new AbortController()
    const speech = (async () => {
      for await (const _ of setInterval(60, undefined, { signal: silence.signal })) {
        if (said < 1_500) await say()
      }
    })().catch(() => undefined)
    try {
      await scene.open(hand.session)
      await page.locator('.talk .item').last().waitFor()
      await page.locator('.talk .scroll').hover()
      await page.mouse.wheel(0, -600)
      await page.getByRole('button', { name: /new ↓$/ }).waitFor()
      const rest = await top()
      const from = said
      await waitFor(() => said > from + 10, { what: 'more of its words' })
      expect(await top()).toBe(rest)
      expect(said, 'it went on speaking all the while').toBeLessThan(1_500)
    } finally {
      silence.abort()
      await speech
    }
  })
})
