import type { Report } from '@hotline/protocol/commands/agent'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

/** The control that was asked for last. */
async function asked(session: string): Promise<Record<string, unknown>> {
  const requested = (await scene.live.stored(session)).filter(({ type }) => type === 'control.requested')
  return requested.at(-1)?.data ?? {}
}

describe('pausing in the page', () => {
  it('[G90] Freeze now and Pause after this step say what holds, and Resume ends both', async () => {
    const hand = await scene.live.startSession('An agent to hold')
    await hand.report({ type: 'session.profile_changed', data: { pid: 4_711, reach: 'scan' } })
    await scene.open(hand.session)
    const { page } = scene
    const context = page.getByRole('complementary', { name: 'What is known about this session' })
    await context.getByText('what can be found of it').waitFor()
    await context.getByRole('button', { name: 'Pause after this step' }).click()
    await context.getByText('pauses after this step', { exact: false }).first().waitFor()
    const wish = await asked(hand.session)
    expect(wish).toMatchObject({ action: 'pause', when: 'next_step' })
    const paused = { from: 'active', to: 'paused', reason: 'requested' } as const
    await hand.report(
      { type: 'control.done', data: { control: wish['control'], action: 'pause', kind: 'held' } },
      { type: 'session.state_changed', data: paused, body: {} },
    )
    await context.getByText('paused before its next step').waitFor()
    await context.getByRole('button', { name: 'Freeze now' }).click()
    await page.getByText('Freeze now …').waitFor()
    const { control } = await asked(hand.session)
    const evidence = { kind: 'frozen', reach: 'scan', processes: 6 }
    await hand.report({ type: 'control.done', data: { control, action: 'pause', ...evidence } })
    await context.getByText('6 processes stand still; what hides from its machine may go on').waitFor()
    expect(await page.getByRole('button', { name: /^(Freeze now|Stop turn)/ }).count()).toBe(0)
    await photograph(page, 'frozen', [390, 1440])
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('Resume …').waitFor()
    const going = await asked(hand.session)
    await hand.report(
      { type: 'control.done', data: { control: going['control'], action: 'resume' } },
      { type: 'session.state_changed', data: { from: 'paused', to: 'active', reason: 'requested' }, body: {} },
    )
    await page.getByText(/^Goes on/).waitFor()
    await context.getByRole('button', { name: 'Freeze now' }).waitFor()
  })

  it('[G100] the console says what came of each command, and has what was typed there again after a reload', async () => {
    const hand = await scene.live.startSession('An agent to command')
    await scene.open(hand.session)
    const { page } = scene
    await page.getByRole('tab', { name: 'Console' }).click()
    const panel = page.getByRole('region', { name: 'Console' })
    const line = panel.getByLabel('Command', { exact: true })
    const type = async (text: string): Promise<void> => {
      await line.fill(text)
      await line.press('Enter')
    }
    const row = (...texts: string[]) =>
      texts.reduce((rows, text) => rows.filter({ hasText: text }), panel.locator('.rows > li'))
    await panel.getByText('Connected').waitFor()
    await type('resume')
    await row('resume', 'You, here', 'refused: The session is active').waitFor()
    await type('pause')
    await row('pause', 'You', 'accepted, under way').waitFor()
    const { control } = await asked(hand.session)
    await hand.report({
      type: 'control.done',
      data: { control, action: 'pause', kind: 'frozen', reach: 'cgroup', processes: 2 },
    })
    await row('pause', 'done: 2 processes stand still').waitFor()
    await type('send go on')
    await row('send go on', 'accepted, waits for the agent').waitFor()
    await panel.getByRole('button', { name: 'State' }).click()
    await row('state', 'active, idle since').waitFor()
    await photograph(page, 'console', [390, 1440])
    await page.reload()
    await page.getByRole('tab', { name: 'Console' }).click()
    await row('resume', 'refused').waitFor()
    const back: string[] = []
    for (let times = 0; times < 5; times += 1) {
      await line.press('ArrowUp')
      back.push(await line.inputValue())
    }
    expect(back).toEqual(['state', 'send go on', 'pause', 'resume', 'resume'])
    await line.press('ArrowDown')
    expect(await line.inputValue()).toBe('pause')
    await panel.getByRole('button', { name: 'Kill' }).click()
    await panel.getByRole('button', { name: 'Kill it for good?' }).click()
    await row('kill', 'accepted, under way').waitFor()
    expect(await asked(hand.session)).toMatchObject({ action: 'kill' })
  })

  it('[G95] the same call again and again is told with a button that holds the agent', async () => {
    const hand = await scene.live.startSession('An agent that repeats itself')
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      ...[1, 2, 3, 4, 5].flatMap((number): Report[] => [
        {
          type: 'step.started',
          data: { step: `s${number}`, kind: 'execute' },
          body: { title: 'npm test', input: { command: 'npm test' } },
        },
        { type: 'step.finished', data: { step: `s${number}`, outcome: 'failed' }, body: {} },
      ]),
      { type: 'loop.noticed', data: { step: 's5', times: 5 }, body: { title: 'npm test' } },
    )
    await scene.open(hand.session)
    const { page } = scene
    const notice = page.locator('.notice', { hasText: 'The same call 5 times in a row: npm test' })
    await notice.waitFor()
    await photograph(page, 'loop', [390, 1440])
    await notice.getByRole('button', { name: 'Pause after this step' }).click()
    await notice.getByRole('button').waitFor({ state: 'detached' })
    expect(await asked(hand.session)).toMatchObject({ action: 'pause', when: 'next_step' })
  })

  it('[P8] the time to answer stands while the session is paused, and its card says so', async () => {
    const hand = await scene.live.startSession('An agent that asks and is paused')
    const request = { tool: 'Bash', title: 'Run a command', input: 'npm publish', cwd: '/src/app' }
    await hand.ask(request)
    await hand.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'paused', reason: 'requested' },
      body: {},
    })
    await scene.open(hand.session)
    const { page } = scene
    const card = page.locator('.card').first()
    await card.getByText('its time stands while the session is paused').waitFor()
    await photograph(page, 'paused-card', [390, 1440])
    await hand.report({
      type: 'session.state_changed',
      data: { from: 'paused', to: 'active', reason: 'requested' },
      body: {},
    })
    await card.getByText(/ left$/).waitFor()
  })

  it('[G94] Stop turn becomes Stop harder while the agent is stopping, and what was ended for that is said', async () => {
    const hand = await scene.live.startSession('An agent that is slow to stop')
    await hand.report({ type: 'turn.started', data: { turn: 't1' } })
    await scene.open(hand.session)
    const { page } = scene
    await page.getByRole('button', { name: /^Stop turn/ }).click()
    const harder = page.getByRole('button', { name: /^Stop harder/ })
    await harder.waitFor()
    const soft = await asked(hand.session)
    expect(soft).toMatchObject({ action: 'interrupt' })
    await photograph(page, 'stop-harder', [390, 1440])
    await harder.click()
    await page.getByRole('button', { name: /^Stopping/, disabled: true }).waitFor()
    const hard = await asked(hand.session)
    expect(hard).toMatchObject({ action: 'interrupt', hard: true })
    const of = { control: hard['control'], action: 'interrupt' }
    await hand.report({ type: 'control.escalated', data: { ...of, processes: 2, afterMs: 900 } })
    await page
      .getByText('Stop this turn harder · 2 processes that the agent had started in this turn were ended')
      .waitFor()
    await hand.report(
      { type: 'turn.ended', data: { turn: 't1', end: 'cancelled' }, body: {} },
      { type: 'control.done', data: { ...of, control: soft['control'] } },
      { type: 'control.done', data: of },
    )
    await page.getByRole('button', { name: /^Stop/ }).waitFor({ state: 'detached' })
  })
})
