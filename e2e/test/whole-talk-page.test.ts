import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
afterAll(() => scene[Symbol.asyncDispose]())

const say = (hand: HandRunner, ...texts: string[]) =>
  hand.report(
    ...texts.map((text) => ({
      type: 'message.completed' as const,
      data: { message: uuidV7(), chars: text.length },
      body: { text },
    })),
  )

async function openCard(title: string): Promise<string> {
  const task = uuidV7()
  const link = scene.live.link()
  const made = await link.command(`task:${task}`, 'task.create', { project: 'default', title })
  if (!made.ok) throw new Error(made.problem.detail)
  return task
}

const panel = () => page.getByRole('region', { name: 'Card' })
const talk = () => panel().locator('.talk')

it('[G195] what was said in all sessions of a card is one conversation, which grows where it does', async () => {
  const task = await openCard('Worked on twice')
  const first = await scene.live.startSession('First', { task })
  await say(first, 'I found the fault.')
  const second = await scene.live.startSession('Second', { task, agent: 'second' })
  await say(second, 'I am testing it.')
  await say(first, 'It is mended.')
  await page.goto(`${scene.live.proxyUrl}/tasks/${task}`)
  await panel().getByRole('tab', { name: 'Interact' }).click()
  const talkers = panel().getByRole('group', { name: 'Agents of this card' })
  await talkers.getByRole('button', { name: 'All runs' }).click()
  const lines = (): Promise<string[]> => talk().locator('.message.agent p, .turn').allInnerTexts()
  await expect
    .poll(lines)
    .toEqual([
      'Run 1 · demo',
      'I found the fault.',
      'Run 2 · second',
      'I am testing it.',
      'Run 1 · demo',
      'It is mended.',
    ])
  await photograph(page, 'task-whole-talk', [390, 1440])
  // What comes meanwhile stands at its place, and a question leads to its session.
  await say(second, 'All green.')
  await talk().getByText('All green.').waitFor()
  await first.ask({ tool: 'run', title: 'Push the branch', input: 'git push' })
  await talk().getByText('Push the branch').waitFor()
  await talk().getByRole('button', { name: 'Answer it' }).click()
  await panel().getByRole('heading', { name: 'First', exact: true }).waitFor()
  await talkers.getByRole('button', { name: '@demo', pressed: true }).waitFor()
  // What one writes goes to whom one talked to last, and is in the whole as well.
  await talkers.getByRole('button', { name: 'All runs' }).click()
  await panel().getByRole('textbox').fill('Thank you both.')
  await page.keyboard.press('Enter')
  await expect
    .poll(async () => (await scene.live.stored(first.session)).filter(({ type }) => type === 'message.posted').length)
    .toBe(1)
})

it('[G195] what is older is read when it is wanted, and nothing stands where it does not belong', async () => {
  const task = await openCard('A long story')
  const first = await scene.live.startSession('Long', { task })
  for (let part = 0; part < 6; part += 1) {
    await say(first, ...Array.from({ length: 130 }, (_, at) => `Line ${part * 130 + at}.`))
  }
  const second = await scene.live.startSession('Short', { task, agent: 'second' })
  await say(second, 'The last word.')
  await page.goto(`${scene.live.proxyUrl}/tasks/${task}`)
  await panel().getByRole('tab', { name: 'Interact' }).click()
  await panel().getByRole('button', { name: 'All runs' }).click()
  await talk().getByText('The last word.').waitFor()
  await expect.poll(() => talk().getByText('Line 779.').count()).toBe(1)
  const older = talk().getByRole('button', { name: 'Show what is older' })
  const scroller = talk().locator('.scroll')
  for (let reads = 0; reads < 6; reads += 1) {
    await expect
      .poll(async () => {
        await scroller.evaluate('node => node.scrollTo(0, 0)').catch(() => undefined)
        await page.mouse.move(900, 400)
        await page.mouse.wheel(0, -100_000)
        return (await older.count()) + (await talk().getByText('Line 0.', { exact: true }).count())
      })
      .toBeGreaterThan(0)
    if ((await older.count()) === 0) break
    await older.click()
  }
  await talk().getByText('Line 0.', { exact: true }).waitFor()
  expect(await older.count()).toBe(0)
})
