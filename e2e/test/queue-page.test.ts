import { uuidV7 } from '@hotline/client/uuid'
import { httpRequest } from '@hotline/client/http-request'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
afterAll(() => scene[Symbol.asyncDispose]())

const run = (command: string) => ({ tool: 'Bash', title: command, input: JSON.stringify({ command }), cwd: '/src/app' })

describe('an agent that asks for much at once', () => {
  it('[AQ8] shows five cards and how many wait behind them, and the next comes up when one is answered', async () => {
    const hand = await scene.live.startSession('Much at once')
    const asked = []
    for (let at = 1; at <= 8; at += 1) asked.push(await hand.ask(run(`npm run ${at}`)))
    await page.goto(`${scene.live.proxyUrl}/needs`)
    const list = page.getByRole('region', { name: 'What needs you' })
    const commands = (): Promise<string[]> => list.locator('.row .title').allInnerTexts()
    await expect.poll(commands).toEqual(['npm run 1', 'npm run 2', 'npm run 3', 'npm run 4', 'npm run 5'])
    await list.getByText('5 to allow or deny · 3 more wait behind them · the oldest was asked').waitFor()
    await list.getByText('npm run 1').click()
    await page.locator('.need').getByText('3 more wait behind these').waitFor()
    await photograph(page, 'queue-needs', [390, 1440])

    await scene.open(hand.session)
    await page.getByRole('article', { name: 'Needs you: npm run 5' }).waitFor()
    expect(await page.getByRole('article', { name: 'Needs you: npm run 6' }).count()).toBe(0)
    await page.getByText('3 more wait behind these; the next comes up when one is answered.').waitFor()
    await photograph(page, 'queue-session', [390, 1440])
    const [first] = asked
    const data = { ...first, verdict: 'deny' }
    const sent = { id: uuidV7(), stream: hand.stream, type: 'approval.decide', data }
    await httpRequest(scene.live.url, { kind: 'token', token: scene.live.token }, 'POST', '/api/commands', sent)
    await page.getByText('2 more wait behind these').waitFor()
    await page.getByRole('article', { name: 'Needs you: npm run 6' }).waitFor()
    expect(await page.getByRole('article', { name: 'Needs you: npm run 7' }).count()).toBe(0)

    await page.goto(`${scene.live.proxyUrl}/needs`)
    await list.getByText('2 more wait behind them · 1 answer is on the way to agents').waitFor()
    // What the agent has taken back leaves no line behind.
    const left = asked.slice(1).map(({ approval }) => ({
      type: 'approval.cancelled' as const,
      data: { approval, reason: 'agent_withdrew' },
    }))
    await hand.report({ type: 'approval.dispatched', data: { approval: first?.approval } }, ...left)
    await list.getByText('Nothing needs you').waitFor()
    expect(await list.getByText('to allow or deny').count()).toBe(0)
  })
})
