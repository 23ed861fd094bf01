import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

it('[DV10] what was allowed is taken back on the page while the agent stands still, and it says whether that was in time', async () => {
  const { live, page } = scene
  const hand = await live.startSession('Taken back')
  const allow = async (): Promise<string> => {
    const asked = await hand.ask({ tool: 'Bash', title: 'Drop the tables', input: 'drop tables' })
    const outcome = await live.link().command(hand.stream, 'approval.decide', { ...asked, verdict: 'allow' })
    expect(outcome).toMatchObject({ ok: true })
    return asked.approval
  }
  const [first, second] = [await allow(), await allow()]
  await scene.open(hand.session)
  await page.getByText('✓ Allowed by You').first().waitFor()
  // In contact it is there within milliseconds: nothing is offered.
  expect(await page.getByRole('button', { name: 'Take back' }).count()).toBe(0)
  await hand.report({
    type: 'session.state_changed',
    data: { from: 'active', to: 'paused', reason: 'requested', pause: { kind: 'frozen' } },
    body: {},
  })
  await page.getByText('the agent hears it when it goes on').first().waitFor()
  await photograph(page, 'take-back', [390, 1440])
  await page.getByRole('button', { name: 'Take back' }).first().click()
  await page.getByText('taken back by You').waitFor()
  await expect.poll(() => page.getByRole('button', { name: 'Take back' }).count()).toBe(1)
  await page.getByRole('button', { name: 'Take back' }).click()
  await expect.poll(() => page.getByText('taken back by You').count()).toBe(2)

  await hand.report(
    { type: 'approval.dispatch_refused', data: { approval: first, reason: 'recalled' } },
    { type: 'approval.dispatched', data: { approval: second } },
  )
  await page.getByText('taken back by You; the agent was told no').waitFor()
  await page.getByText('taken back by You, too late: the agent had the answer').waitFor()
  await photograph(page, 'taken-back', [390, 1440])
})
