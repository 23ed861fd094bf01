import type { Report } from '@hotline/protocol/commands/agent'
import type { HandRunner } from '@hotline/testing/hand-runner'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
beforeEach(() => resize(page, 1440))
afterAll(() => scene[Symbol.asyncDispose]())

const jump = (): Locator => page.locator('.jump')

async function say(hand: HandRunner, from: number, count: number): Promise<void> {
  await hand.report(
    ...Array.from({ length: count }, (_, at): Report => {
      const text = `Line ${from + at} of what I did.\n\nAnd more of it.`
      return { type: 'message.completed', data: { message: `m${from + at}`, chars: text.length }, body: { text } }
    }),
  )
}

async function readFurtherUp(): Promise<void> {
  await page.locator('.talk .scroll').hover()
  await page.mouse.wheel(0, -1_500)
  await jump().waitFor()
}

async function boxOf(element: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await element.boundingBox()
  if (!box) throw new Error('it is not in sight')
  return box
}

/** The message that was sent last is handed to the agent. */
async function take(hand: HandRunner, text: string): Promise<void> {
  const posted = async (): Promise<string | undefined> =>
    (await scene.live.stored(hand.session)).find(({ body }) => body?.['text'] === text)?.data['message'] as
      | string
      | undefined
  await expect.poll(posted).toBeDefined()
  await hand.report({ type: 'message.delivered', data: { message: (await posted()) ?? '' } })
}

describe('what one says and what one has read', () => {
  it('[G33] who sends while they read further up is taken to where it stands; its head is flush with it', async () => {
    const hand = await scene.live.startSession('Writes while reading')
    await say(hand, 0, 30)
    await scene.open(hand.session)
    await page.getByText('Line 29 of what I did.').waitFor()
    await readFurtherUp()
    const box = page.getByLabel('Message to the agent')
    await box.fill('Here I am')
    await box.press('Enter')
    await take(hand, 'Here I am')
    const mine = page.locator('.message.person', { hasText: 'Here I am' })
    await mine.waitFor()
    await jump().waitFor({ state: 'detached' })
    const edge = async (part: string): Promise<number> => {
      const { x, width } = await boxOf(mine.locator(part))
      return Math.round(x + width)
    }
    expect(await edge('.meta > span')).toBe(await edge('.said'))
    // While it works the message waits in sight, and nobody is taken anywhere.
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await readFurtherUp()
    await box.fill('And this later')
    await box.press('Enter')
    await page.locator('.queued', { hasText: 'And this later' }).waitFor()
    await jump().waitFor()
  })

  it('[G63] what comes before one’s eyes is not new, and what one has answered is not either', async () => {
    const hand = await scene.live.startSession('Is watched')
    await scene.live.startSession('Elsewhere')
    await say(hand, 0, 3)
    await scene.open(hand.session)
    await page.getByText('Line 2 of what I did.').waitFor()
    await page.reload()
    await page.getByText('Line 2 of what I did.').waitFor()
    await say(hand, 3, 2)
    await page.getByText('Line 4 of what I did.').waitFor()
    expect(await page.locator('.unread').count()).toBe(0)
    await page.locator('.list').getByText('Elsewhere').click()
    await page.getByRole('heading', { name: 'Elsewhere' }).waitFor()
    await say(hand, 5, 2)
    await page.locator('.list').getByText('Is watched').click()
    await page.getByRole('separator', { name: '2 new' }).waitFor()
    const box = page.getByLabel('Message to the agent')
    await box.fill('I have read it')
    await box.press('Enter')
    await take(hand, 'I have read it')
    await page.locator('.unread').waitFor({ state: 'detached' })
    await say(hand, 7, 2)
    await page.getByText('Line 8 of what I did.').waitFor()
    expect(await page.locator('.unread').count()).toBe(0)
  })

  it.each([1440, 390])('[G47] at %i px one is led to a question that is elsewhere', async (width) => {
    const hand = await scene.live.startSession(`Asks at ${width}`)
    await say(hand, 0, 30)
    await scene.open(hand.session)
    await resize(page, width)
    await page.getByText('Line 29 of what I did.').waitFor()
    await readFurtherUp()
    const question = { type: 'question.asked' as const, data: { question: 'q1' }, body: { text: 'Which region?' } }
    await hand.report({ type: 'turn.started', data: { turn: 't1' } }, question)
    await page.getByRole('button', { name: 'Show what needs you' }).click()
    await page.getByText('Which region?').waitFor()
    await page.getByRole('button', { name: 'Show what needs you' }).waitFor({ state: 'detached' })
  })
})

describe('editing on a phone', () => {
  it('[G20] what is edited is in sight, and where the thumb is it is allowed as edited and nothing else', async () => {
    const hand = await scene.live.startSession('Edited on the phone')
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await say(hand, 0, 10)
    const reason = 'You asked me to. '.repeat(10)
    await hand.ask({ tool: 'Bash', title: 'Publish it', input: 'npm version --tag next', cwd: '/src/app', reason })
    await scene.open(hand.session)
    await resize(page, 390)
    await page.locator('.card[data-keys]').waitFor()
    await page.getByRole('button', { name: 'Edit and allow' }).click()
    const thumb = page.getByRole('group', { name: 'Answer what is asked first' })
    const edit = page.getByLabel('What will run in its place')
    const send = thumb.getByRole('button', { name: 'Allow as edited' })
    const isInSight = async (): Promise<boolean> => {
      const [box, below] = [await boxOf(edit), await boxOf(thumb)]
      const head = await boxOf(page.locator('.session > header'))
      return box.y >= head.y + head.height && box.y + box.height <= below.y
    }
    await expect.poll(isInSight).toBe(true)
    expect(await thumb.getByRole('button', { name: /^Allow$/ }).count()).toBe(0)
    expect(await page.getByRole('button', { name: 'Allow as edited' }).count()).toBe(1)
    expect(await send.isDisabled()).toBe(true)
    await edit.fill('npm version --tag beta')
    await photograph(page, 'edit-phone', [390])
    // The keyboard comes up.
    await page.setViewportSize({ width: 390, height: 480 })
    await expect.poll(isInSight).toBe(true)
    await send.and(page.locator(':enabled')).click()
    await page.getByText('✓ Edited and allowed by You').waitFor()
    const decided = (await scene.live.stored(hand.session)).find(({ type }) => type === 'approval.resolved')
    expect(decided?.body).toMatchObject({ input: 'npm version --tag beta' })
  })
})

describe('the output of an agent without a terminal', () => {
  it('[G59] what its steps printed stands below their names, and can be searched; before that it says that there is none', async () => {
    const hand = await scene.live.startSession('Runs commands')
    await scene.open(hand.session)
    await page.getByRole('tab', { name: 'Output' }).click()
    await page.getByText('Nothing was printed yet.').waitFor()
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      {
        type: 'step.started',
        data: { step: 's1', turn: 't1', kind: 'execute' },
        body: { title: 'npm test \u001b[31m' },
      },
      { type: 'step.progressed', data: { step: 's1' }, body: { output: 'one' } },
      { type: 'step.finished', data: { step: 's1', outcome: 'done' }, body: { output: 'one\ntwo of three' } },
      { type: 'step.started', data: { step: 's2', turn: 't1', kind: 'read' }, body: { title: 'README.md' } },
      { type: 'step.finished', data: { step: 's2', outcome: 'failed' }, body: { error: 'not there' } },
    )
    const rows = page.locator('.terminal .xterm-rows')
    await rows.getByText('not there').waitFor()
    await page.getByText('Nothing was printed yet.').waitFor({ state: 'detached' })
    const text = (): Promise<string> => rows.innerText().then((shown) => shown.replaceAll('\u00a0', ' '))
    expect(await text()).toMatch(/── npm test \[U\+001B\]\[31m\s*\n\s*one\s*\n\s*two of three\s*\n\s*── README\.md/)
    await page.getByLabel('Find in the output').fill('nowhere')
    await page.getByText('not found').waitFor()
    await page.getByLabel('Find in the output').fill('of three')
    await page.getByText('not found').waitFor({ state: 'detached' })
    await page.reload()
    await page.getByRole('tab', { name: 'Output' }).click()
    await rows.getByText('not there').waitFor()
    await photograph(page, 'step-output', [390, 1440])
  })
})
