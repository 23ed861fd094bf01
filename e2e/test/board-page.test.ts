import type { CommandInput } from '@hotline/protocol/command'
import type { Link } from '@hotline/client/link'
import type { TaskDetail } from '@hotline/protocol/task'
import { uuidV7 } from '@hotline/client/uuid'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
let link: Link
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
  link = scene.live.link()
})
beforeEach(() => resize(page, 1440))
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

const column = (name: string, on: Page = page): Locator =>
  on.locator('section.column', { has: on.getByRole('heading', { name }) })
const card = (title: string, on: Page = page): Locator => on.locator('li.board-card', { hasText: title })
const titlesIn = (name: string, on: Page = page): Promise<string[]> =>
  column(name, on).locator('.title').allInnerTexts()

async function makeCard(title: string, more: Partial<CommandInput<'task.create'>> = {}): Promise<string> {
  const task = uuidV7()
  const data = { project: 'default', title, ...more }
  expect(await link.command(`task:${task}`, 'task.create', data)).toMatchObject({ ok: true })
  return task
}

/** Holds a card by the mouse and lets it go over something else, a little below (or above) its middle. */
async function drag(from: Locator, to: Locator, below = 6): Promise<void> {
  const [start, end] = [await from.boundingBox(), await to.boundingBox()]
  if (!start || !end) throw new Error('Both have to be in sight.')
  await page.mouse.move(start.x + start.width / 2, start.y + start.height / 2)
  await page.mouse.down()
  await page.mouse.move(start.x + start.width / 2 + 20, start.y + start.height / 2 + 10, { steps: 4 })
  await page.mouse.move(end.x + end.width / 2, end.y + end.height / 2 + below, { steps: 8 })
  await page.locator('.board-card.lifted').waitFor()
  await page.mouse.up()
}

describe('the board', () => {
  it('[G168] says what to do first where there is nothing, and a card that is made stands in its column', async () => {
    await page.goto(scene.live.proxyUrl)
    await page.getByRole('navigation', { name: 'Main' }).first().getByRole('link', { name: 'Board' }).click()
    await page.getByRole('heading', { name: 'Nothing is on this board yet' }).waitFor()
    await photograph(page, 'board-empty', [390, 1440])
    await page.getByRole('button', { name: 'New card' }).click()
    const dialog = page.getByRole('dialog', { name: 'New card' })
    await dialog.getByLabel('Title').fill('The redirect drops the query')
    await dialog.getByLabel(/^Description/).fill('After **signing in** the query is gone.')
    await dialog.getByLabel('Priority').selectOption('High')
    await dialog.getByLabel(/^Labels/).fill('web, login')
    await dialog.getByLabel(/^Who/).selectOption('You')
    await dialog.getByRole('button', { name: 'Create' }).click()
    const made = column('To do').locator('.board-card')
    await made.getByText('The redirect drops the query').waitFor()
    expect(await made.locator('.facts').innerText()).toMatch(/High\s+web\s+login\s+@You/)
  })

  it('[G169] shows in another browser what somebody moves, and how the newest session of a card stands', async () => {
    const task = await makeCard('Write the docs')
    const other = await scene.context.newPage()
    await other.goto(`${scene.live.proxyUrl}/tasks`)
    await card('Write the docs', other).waitFor()
    const hand = await scene.live.startSession('Docs', { task })
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await column('In progress', other).getByText('demo · at work').waitFor()
    await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    await card('Write the docs', other).getByText('1 to allow or deny').waitFor()
    await card('Write the docs', other).getByText('Needs you').waitFor()
    await card('Write the docs', other).getByLabel('Move “Write the docs” to').selectOption('Review')
    await column('Review').getByText('Write the docs').waitFor()
    await other.close()
  })

  it('[G170] moves a card by the mouse, by keys and by its menu, and says where it is', async () => {
    await makeCard('First')
    await makeCard('Second')
    await makeCard('Third')
    await card('Third').waitFor()
    await drag(card('Third'), card('First'), -6)
    await expect.poll(() => titlesIn('To do')).toEqual(['The redirect drops the query', 'Third', 'First', 'Second'])
    await drag(card('First'), column('Backlog'))
    await expect.poll(() => titlesIn('Backlog')).toEqual(['First'])
    const told = page.locator('.board .unseen[role=status]')
    expect(await told.innerText()).toBe('“First” is in Backlog now.')
    await card('First').getByLabel('Move “First” to').selectOption('Cancelled')
    await expect.poll(() => titlesIn('Cancelled')).toEqual(['First'])
    await card('Second').locator('.title').focus()
    await page.keyboard.press('Shift+ArrowUp')
    await expect.poll(() => titlesIn('To do')).toEqual(['The redirect drops the query', 'Second', 'Third'])
    await page.keyboard.press('Shift+ArrowLeft')
    await expect.poll(() => titlesIn('Backlog')).toEqual(['Second'])
    expect(await told.innerText()).toBe('“Second” is in Backlog now.')
    expect(await page.evaluate<string>('document.activeElement.innerText')).toBe('Second')
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate<string>('document.activeElement.innerText')).toBe('The redirect drops the query')
    // What was shown is what the server has.
    await page.reload()
    await expect.poll(() => titlesIn('To do')).toEqual(['The redirect drops the query', 'Third'])
    await photograph(page, 'board')
  })

  it('[G170] moves a card by a finger that rests on it; one that does not rest scrolls', async () => {
    await resize(page, 390)
    await page.getByRole('tab', { name: 'To do' }).click()
    const [from, to] = [await card('Third').boundingBox(), await page.getByRole('tab', { name: 'Done' }).boundingBox()]
    if (!from || !to) throw new Error('Both have to be in sight.')
    const touch = await scene.context.newCDPSession(page)
    const at = (x: number, y: number): { touchPoints: { x: number; y: number }[] } => ({ touchPoints: [{ x, y }] })
    const [x, y] = [from.x + 60, from.y + 20]
    await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', ...at(x, y) })
    await page.locator('.board-card.lifted').waitFor()
    await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', ...at(x, y - 20) })
    await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', ...at(to.x + 20, to.y + 10) })
    await page.locator('.tabs .under').waitFor()
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    await expect.poll(() => titlesIn('To do')).toEqual(['The redirect drops the query'])
    // For a moment after a card was let go of nothing can be pressed: that click would belong to the move.
    await expect
      .poll(async () => {
        await page.getByRole('tab', { name: 'Done' }).click()
        return page.getByRole('tab', { name: 'Done', selected: true }).count()
      })
      .toBe(1)
    await expect.poll(() => titlesIn('Done')).toEqual(['Third'])
    await photograph(page, 'board-phone', [390])
  })

  it('[G171] shows a move at once, and puts the card back where it is refused, with the reason', async () => {
    const task = await makeCard('Gone meanwhile', { column: 'backlog' })
    await card('Gone meanwhile').waitFor()
    // The page does not hear that it is removed: its connection stands still.
    scene.live.proxy.bandwidth(0)
    await card('Gone meanwhile').getByLabel('Move “Gone meanwhile” to').selectOption('Done')
    await expect.poll(() => titlesIn('Done')).toContain('Gone meanwhile')
    expect(await link.command(`task:${task}`, 'task.remove', {})).toMatchObject({ ok: true })
    scene.live.proxy.restore()
    await page
      .getByRole('alert')
      .getByText('“Gone meanwhile” is back where it was: There is no task with this id.')
      .waitFor()
    await expect.poll(() => card('Gone meanwhile').count()).toBe(0)
  })

  it('[G171] of two people who move one card at once both see where the log has it', async () => {
    const task = await makeCard('Wanted by two', { column: 'backlog' })
    const other = await scene.context.newPage()
    await other.goto(`${scene.live.proxyUrl}/tasks`)
    const tabs = [page, other]
    for (const tab of tabs) await card('Wanted by two', tab).waitFor()
    const menu = (tab: Page): Locator => card('Wanted by two', tab).getByLabel('Move “Wanted by two” to')
    await Promise.all([menu(page).selectOption('Review'), menu(other).selectOption('Done')])
    const here = (tab: Page): Promise<string> =>
      tab
        .locator('section.column', { has: card('Wanted by two', tab) })
        .locator('h2')
        .innerText()
    const words: Record<string, string> = { review: 'Review', done: 'Done' }
    await expect
      .poll(async () => {
        const answer = await link.request<TaskDetail>('GET', `/api/tasks/${task}`)
        const there = answer.ok ? (words[answer.value.task.column] ?? '') : ''
        const shown = await Promise.all(tabs.map(here))
        return there !== '' && shown.every((word) => word.startsWith(there))
      })
      .toBe(true)
    await other.close()
  })

  it('[G169] goes on after a restart of the server', async () => {
    await scene.live.restart()
    await makeCard('After the restart')
    await column('To do').getByText('After the restart').waitFor({ timeout: 30_000 })
  })

  it('[G172] reads a column a page at a time, and more of it on demand', async () => {
    const titles = Array.from({ length: 105 }, (_, at) => `Old ${String(at).padStart(3, '0')}`)
    for (const title of titles) await makeCard(title, { column: 'cancelled' })
    await page.reload()
    await column('Cancelled').getByText('100+').waitFor()
    expect(await column('Cancelled').locator('.board-card').count()).toBe(100)
    await column('Cancelled').getByRole('button', { name: 'Show more' }).click()
    await column('Cancelled').getByText('Old 104').waitFor()
  })

  it('[G173] shows hostile titles and labels as words, and nothing of them deceives', async () => {
    await makeCard('<img src=x onerror=alert(1)> \u202Egnp.exe', {
      labels: ['a\u200Bb', 'x'.repeat(40)],
      column: 'review',
    })
    const odd = card('<img src=x onerror=alert(1)>')
    await odd.waitFor()
    expect(await odd.locator('.title .odd').innerText()).toContain('202E')
    expect(await odd.locator('.label .odd').innerText()).toContain('200B')
    expect(await odd.locator('img').count()).toBe(0)
  })
})

describe('the panel of a card', () => {
  it('[G174] shows what the card says, changes it, and deletes it after a second word', async () => {
    await card('The redirect drops the query').locator('.title').click()
    const panel = page.getByRole('region', { name: 'Card' })
    await panel.locator('strong', { hasText: 'signing in' }).waitFor()
    await photograph(page, 'task-details')
    await panel.getByRole('button', { name: 'Edit' }).click()
    const dialog = page.getByRole('dialog', { name: 'Edit the card' })
    await dialog.getByLabel('Title').fill('The redirect keeps the query')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await panel.getByRole('heading', { name: 'The redirect keeps the query' }).waitFor()
    await card('The redirect keeps the query').waitFor()
    await makeCard('To be deleted')
    await card('To be deleted').locator('.title').click()
    await panel.getByRole('heading', { name: 'To be deleted' }).waitFor()
    await panel.getByRole('button', { name: 'Delete' }).click()
    await panel.getByRole('button', { name: 'Delete it for good?' }).click()
    await page.waitForURL('**/tasks')
    await expect.poll(() => card('To be deleted').count()).toBe(0)
  })

  it('[G175] shows the conversation of the newest session and earlier runs; a new one is told what the card says', async () => {
    const task = await makeCard('Answer the mail', { description: 'All of **it**.' })
    const first = await scene.live.startSession('First run', { task })
    await first.report({
      type: 'message.posted',
      data: { message: 'm1', role: 'agent', queued: false, chars: 5 },
      body: { text: 'First' },
    })
    const second = await scene.live.startSession('Second run', { task })
    await second.report({
      type: 'message.posted',
      data: { message: 'm2', role: 'agent', queued: false, chars: 6 },
      body: { text: 'Second' },
    })
    await page.goto(`${scene.live.proxyUrl}/tasks/${task}`)
    const panel = page.getByRole('region', { name: 'Card' })
    await panel.getByRole('tab', { name: 'Interact' }).click()
    await panel.locator('.talk').getByText('Second').waitFor()
    await photograph(page, 'task-interact', [390, 1440])
    await panel.getByRole('textbox').fill('Go on, please')
    await page.keyboard.press('Enter')
    await panel.getByText('Go on, please').first().waitFor()
    await panel.getByRole('tab', { name: 'Output' }).click()
    await expect
      .poll(() => panel.getByLabel('Run', { exact: true }).locator('option').allInnerTexts())
      .toMatchObject([expect.stringMatching(/^Run 2 · demo/), expect.stringMatching(/^Run 1 · demo/)])
    await panel.getByLabel('Run', { exact: true }).selectOption(first.session)
    await panel.getByRole('heading', { name: 'First run' }).waitFor()
    await panel.getByRole('tab', { name: 'Details' }).click()
    await panel.getByRole('button', { name: 'Start a session' }).click()
    const dialog = page.getByRole('dialog', { name: 'New session' })
    expect(await dialog.getByLabel('What shall it do?').inputValue()).toBe('Answer the mail\n\nAll of **it**.')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
  })

  it('[G199] of tabs the keyboard reaches the one that is shown, and arrows lead to the others', async () => {
    const task = await makeCard('Walk the tabs')
    await scene.live.startSession('Tabs', { task })
    await page.goto(`${scene.live.proxyUrl}/tasks/${task}`)
    const tabs = page.getByRole('tablist', { name: 'View of the card' })
    const shown = (): Promise<string> => tabs.locator('[aria-selected=true]:focus').innerText()
    await tabs.getByRole('tab', { name: 'Details' }).focus()
    for (const [key, name] of [
      ['ArrowRight', 'Output'],
      ['ArrowRight', 'Interact'],
      ['ArrowRight', 'Details'],
      ['ArrowLeft', 'Interact'],
      ['Home', 'Details'],
      ['End', 'Interact'],
    ] as const) {
      await page.keyboard.press(key)
      await expect.poll(shown).toBe(name)
    }
    // One stop: the next one is not a tab.
    await page.keyboard.press('Tab')
    expect(await tabs.locator(':focus').count()).toBe(0)
    await page.keyboard.press('Shift+Tab')
    await expect.poll(shown).toBe('Interact')
  })

  it('[G196] a message that names another agent of the card goes there, and so does the conversation', async () => {
    const task = await makeCard('Work for two')
    const first = await scene.live.startSession('One', { task })
    const second = await scene.live.startSession('Two', { task, agent: 'second' })
    await page.goto(`${scene.live.proxyUrl}/tasks/${task}`)
    const panel = page.getByRole('region', { name: 'Card' })
    await panel.getByRole('tab', { name: 'Interact' }).click()
    const talkers = panel.getByRole('group', { name: 'Agents of this card' })
    await talkers.getByRole('button', { name: '@second', pressed: true }).waitFor()
    await panel.getByRole('textbox').fill('@demo is it done?')
    await page.keyboard.press('Enter')
    await talkers.getByRole('button', { name: '@demo', pressed: true }).waitFor()
    await panel.getByText('@demo is it done?').first().waitFor()
    await photograph(page, 'task-two-agents', [390, 1440])
    // One stays where one is, whatever is the newest.
    await panel.getByRole('textbox').fill('Mail me at me@second.example')
    await page.keyboard.press('Enter')
    await panel.getByText('Mail me at').first().waitFor()
    await talkers.getByRole('button', { name: '@second' }).click()
    await panel.getByRole('heading', { name: 'Two', exact: true }).waitFor()
    const said = async (session: string): Promise<unknown[]> =>
      (await scene.live.stored(session)).flatMap(({ type, body }) => (type === 'message.posted' ? [body] : []))
    await expect
      .poll(() => said(first.session))
      .toEqual([{ text: '@demo is it done?' }, { text: 'Mail me at me@second.example' }])
    expect(await said(second.session)).toEqual([])
    // What was sent there is not left here, to be sent again to somebody else.
    expect(await panel.getByRole('textbox').inputValue()).toBe('')
    // Files lie with the session that is shown: they do not go to somebody else, nor without a word to this one.
    await panel
      .getByLabel('Files to attach')
      .setInputFiles({ name: 'plan.md', mimeType: 'text/plain', buffer: Buffer.from('x') })
    await panel.getByRole('textbox').fill('@demo look at this')
    await panel.getByRole('button', { name: /^Send/, disabled: false }).waitFor()
    await page.keyboard.press('Enter')
    await panel.getByText('The files are with the session that is shown.').waitFor()
    expect(await panel.getByRole('textbox').inputValue()).toBe('@demo look at this')
    await photograph(page, 'task-files-stay', [390, 1440])
    await panel.getByRole('button', { name: 'Remove plan.md' }).click()
    expect([(await said(first.session)).length, (await said(second.session)).length]).toEqual([2, 0])
    await panel.getByRole('textbox').fill('@demo and on')
    await link.command(first.stream, 'session.complete', {})
    const end = { from: 'active', to: 'completed', reason: 'goal_reached' } as const
    await first.report({ type: 'session.state_changed', data: end, body: {} })
    await talkers.getByRole('button', { name: '@demo' }).waitFor({ state: 'detached' })
    // Nobody is there who could be named any more: it goes to whom one talks to.
    await page.keyboard.press('Enter')
    await expect.poll(() => said(second.session)).toEqual([{ text: '@demo and on' }])
  })

  it('[G175] starts a session that belongs to the card, and shows its conversation', async () => {
    const task = await makeCard('Sort the mail')
    const row = { agent: 'demo', name: 'Demo', description: '', runner: 'here', runnerId: 'here', available: true }
    await page.route('**/api/agents', (route) => route.fulfill({ json: { agents: [row] } }))
    await page.goto(`${scene.live.proxyUrl}/tasks/${task}`)
    const panel = page.getByRole('region', { name: 'Card' })
    await panel.getByRole('button', { name: 'Start a session' }).click()
    await page.getByRole('dialog', { name: 'New session' }).getByRole('button', { name: 'Start', exact: true }).click()
    await card('Sort the mail').getByText('Demo · waits for a machine').waitFor()
    await panel.locator('.session').getByText('Sort the mail').first().waitFor()
  })
})
