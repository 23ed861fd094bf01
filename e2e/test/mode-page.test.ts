import { uuidV7 } from '@hotline/client/uuid'
import type { CommandInput } from '@hotline/protocol/command'
import { openBrowser } from '@hotline/testing/browser'
import { openTempDir } from '@hotline/testing/temp-dir'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startServerProcess } from '../src/faults/server-process.ts'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
beforeEach(() => resize(page, 1440))
afterAll(() => scene[Symbol.asyncDispose]())

const asked = (command: string) => ({ tool: 'Bash', title: command, input: JSON.stringify({ command }), cwd: '/src' })

describe('what is not asked', () => {
  it('[G130] is switched on with its meaning, stands above the session and in the list, and ends with one tap', async () => {
    const hand = await scene.live.startSession('Goes on alone')
    await scene.open(hand.session)
    const context = page.getByRole('complementary', { name: 'What is known about this session' })
    await context.getByText('Everything that no rule answers.').waitFor()
    await context.locator('.asked').getByText('Change it …').click()
    await context.getByLabel('Hands-free').check()
    await context.getByLabel('For how long').selectOption('1 hour')
    await photograph(page, 'mode-choice', [1440])
    await context.getByRole('button', { name: 'Go hands-free' }).click()
    const banner = page.getByRole('region', { name: 'What is not asked' })
    await banner.getByText(/^Hands-free until \d\d:\d\d$/).waitFor()
    await banner.getByText(/60 min left/).waitFor()
    const row = page.locator(`[data-session="${hand.session}"]`)
    await row.getByText('hands-free, 60 min left').waitFor()

    const { approval } = await hand.ask(asked('cargo test'))
    await page.getByText('✓ Allowed: hands-free, by You').waitFor()
    await hand.report({ type: 'approval.dispatch_refused', data: { approval, reason: 'stale' } })
    await page.getByText('the agent did not get this answer').waitFor()
    expect(await page.getByRole('article').count()).toBe(0)
    await hand.ask(asked('git push --force'))
    await page.getByRole('article', { name: 'Needs you: git push --force' }).waitFor()
    await page.getByText(/You: hands-free from here on until/).waitFor()
    await photograph(page, 'hands-free', [390, 768, 1440])

    await banner.getByRole('button', { name: 'Ask for everything' }).click()
    await banner.waitFor({ state: 'detached' })
    await page.getByText('You: everything is asked from here on.').waitFor()
    await expect.poll(() => row.innerText()).not.toContain('hands-free')
    await hand.ask(asked('cargo build'))
    await page.getByRole('article', { name: 'Needs you: cargo build' }).waitFor()
  })

  it('[G130] on a telephone it is switched on from the details, and ended above the conversation', async () => {
    const hand = await scene.live.startSession('In my pocket')
    await resize(page, 390)
    await scene.open(hand.session)
    await page.getByRole('button', { name: 'Details' }).click()
    const sheet = page.getByRole('dialog', { name: 'What is known about this session' })
    await sheet.locator('.asked').getByText('Change it …').click()
    await sheet.getByLabel('Edits are free').check()
    await photograph(page, 'mode-sheet', [390])
    await sheet.getByRole('button', { name: 'Set it' }).click()
    await sheet.getByRole('button', { name: 'Close' }).click()
    const banner = page.getByRole('region', { name: 'What is not asked' })
    await banner.getByText('Edits are free', { exact: true }).waitFor()
    await photograph(page, 'edits-free', [390])
    await banner.getByRole('button', { name: 'Ask for everything' }).click()
    await banner.waitFor({ state: 'detached' })
  })
})

describe('the rules in the settings', () => {
  it('[G131] stand in their order with who, when and until, and are revoked after being asked', async () => {
    const { live } = scene
    const link = live.link()
    const send = async (data: CommandInput<'policy.set_rule'>): Promise<void> => {
      expect(await link.command('project:default', 'policy.set_rule', data)).toMatchObject({ ok: true })
    }
    await page.goto(`${live.proxyUrl}/settings`)
    const rules = page.getByRole('region', { name: 'Rules' })
    await rules.getByText(/^None yet/).waitFor()
    await send({ effect: 'allow', match: { agent: 'demo', tool: 'Bash', does: 'run', command: ['cargo', 'test'] } })
    await send({ effect: 'deny', match: { command: ['git', 'push'] }, note: 'Only people push.' })
    await page.reload()
    const lines = rules.getByRole('listitem')
    await expect.poll(() => lines.count()).toBe(2)
    expect(await lines.first().innerText()).toMatch(/Allow exactly: cargo test[\s\S]*You, \d\d:\d\d · until/)
    await lines
      .last()
      .getByText(/An agent is told: A rule of this project denies it: .*Only people push\./)
      .waitFor()
    for (const width of [390, 1440]) {
      await resize(page, width)
      await lines.last().scrollIntoViewIfNeeded()
      await photograph(page, 'rules', [width])
    }

    await lines
      .first()
      .getByRole('button', { name: /^Revoke: Allow exactly: cargo test/ })
      .click()
    const sure = rules.getByRole('form', { name: 'Revoke this rule' })
    await sure.getByRole('button', { name: 'Keep it' }).click()
    expect(await lines.count()).toBe(2)
    await lines
      .first()
      .getByRole('button', { name: /^Revoke: Allow exactly/ })
      .click()
    await sure.getByText('What it allows is asked again from then on.').waitFor()
    await photograph(page, 'rule-revoke', [390, 1440])
    await sure.getByRole('button', { name: 'Revoke it' }).click()
    await expect.poll(() => lines.count()).toBe(1)
    await lines.first().getByText('Deny commands with: git push').first().waitFor()
  })

  it('[G131] what denies is taken away with the password, where it was not said lately', async () => {
    await using dir = await openTempDir('hotline-rules-')
    await using server = await startServerProcess({ dir: dir.path })
    await using browser = await openBrowser()
    const tab = await browser.newPage()
    const { name, password } = server.owner
    const post = async (path: string, data: object): Promise<void> => {
      const answer = await tab.request.post(`${server.url}${path}`, { data, headers: { origin: server.url } })
      expect(answer.status(), await answer.text()).toBe(200)
    }
    await post('/api/auth/sign-in', { name, password })
    const data = { effect: 'deny', match: { command: ['git', 'push'] } }
    await post('/api/commands', { id: uuidV7(), stream: 'project:default', type: 'policy.set_rule', data })
    // A restart forgets when the password was said last, as five minutes do.
    await server.kill()
    expect(await server.start()).toBe('ready')
    await tab.goto(`${server.url}/settings`)
    const rules = tab.getByRole('region', { name: 'Rules' })
    await rules.getByRole('button', { name: /^Revoke: Deny/ }).click()
    const sure = rules.getByRole('form', { name: 'Revoke this rule' })
    await sure.getByRole('button', { name: 'Revoke it' }).click()
    await sure.getByLabel(/^Your password/).fill('not my password')
    await sure.getByRole('button', { name: 'Revoke it' }).click()
    await rules.getByRole('alert').getByText('The current password is wrong.').waitFor()
    await sure.getByLabel(/^Your password/).fill(password)
    await tab.keyboard.press('Enter')
    await rules.getByText(/^None yet/).waitFor()
  })
})
