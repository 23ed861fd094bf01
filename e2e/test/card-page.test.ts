import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { httpRequest } from '@hotline/client/http-request'
import { serverStream } from '@hotline/protocol/stream'
import { handCapabilities } from '@hotline/testing/hand-runner'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { watchFor } from '../src/fleeting.ts'
import { openPageScene, type PageScene, photograph, resize, typeWord } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
  await scene.context.grantPermissions(['clipboard-read', 'clipboard-write'])
})
beforeEach(() => resize(page, 1440))
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

/** What the owner says of the project. */
async function say(type: string, data: object): Promise<void> {
  const { url, token } = scene.live
  const command = { id: randomUUID(), stream: 'project:default', type, data }
  const said = await httpRequest(url, { kind: 'token', token }, 'POST', '/api/commands', command)
  expect(said).toMatchObject({ ok: true })
}

describe('a card', () => {
  it('[G30] what cannot be seen is a box with its code point, the copy is exact, and the answer folds to a line', async () => {
    const hand = await scene.live.startSession('Odd letters')
    // A zero-width space, a turn of the reading direction, and a Cyrillic letter that looks like one of ours.
    const input = 'rm ./b\u200build\u202e # \u0441lean'
    await hand.ask({ tool: 'Bash', title: 'Clean up', input, cwd: '/src', envNames: ['NPM_TOKEN'] })
    await scene.open(hand.session)
    const card = page.getByRole('article')
    await card.getByText('U+200B').waitFor()
    await card.getByText('U+202E').waitFor()
    expect(await card.locator('.letters').innerText()).toBe('\u0441')
    // The page itself holds none of them where it shows what will run.
    expect(await card.locator('.exact pre').innerText()).not.toMatch(/[\u200b\u202e]/)
    await card.getByText('NPM_TOKEN').waitFor()
    const copied = await watchFor(page, 'copied')
    await card.getByRole('button', { name: 'Copy the request' }).click()
    await copied()
    expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(input)
    await photograph(page, 'odd', [390, 1440])
    await resize(page, 1440)
    await page.getByLabel('Comment for the agent').fill('not with these letters')
    await page.getByRole('button', { name: /^Deny/ }).click()
    const line = page.locator('.answered summary')
    await line.getByText('✗ Denied by You').waitFor()
    await expect.poll(() => line.innerText()).toMatch(/Clean up\s+\d\d:\d\d · on the web/)
    await page.getByRole('article').waitFor({ state: 'detached' })
    await line.click()
    await page.getByText('not with these letters').waitFor()
    await photograph(page, 'answered', [390, 1440])
  })
})

describe('what is asked as a tool is called', () => {
  it('[G2] is shown as what it does, the bytes behind a fold; [G30] its step and the answer are one line', async () => {
    const hand = await scene.live.startSession('With arguments')
    const input = JSON.stringify({
      file_path: '/src/a.ts',
      old_string: 'one\n',
      new_string: 'two\n',
      replace_all: true,
    })
    const title = 'Edit /src/a.ts'
    await hand.report({ type: 'step.started', data: { step: 's1', kind: 'edit' }, body: { title, input: {} } })
    await hand.ask({ tool: 'Edit', title, input, cwd: '/src' }, { step: 's1' })
    await scene.open(hand.session)
    const card = page.getByRole('article')
    await card.locator('.diff .removed', { hasText: 'one' }).waitFor()
    await card.locator('.diff .added', { hasText: 'two' }).waitFor()
    await card.getByText('replace_all').waitFor()
    expect(await card.getByText('old_string').count()).toBe(0)
    await card.getByText(/^As it came/).click()
    await card.getByText('old_string').waitFor()
    expect(await page.locator('.step').count()).toBe(0)
    await photograph(page, 'arguments', [390, 1440])
    await typeWord(card)
    await card.getByRole('button', { name: /^Allow/ }).click()
    await hand.report({
      type: 'step.finished',
      data: { step: 's1', outcome: 'failed' },
      body: { error: 'no such file' },
    })
    const line = page.locator('.step')
    await line.getByText('✗ failed').waitFor()
    expect(await line.locator('summary').innerText()).toMatch(/✓ Allowed by You\s+Edit \/src\/a\.ts/)
    expect(await line.count()).toBe(1)
    await line.locator('summary').click()
    await line.getByText('no such file').waitFor()
    await line.locator('.diff .added', { hasText: 'two' }).waitFor()
  })
})

describe('a plan', () => {
  it('[G150] [G154] is shown as its Markdown, says what follows, and is gone ahead with or sent back with a comment', async () => {
    const hand = await scene.live.startSession('Plans')
    const input = '# Keep the query\n1. write a test\n2. run <b>rm</b> ![x](https://example.org/x.png)'
    const plan = { tool: 'ExitPlanMode', title: 'Go ahead with this plan', input, cwd: '/src', plan: true as const }
    await hand.ask(plan)
    await scene.open(hand.session)
    const card = page.getByRole('article', { name: 'Needs you: Go ahead with this plan' })
    await card.getByRole('heading', { name: 'Keep the query' }).waitFor()
    await card.getByText('write a test', { exact: true }).waitFor()
    await card.getByText('<b>rm</b>').waitFor()
    expect(await card.locator('img').count()).toBe(0)
    await card.getByText('what the agent does then is asked as before').waitFor()
    await card.locator('header').getByText('begins only with your yes').waitFor()
    expect(await card.locator('header').innerText()).not.toContain('runs')
    expect(await card.getByLabel(/To allow it, type/).count()).toBe(0)
    await card.getByText(/^As it came/).click()
    await card.getByText('# Keep the query').waitFor()
    await photograph(page, 'plan', [390, 1440])
    await card.getByLabel('Comment for the agent').fill('First the test.')
    await card.getByRole('button', { name: /^Keep planning/ }).click()
    await page.getByText('✗ Denied by You').waitFor()
    await hand.ask(plan)
    await card
      .getByRole('button', { name: /^Go ahead/ })
      .and(page.locator(':enabled'))
      .click()
    await page.getByText('✓ Allowed by You').waitFor()
    const decided = (await scene.live.stored(hand.session)).filter(({ type }) => type === 'approval.resolved')
    expect(decided.map(({ data, body }) => [data, body])).toMatchObject([
      [{ outcome: 'denied' }, { reason: 'First the test.' }],
      [{ outcome: 'allowed' }, {}],
    ])
  })
})

describe('allowing for longer', () => {
  it('[G66] it is offered apart where the agent takes it, and says what would not be asked any more', async () => {
    const hand = await scene.live.startSession('Asks again and again')
    const request = { tool: 'Bash', title: 'Run the tests', input: 'npm test', lasting: 'Bash(npm test:*)' }
    await hand.ask(request)
    await hand.ask({ ...request, title: 'Run them again' }, { scopes: ['once', 'session'] })
    await scene.open(hand.session)
    const once = page.getByRole('article', { name: 'Needs you: Run the tests' })
    const longer = page.getByRole('article', { name: 'Needs you: Run them again' })
    await longer.waitFor()
    expect(await once.getByRole('button', { name: 'Allow in this session', includeHidden: true }).count()).toBe(0)
    const button = longer.getByRole('button', { name: 'Allow in this session' })
    expect(await button.isVisible()).toBe(false)
    await longer.getByText('Always allow …').click()
    await longer.getByText('Bash(npm test:*)').waitFor()
    await photograph(page, 'lasting', [390, 1440])
    await button.and(page.locator(':enabled')).click()
    await page.getByText('✓ Allowed by You').waitFor()
    const decided = (await scene.live.stored(hand.session)).find(({ type }) => type === 'approval.resolved')
    expect(decided?.data).toMatchObject({ outcome: 'allowed', scope: 'session' })
  })
})

describe('always allowing', () => {
  const run = (command: string) => ({ tool: 'Bash', title: command, input: JSON.stringify({ command }), cwd: '/src' })

  it('[G110] a rule that says exactly this is shown before it is written, and answers from then on', async () => {
    const hand = await scene.live.startSession('Runs its tests')
    await hand.ask(run('cargo test'))
    await scene.open(hand.session)
    const card = page.getByRole('article')
    const button = card.getByRole('button', { name: 'Allow by this rule' })
    await card.waitFor()
    expect(await button.isVisible()).toBe(false)
    await card.getByText('Always allow …').click()
    await card.getByText(/^Allow exactly: cargo test, with the tool "Bash", asked by "demo", until 2/).waitFor()
    await photograph(page, 'rule', [390, 1440])
    await button.and(page.locator(':enabled')).click()
    await page.getByText('✓ Allowed by You').waitFor()
    await hand.ask(run('cargo test'))
    await page.getByText('✓ Allowed by a rule of the project').waitFor()
    await photograph(page, 'by-rule', [390, 1440])
    // What could do lasting harm, or more than one thing, is asked each time.
    await hand.ask(run('cargo test; rm -rf x'))
    await page.getByRole('article').waitFor()
    expect(await page.getByText('Always allow').count()).toBe(0)
  })
})

it('[G166] “Always allow” says which rule of the server keeps the new one from counting, before it is written', async () => {
  const { url, token } = scene.live
  const body = { password: 'a long walk over the wet meadow' }
  await httpRequest(url, { kind: 'token', token }, 'POST', '/api/auth/confirm', body)
  const link = scene.live.link()
  const asks = await link.command(serverStream, 'policy.set_rule', { effect: 'ask', match: { command: ['deno'] } })
  if (!asks.ok) throw new Error(asks.problem.detail)
  const hand = await scene.live.startSession('Is asked all the same')
  await hand.ask({ tool: 'Bash', title: 'Check', input: JSON.stringify({ command: 'deno check' }), cwd: '/src' })
  await scene.open(hand.session)
  const card = page.getByRole('article')
  await card.getByText('Always allow …').click()
  await card
    .getByRole('status')
    .getByText('A rule of this server goes on asking about it, and that wins: Ask about commands with: deno.')
    .waitFor()
  await photograph(page, 'rule-outweighed', [390, 1440])
  await link.command(serverStream, 'policy.revoke_rule', { rule: asks.accepted.id, effect: 'ask' })
})

describe('what waits for the agent', () => {
  it('[G31] it is moved, changed, left as it was, withdrawn, and never lost while it is being changed', async () => {
    const hand = await scene.live.startSession('With a queue')
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await scene.open(hand.session)
    const box = page.getByLabel('Message to the agent')
    for (const text of ['One', 'Two', 'Three']) {
      await box.fill(text)
      await box.press('Enter')
      await page.locator('.queued', { hasText: text }).getByText('queued').waitFor()
    }
    const waiting = page.locator('.queued')
    const texts = (): Promise<string[]> => waiting.locator('.said').allInnerTexts()
    await page.getByRole('button', { name: 'Move message 3 up' }).click()
    await expect.poll(texts).toEqual(['One', 'Three', 'Two'])
    await page.getByRole('button', { name: 'Move message 1 down' }).click()
    await expect.poll(texts).toEqual(['Three', 'One', 'Two'])
    await waiting.filter({ hasText: 'Two' }).dragTo(waiting.filter({ hasText: 'Three' }))
    await expect.poll(texts).toEqual(['Two', 'Three', 'One'])

    const edit = page.getByLabel('Edit the waiting message')
    await waiting.filter({ hasText: 'One' }).getByRole('button', { name: 'Edit' }).click()
    await edit.fill('One, on\ntwo lines')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await expect.poll(texts).toEqual(['Two', 'Three', 'One'])
    await waiting.filter({ hasText: 'One' }).getByRole('button', { name: 'Edit' }).click()
    expect(await edit.inputValue()).toBe('One')
    await edit.fill('One, on\ntwo lines')
    await photograph(page, 'queue', [390, 1440])
    await resize(page, 1440)
    await page.getByRole('button', { name: 'Save' }).click()
    await expect.poll(texts).toEqual(['Two', 'Three', 'One, on\ntwo lines'])
    await waiting.filter({ hasText: 'Three' }).getByRole('button', { name: 'Withdraw' }).click()
    await expect.poll(texts).toEqual(['Two', 'One, on\ntwo lines'])

    await waiting.first().getByRole('button', { name: 'Edit' }).click()
    await edit.fill('Two, as it should have been')
    const stored = await scene.live.stored(hand.session)
    const two = stored.find(({ body }) => body?.['text'] === 'Two')?.data as { message: string }
    await hand.report({ type: 'message.delivered', data: { message: two.message } })
    await expect.poll(() => box.inputValue()).toBe('Two, as it should have been')
    await edit.waitFor({ state: 'detached' })
  })

  it('[G34] where the agent can take it, it is sent into the turn that runs, by button, by key and while one writes', async () => {
    const hand = await scene.live.startSession('In the middle of it')
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await scene.open(hand.session)
    const box = page.getByLabel('Message to the agent')
    const waiting = page.locator('.queued')
    const send = async (text: string): Promise<void> => {
      await box.fill(text)
      await box.press('Enter')
      await waiting.filter({ hasText: text }).getByText('queued').waitFor()
    }
    await send('One')
    expect(await page.getByText('Send now').count()).toBe(0)
    // What cannot be done is not begun by a key either.
    await page.getByRole('heading', { name: 'In the middle of it' }).click()
    await page.keyboard.press('w')
    await box.focus()
    await hand.report({
      type: 'session.profile_changed',
      data: { capabilities: { ...handCapabilities, steer: true } },
    })
    await send('Two')
    await send('Three')
    await photograph(page, 'send-now', [390, 1440])
    await waiting.filter({ hasText: 'Three' }).getByRole('button', { name: 'Send now' }).click()
    await waiting.first().filter({ hasText: 'Three' }).getByText('sending now …').waitFor()
    await page.getByRole('heading', { name: 'In the middle of it' }).click()
    await page.keyboard.press('w')
    await waiting.filter({ hasText: 'One' }).getByText('sending now …').waitFor()
    await box.fill('Four')
    await box.press('Control+Enter')
    await waiting.filter({ hasText: 'Four' }).getByText('sending now …').waitFor()
    const texts = (): Promise<string[]> => waiting.locator('.said').allInnerTexts()
    await expect.poll(texts).toEqual(['Three', 'One', 'Four', 'Two'])
    const stored = await scene.live.stored(hand.session)
    const three = stored.find(({ body }) => body?.['text'] === 'Three')?.data as { message: string }
    const { message } = three
    await hand.report({ type: 'message.delivered', data: { message, turn: 't1' } })
    await page.locator('.message.person', { hasText: 'Three' }).getByText('delivered').waitFor()
    await hand.report({ type: 'message.seen', data: { message } })
    await page.locator('.message.person', { hasText: 'Three' }).getByText('seen').waitFor()
    // After the turn there is nothing to send into.
    await hand.report({ type: 'turn.ended', data: { turn: 't1', end: 'end' }, body: {} })
    await page.getByRole('button', { name: 'Send now' }).first().waitFor({ state: 'detached' })
  })

  it('[P9] with little time left a day more is offered, and the countdown goes on from there', async () => {
    // The project wants an answer within half an hour; what an agent forces nobody could make longer.
    await say('policy.set_timeout', { approvalTimeoutMs: 1_800_000 })
    const hand = await scene.live.startSession('Before lunch')
    await hand.ask({ tool: 'run', title: 'Clean', input: 'make clean' })
    await say('policy.set_timeout', { approvalTimeoutMs: null })
    await scene.open(hand.session)
    const card = page.getByRole('article').filter({ hasText: 'make clean' })
    await card.getByText(/^(29|30):\d\d left/).waitFor()
    await photograph(page, 'more-time', [390, 1440])
    await card.getByRole('button', { name: 'Give it a day more' }).click()
    await card.getByText(/^23 h 59 m left/).waitFor()
    expect(await card.getByRole('button', { name: 'Give it a day more' }).count()).toBe(0)
  })
})
