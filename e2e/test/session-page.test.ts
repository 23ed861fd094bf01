import { readFileSync } from 'node:fs'
import type { Report } from '@hotline/protocol/commands/agent'
import type { LiveServer } from '@hotline/testing/live-server'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize, typeWord } from '../src/page-scene.ts'

let scene: PageScene
let live: LiveServer
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  ;({ live, page } = scene)
})
beforeEach(() => resize(page, 1440))
afterEach(() => live.proxy.restore())
afterAll(() => scene[Symbol.asyncDispose]())

const open = (session: string): Promise<void> => scene.open(session)

/** A step that reads a file, from its beginning to its end. */
function readOf(at: number): Report[] {
  const step = `s${at}`
  const path = `src/${at}.ts`
  return [
    {
      type: 'step.started',
      data: { step, turn: 't1', kind: 'read' },
      body: { title: `Read ${path}`, locations: [path] },
    },
    { type: 'step.finished', data: { step, outcome: 'done' }, body: {} },
  ]
}

/** How many commands the browser keeps for later, as it runs in the page. */
const countKept = `(async () => {
  const [{ name }] = (await indexedDB.databases()).filter((database) => database.name.startsWith('hotline-outbox:'))
  const answer = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result) })
  const database = await answer(indexedDB.open(name))
  const count = await answer(database.transaction('commands').objectStore('commands').count())
  database.close()
  return count
})()`

describe('the page of one session', () => {
  it('[G11] an approval that may be changed is edited by key and allowed as edited, and both are kept', async () => {
    const hand = await live.startSession('Publish it')
    await hand.ask({
      tool: 'Bash',
      title: 'Run a command',
      input: 'npm version --tag next',
      cwd: '/src/app',
      reason: 'You asked me to.',
    })
    await open(hand.session)
    await page.locator('.card .exact').getByText('npm version --tag next').waitFor()
    await photograph(page, 'card')
    await page.locator('.card[data-keys]').getByRole('button', { name: /^Edit/, disabled: false }).waitFor()
    await page.keyboard.press('e')
    await page.getByLabel('What will run in its place').fill('npm version --tag beta')
    await page.getByRole('button', { name: 'Allow as edited' }).click()
    await page.getByText('✓ Edited and allowed by You').click()
    await page.getByText('npm version --tag next').waitFor()
    await page.getByText('npm version --tag beta').waitFor()
    const decided = (await live.stored(hand.session)).find(({ type }) => type === 'approval.resolved')
    expect(decided?.data).toMatchObject({ outcome: 'allowed_modified' })
    expect(decided?.body).toMatchObject({ input: 'npm version --tag beta' })
  })

  it('[G11] what was asked as JSON cannot be sent as anything else; what is wrong is said where it is', async () => {
    const hand = await live.startSession('With a time limit')
    await hand.ask({ tool: 'Bash', title: 'Run it', input: '{\n  "command": "npm test",\n  "timeout": 5\n}' })
    await open(hand.session)
    await page.getByRole('button', { name: /^Edit/ }).and(page.locator(':enabled')).click()
    await page.getByRole('tab', { name: 'As text' }).click()
    const box = page.getByLabel('What will run in its place', { exact: true })
    await box.fill('{\n  "command": "npm test"\n  "timeout": 7\n}')
    await page.getByRole('button', { name: 'Allow as edited' }).click()
    const fault = page.locator('.card').getByRole('alert')
    await fault.getByText('Line 3, column 3: A comma or "}" is missing before this.').waitFor()
    const caret = await box.evaluate((area) => (area as unknown as { selectionStart: number }).selectionStart)
    expect(caret).toBe('{\n  "command": "npm test"\n  '.length)
    await photograph(page, 'edit-fault', [390, 1440])
    await box.fill('{\n  "command": "npm test",\n  "timeout": "7"\n}')
    await fault.getByText('Line 3, column 14: "timeout" was a number').waitFor()
    await box.fill('{\n  "command": "npm test",\n  "timeout": 7\n}')
    await fault.waitFor({ state: 'detached' })
    expect((await live.stored(hand.session)).some(({ type }) => type === 'approval.resolved')).toBe(false)
    await page.getByRole('button', { name: 'Allow as edited' }).click()
    await page.getByText('✓ Edited and allowed by You').waitFor()
  })

  it('[G152] [G155] what was asked as an object is changed by its parts, each of its type, and all else stays as it is', async () => {
    const hand = await live.startSession('By its parts')
    const asked = '{ "command":"npm test",  "timeout": 1.50,\n "quiet": true, "more": {"b": [1e2]} }'
    await hand.ask({ tool: 'Bash', title: 'Run it', input: asked, cwd: '/src' })
    await open(hand.session)
    await page.getByRole('button', { name: /^Edit/ }).and(page.locator(':enabled')).click()
    const form = page.getByRole('group', { name: 'What will run in its place, by its parts' })
    await form.getByLabel('command').fill('npm test -- "a b"')
    await form.getByLabel('quiet').uncheck()
    await form.getByLabel('timeout').fill('soon')
    // Nobody here knows what some of it changes.
    await page.getByLabel(/To allow it, type/).fill('npm')
    await page.getByRole('button', { name: 'Allow as edited' }).click()
    const fault = form.getByRole('alert')
    await fault.getByText(/^timeout: It must be a number/).waitFor()
    await photograph(page, 'edit-form', [390, 1440])
    expect((await live.stored(hand.session)).some(({ type }) => type === 'approval.resolved')).toBe(false)
    await form.getByLabel('timeout').fill('2.50')
    await fault.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Allow as edited' }).click()
    await page.getByText('✓ Edited and allowed by You').waitFor()
    const decided = (await live.stored(hand.session)).find(({ type }) => type === 'approval.resolved')
    const changed = asked.replace('npm test', 'npm test -- \\"a b\\"').replace('1.50', '2.50').replace('true', 'false')
    expect(decided?.body).toMatchObject({ input: changed })
  })

  it('[G12] what is longer than its frame can only be allowed when its end was seen', async () => {
    const hand = await live.startSession('A long one')
    const lines = Array.from({ length: 200 }, (_, at) => `echo line ${at}`)
    await hand.ask({ tool: 'Bash', title: 'Run a script', input: lines.join('\n') })
    await open(hand.session)
    const allow = page.getByRole('button', { name: /^Allow/ })
    await page.getByText('Read to the end to allow').waitFor()
    expect(await allow.isDisabled()).toBe(true)
    await page.keyboard.press('a')
    expect((await live.stored(hand.session)).some(({ type }) => type === 'approval.resolved')).toBe(false)
    await page.locator('.card .exact').evaluate((box) => (box.scrollTop = box.scrollHeight))
    await typeWord(page)
    await allow.click()
    await page.getByText('✓ Allowed by You').waitFor()
  })

  it('[G12] what is too long for its event is fetched, shown part by part, and allowed when its end was seen', async () => {
    const hand = await live.startSession('A very long one')
    const input = Array.from({ length: 20_000 }, (_, at) => `echo line ${at}`).join('\n')
    await hand.ask({ tool: 'Bash', title: 'Run it all', content: await live.putContent(hand.session, input) })
    await open(hand.session)
    const allow = page.getByRole('button', { name: /^Allow/ })
    const box = page.locator('.exact')
    const toEnd = (): Promise<unknown> => box.evaluate((frame) => frame.scrollTo(0, frame.scrollHeight))
    for (let parts = 0; parts < 3; parts += 1) {
      await toEnd()
      expect(await allow.isDisabled()).toBe(true)
      await page.getByRole('button', { name: /^Show more/ }).click()
    }
    await page.getByText('echo line 19999').waitFor()
    expect(await allow.isDisabled()).toBe(true)
    await toEnd()
    await typeWord(page)
    await allow.and(page.locator(':enabled')).click()
    await page.getByText('✓ Allowed by You').click()
    await page.getByText('echo line 0', { exact: false }).first().waitFor()
  })

  it('[T22] what deceives the eye is not allowed by a key or a click, but by a word', async () => {
    const hand = await live.startSession('Looks harmless')
    await hand.ask({ tool: 'Bash', title: 'Remove a picture', input: 'rm \u202egpj.exe' })
    await open(hand.session)
    const card = page.locator('.card[data-keys]')
    await card.getByText('U+202E').first().waitFor()
    const allow = card.getByRole('button', { name: /^Allow/ })
    expect(await allow.isDisabled()).toBe(true)
    await photograph(page, 'grave')
    await card.waitFor()
    await page.keyboard.press('a')
    const word = page.getByLabel(/type “allow”/)
    await expect.poll(() => word.evaluate((box) => box.ownerDocument.activeElement === box)).toBe(true)
    await page.keyboard.type('allo')
    expect(await allow.isDisabled()).toBe(true)
    await page.keyboard.press('Enter')
    expect((await live.stored(hand.session)).some(({ type }) => type === 'approval.resolved')).toBe(false)
    await page.keyboard.type('w')
    await page.keyboard.press('Enter')
    await page.getByText('✓ Allowed by You').waitFor()
  })

  it('[G13] [EP3] beside the conversation stands what is known: state, machine, counts and plan', async () => {
    const hand = await live.startSession('With a plan')
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      {
        type: 'plan.updated',
        data: { entries: 3, done: 1 },
        body: {
          entries: [
            { text: 'Read the code', status: 'completed' },
            { text: 'Write the test', status: 'in_progress' },
            { text: 'Mend it', status: 'pending' },
          ],
        },
      },
      ...Array.from({ length: 10 }, (_, at) => readOf(at)).flat(),
    )
    await open(hand.session)
    const aside = page.getByRole('complementary', { name: 'What is known about this session' })
    await aside.getByText('1/3').waitFor()
    await aside.getByText('Write the test').waitFor()
    await page.getByText('read 10 files').waitFor()
    await photograph(page, 'context')
    // [EP3] All of it as a file.
    await aside.getByText('More facts').click()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      aside.getByRole('link', { name: 'Markdown' }).click(),
    ])
    expect(file.suggestedFilename()).toBe(`session-${hand.session}.md`)
    expect(readFileSync(await file.path(), 'utf8')).toMatch(/^# [\s\S]*The whole conversation up to /)
    await photograph(page, 'context-export', [1440])
    await resize(page, 390)
    await page.getByRole('button', { name: 'Details' }).click()
    await page.getByRole('dialog').getByText('Write the test').waitFor()
    await photograph(page, 'context-sheet', [390])
    await resize(page, 390)
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  })

  it('[G14] a message that was on its way when the tab was closed is sent by the next one, once', async () => {
    const hand = await live.startSession('In a tunnel')
    await open(hand.session)
    const box = page.getByLabel('Message to the agent')
    await box.waitFor()
    await page.getByText('Nothing was said yet').or(page.getByText('The agent is ready')).first().waitFor()
    live.proxy.halfOpen()
    await box.fill('Said in a tunnel')
    await box.press('Enter')
    await page.getByText('sending …').waitFor()
    await expect.poll(() => page.evaluate<number>(countKept)).toBe(1)
    await page.close()
    live.proxy.restore()
    page = await scene.openTab()
    await open(hand.session)
    await page.getByText('Said in a tunnel').waitFor()
    await page.getByText('sending …').waitFor({ state: 'detached' })
    const sent = (await live.stored(hand.session)).filter(({ body }) => body?.['text'] === 'Said in a tunnel')
    expect(sent).toHaveLength(1)
  })

  it('[G15] the list does not move under the pointer, and says how many things wait', async () => {
    await live.startSession('Where the pointer is')
    await page.goto(live.proxyUrl)
    const list = page.getByRole('region', { name: 'Sessions' })
    await list.getByText('Where the pointer is').hover()
    const titles = (): Promise<string[]> => list.locator('.row .title').allInnerTexts()
    const before = await titles()
    const hand = await live.startSession('Came while I looked')
    await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    await list.getByRole('button', { name: '1 new' }).waitFor()
    expect(await titles()).toEqual(before)
    await expect.poll(() => page.title()).toMatch(/^\(/)
    expect(await page.locator('link[rel=icon]').getAttribute('href')).toContain('data:image/png')
    await page.mouse.move(1_000, 600)
    await list.getByText('Came while I looked').waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).getByText('allow what is asked first').waitFor()
  })

  it('[G16] a key decides what is in sight and nothing else; what was begun on a card is still there', async () => {
    const hand = await live.startSession('Two at once')
    await hand.ask({ tool: 'Bash', title: 'The first', input: 'echo first' })
    const say = (from: number, count: number): Promise<unknown> =>
      hand.report(
        ...Array.from({ length: count }, (_, at): Report => {
          const text = `Line ${from + at} of what I did.`
          const data = { message: `m${from + at}`, role: 'agent', queued: false, chars: text.length }
          return { type: 'message.posted', data, body: { text } }
        }),
      )
    await say(0, 18)
    await open(hand.session)
    await page.getByText('Line 17 of what I did.').waitFor()
    const card = page.getByRole('article')
    // It is there for the list, a little above what is in sight.
    await card.waitFor({ state: 'attached' })
    await expect.poll(async () => (await card.boundingBox())?.y).toBeLessThan(-100)
    for (let frame = 0; frame < 40; frame += 1) {
      await page.keyboard.press('a')
      await page.evaluate('new Promise(requestAnimationFrame)')
    }
    await say(18, 60)
    await page.getByText('Line 77 of what I did.').waitFor()
    const list = page.locator('.talk .scroll')
    const scroll = async (to: 'top' | 'end'): Promise<void> => {
      await list.hover({ position: { x: 5, y: 5 } })
      await page.mouse.wheel(0, to === 'end' ? 100_000 : -100_000)
    }
    await scroll('top')
    await card.waitFor()
    expect((await live.stored(hand.session)).some(({ type }) => type === 'approval.resolved')).toBe(false)
    await card.getByLabel('Comment for the agent').fill('only this once')
    await scroll('end')
    await card.waitFor({ state: 'detached' })
    await scroll('top')
    await card.waitFor()
    expect(await card.getByLabel('Comment for the agent').inputValue()).toBe('only this once')
    // In sight for a moment, it is meant.
    await expect
      .poll(async () => {
        await page.keyboard.press('a')
        return page.getByText('✓ Allowed by You').count()
      })
      .toBe(1)
    const decided = (await live.stored(hand.session)).find(({ type }) => type === 'approval.resolved')
    expect(decided?.body).toMatchObject({ reason: 'only this once' })
  })

  it('[G17] who answers second hears that it did not count', async () => {
    const hand = await live.startSession('Two people')
    const asked = await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    await open(hand.session)
    const deny = page.getByRole('button', { name: 'Deny' })
    await deny.waitFor()
    // It hears nothing of the other one until it has answered.
    live.proxy.bandwidth(0, { direction: 'toClient' })
    const other = live.link()
    const first = await other.command(hand.stream, 'approval.decide', { ...asked, verdict: 'allow' })
    expect(first.ok).toBe(true)
    await deny.click()
    live.proxy.restore()
    await page.getByText('your answer did not count').waitFor()
    await page.getByText('✓ Allowed by You').waitFor()
  })

  it('[G18] what was begun in the message box survives a reload', async () => {
    const hand = await live.startSession('A draft')
    await open(hand.session)
    await page.getByLabel('Message to the agent').fill('Not finished y')
    await page.reload()
    await expect.poll(() => page.getByLabel('Message to the agent').inputValue()).toBe('Not finished y')
  })
})
