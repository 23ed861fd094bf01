import type { HandRunner } from '@hotline/testing/hand-runner'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
afterAll(() => scene[Symbol.asyncDispose]())

const say = (hand: HandRunner, message: string, text: string) =>
  hand.report({ type: 'message.completed', data: { message, chars: text.length }, body: { text } })
const box = () => page.getByLabel('Message to the agent')
const over = () => page.getByRole('group', { name: 'Replies to' })
const said = (text: string) => page.locator('.message.agent', { hasText: text })

async function replyTo(text: string): Promise<void> {
  await said(text).hover()
  await said(text).getByRole('button', { name: 'Reply to this message' }).click()
  await over().waitFor()
}

it('[G186] the quotation stands over what one writes, can be taken away, and goes with what is sent', async () => {
  const hand = await scene.live.startSession('Replied to')
  await say(hand, 'm1', 'There are two ways:\n\n1. the redirect\n2. the cookie')
  await say(hand, 'm2', 'Which one?')
  await scene.open(hand.session)
  await replyTo('Which one?')
  expect(await over().innerText()).toContain('Which one?')
  await over().getByRole('button', { name: 'Do not reply to this' }).click()
  await expect.poll(() => over().count()).toBe(0)
  await replyTo('Which one?')
  // One writes at once; Escape takes it away as well.
  await page.keyboard.type('Hm')
  await page.keyboard.press('Escape')
  await expect.poll(() => over().count()).toBe(0)
  expect(await box().inputValue()).toBe('Hm')

  await replyTo('There are two ways')
  await box().fill('The redirect.')
  await photograph(page, 'reply-write', [390, 1440])
  await page.reload()
  await over().waitFor()
  expect(await box().inputValue()).toBe('The redirect.')
  await box().press('Enter')
  await expect.poll(() => over().count()).toBe(0)
  await page.locator('.queued .quoted', { hasText: 'There are two ways' }).waitFor()
  await photograph(page, 'reply-waits', [390, 1440])
  const posted = (await scene.live.stored(hand.session)).filter(({ type }) => type === 'message.posted')
  expect(posted).toMatchObject([{ data: { replyTo: 'm1' }, body: { quote: { role: 'agent' } } }])
  const message = String(posted[0]?.data['message'])
  await hand.report({ type: 'message.delivered', data: { message } })
  await page.locator('.message.person .quoted', { hasText: 'There are two ways: 1. the redirect' }).waitFor()
  await photograph(page, 'reply', [390, 1440])
})

it('[G186] it leads to where that was said, also where that has not been read yet', async () => {
  const hand = await scene.live.startSession('Long ago')
  await say(hand, 'far', 'The plan from the beginning.')
  // More than some windows of the conversation.
  for (let at = 0; at < 5; at += 1) {
    const lines = Array.from({ length: 130 }, (_, line) => {
      const text = `Line ${at * 130 + line}`
      return { type: 'message.completed' as const, data: { message: `l${at}-${line}`, chars: 8 }, body: { text } }
    })
    await hand.report(...lines)
  }
  const sent = await scene.live.link().command(hand.stream, 'message.send', { text: 'As planned.', replyTo: 'far' })
  if (!sent.ok) throw new Error(sent.problem.detail)
  await hand.report({ type: 'message.delivered', data: { message: sent.accepted.id } })
  await resize(page, 1440)
  await scene.open(hand.session)
  const quoted = page.locator('.message.person').getByRole('button', { name: 'The plan from the beginning.' })
  await quoted.waitFor()
  expect(await said('The plan from the beginning.').count()).toBe(0)
  await quoted.click()
  await said('The plan from the beginning.').waitFor()
  const far = said('The plan from the beginning.')
  await expect.poll(async () => ((await far.boundingBox())?.y ?? -1) >= 0).toBe(true)
  expect(await quoted.count()).toBe(0)
})
