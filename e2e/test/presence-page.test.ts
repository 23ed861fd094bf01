import { httpRequest } from '@hotline/client/http-request'
import type { Ephemeral, Link } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

/** As the signed-in person of the page, or as somebody else with their cookie. */
async function post(
  path: string,
  data: object,
  cookie?: string,
): Promise<{ body: Record<string, string>; cookie: string }> {
  const { proxyUrl } = scene.live
  const own = (await scene.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  const answer = await fetch(new URL(path, proxyUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: proxyUrl, cookie: cookie ?? own },
    body: JSON.stringify(data),
  })
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
  return {
    body: (await answer.json()) as Record<string, string>,
    cookie: answer.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '',
  }
}

/** A colleague in the same project, on the command line. */
async function openColleague(): Promise<Link> {
  const who = { name: 'sam', password: 'nine slow barges under the bridge' }
  const { account } = (await post('/api/accounts', who)).body
  const data = { account, role: 'operator' }
  await post('/api/commands', { id: uuidV7(), stream: 'project:default', type: 'member.add', data })
  const { cookie } = await post('/api/auth/sign-in', who, '')
  const { token } = (await post('/api/keys', { kind: 'pat', name: 'here' }, cookie)).body
  return scene.live.link({ credential: { kind: 'token', token: token ?? '' } })
}

describe('who else is here', () => {
  it('[G27] a colleague who watches and types is shown while they do, and so is one to them', async () => {
    const hand = await scene.live.startSession('Seen by two')
    const sam = await openColleague()
    const heard: Ephemeral[] = []
    sam.ephemeral((frame) => heard.push(frame))
    await page.reload()
    await page.getByText('Seen by two').click()
    const aside = page.getByRole('complementary', { name: 'What is known about this session' })
    await aside.getByText('You', { exact: true }).waitFor()
    const follow = sam.follow(hand.stream, 'now', { events: () => undefined })
    await aside.getByText('You, sam').waitFor()
    const box = page.getByLabel('Message to the agent')
    await box.pressSequentially('So')
    await expect.poll(() => heard.some(({ kind }) => kind === 'typing')).toBe(true)
    sam.typing(hand.stream)
    await page.getByText('sam is typing …').waitFor()
    await photograph(page, 'typing', [390, 1440])
    await resize(page, 1440)
    await sam.command(hand.stream, 'message.send', { text: 'Here it is' })
    await page.getByText('Here it is').waitFor()
    await page.getByText('sam is typing …').waitFor({ state: 'detached' })
    follow.close()
    await aside.getByText('You', { exact: true }).waitFor()
    const logged = await scene.live.stored(hand.session)
    expect(logged.filter(({ type }) => /typing|watching/.test(type))).toEqual([])
  })

  it('[G13] [G32] tokens, cost, what goes on, why it is so and the changed files are shown', async () => {
    const hand = await scene.live.startSession('Costs something')
    const change = (path: string): { path: string; newText: string } => ({ path, newText: 'new' })
    const step = { turn: 't1', kind: 'edit' as const }
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      { type: 'step.started', data: { step: 's1', ...step }, body: { title: 'Edit two files' } },
      {
        type: 'step.finished',
        data: { step: 's1', outcome: 'done' },
        body: { changes: [change('/home/dana/a/very/long/way/to/the/place/src/auth.ts'), change('README.md')] },
      },
      { type: 'step.started', data: { step: 's2', ...step }, body: { title: 'Edit one again' } },
      { type: 'step.finished', data: { step: 's2', outcome: 'done' }, body: { changes: [change('README.md')] } },
      { type: 'usage.reported', data: { inputTokens: 40_000, outputTokens: 1_200 } },
      {
        type: 'usage.reported',
        data: { contextUsed: 52_000, contextSize: 200_000, cost: { amount: 0.32, currency: 'USD' } },
      },
    )
    await scene.open(hand.session)
    const aside = page.getByRole('complementary', { name: 'What is known about this session' })
    for (const text of ['41k', '52k of 200k', '$0.32', 'Files that its steps changed 2', 'auth.ts']) {
      await aside.getByText(text, { exact: true }).waitFor()
    }
    // The snapshot of the server knows it too, not only what this page has seen.
    const { url, token } = scene.live
    const path = `/api/sessions/${hand.session}`
    const snapshot = await httpRequest<{ state: object }>(url, { kind: 'token', token }, 'GET', path)
    expect(snapshot.ok && snapshot.value.state).toMatchObject({
      usage: { inputTokens: 40_000, contextUsed: 52_000, cost: { amount: 0.32 } },
    })
    await photograph(page, 'evidence', [390, 1440])
    await hand.report({
      type: 'step.started',
      data: { step: 's3', ...step },
      body: { title: 'Edit it', locations: ['src/auth.ts'] },
    })
    const line = page.locator('.evidence')
    await expect.poll(() => line.innerText()).toMatch(/^editing src\/auth\.ts · .*41k tokens · \$0\.32$/)
    await hand.report(
      { type: 'step.finished', data: { step: 's3', outcome: 'done' } },
      { type: 'turn.ended', data: { turn: 't1', end: 'end' } },
    )
    await page.getByText(/turn ended · .* · 2 files changed/).waitFor()
    await expect.poll(() => line.innerText()).toMatch(/^waits for you to write/)
    await hand.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_lost', exit: { code: null, signal: 'SIGKILL' } },
    })
    await aside.getByText('the agent is gone', { exact: true }).waitFor()
  })
})
