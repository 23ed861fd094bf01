import type { Report } from '@hotline/protocol/commands/agent'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

describe('budgets in the page', () => {
  it('[G93] a budget is set at the start, told at 80 %, asked about when it is used up, and given more', async () => {
    const { page, live } = scene
    const hand = await live.startSession('An agent in a loop')
    await scene.open(hand.session)
    const context = page.getByRole('complementary', { name: 'What is known about this session' })
    await context.getByText('Set one …').click()
    await context.getByLabel('Tool calls').fill('many')
    await context.getByRole('button', { name: 'Set the budget' }).click()
    await context.getByText('Tool calls: "many" cannot be read.', { exact: false }).waitFor()
    await context.getByLabel('Tool calls').fill('4')
    await context.getByLabel('Time at work').fill('2h')
    await context.getByRole('button', { name: 'Set the budget' }).click()
    await context.getByText('0 of 4 tool calls').waitFor()
    const step = (number: number): Report => ({
      type: 'step.started',
      data: { step: `s${number}`, kind: 'execute' },
      body: { title: `npm test, once more (${number})` },
    })
    const of = { budget: 'toolCalls', limit: 4 }
    await hand.report(
      ...[1, 2, 3, 4, 5].map(step),
      { type: 'budget.warned', data: { ...of, used: 4 } },
      { type: 'budget.exhausted', data: { ...of, used: 4 } },
      {
        type: 'session.state_changed',
        data: { from: 'active', to: 'paused', reason: 'budget_spent', paused: { kind: 'held' } },
        body: {},
      },
    )
    const card = page.getByRole('article', { name: 'Needs you: a budget is used up' })
    await card.getByText('4 of 4 tool calls').waitFor()
    // Nothing but more lets it go on.
    expect(await page.getByRole('button', { name: 'Resume', exact: true }).count()).toBe(0)
    await photograph(page, 'budget', [390, 1440])
    expect(await card.getByLabel('How much more').inputValue()).toBe('2')
    await card.getByLabel('How much more').fill('10')
    await card.getByRole('button', { name: 'Go on with more' }).click()
    await page.getByText('Budget: 2h 0m of work, 14 tool calls').waitFor()
    const stored = (await live.stored(hand.session)).findLast(({ type }) => type === 'budget.changed')
    expect(stored?.data).toMatchObject({ budget: { toolCalls: 14, timeMs: 7_200_000 } })
    await page.goto(live.proxyUrl)
    await page.getByRole('button', { name: 'New session' }).first().click()
    const dialog = page.getByRole('dialog', { name: 'New session' })
    await dialog.getByText('Budget (optional)').click()
    await dialog.getByLabel('Output').fill('100 MB')
    await photograph(page, 'budget-start', [390, 1440])
  })
})
