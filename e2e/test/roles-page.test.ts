import { uuidV7 } from '@hotline/client/uuid'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
})
beforeEach(() => resize(page, 1440))
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

type Call = (path: string, data?: object) => Promise<Record<string, string>>

/** Calls as whoever has the cookies of a browser. */
function caller(context: BrowserContext): Call {
  return async (path, data) => {
    const url = `${scene.live.proxyUrl}${path}`
    const headers = { origin: scene.live.proxyUrl }
    const answer = await context.request.fetch(url, data ? { method: 'POST', headers, data } : { headers })
    if (!answer.ok()) throw new Error(`${path}: ${await answer.text()}`)
    return (await answer.json()) as Record<string, string>
  }
}

/** Another owner of the project, in a browser of their own. */
async function anotherOwner(context: BrowserContext): Promise<Call> {
  const who = { name: 'boss', password: 'nine slow barges under the bridge' }
  const { account } = await caller(scene.context)('/api/accounts', who)
  const id = uuidV7()
  const data = { account, role: 'owner' }
  await caller(scene.context)('/api/commands', { id, stream: 'project:default', type: 'member.add', data })
  const call = caller(context)
  await call('/api/auth/sign-in', who)
  return call
}

const schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', title: 'Name', minLength: 2 },
    retries: { type: 'integer', title: 'Retries', default: 3 },
    limit: { type: 'integer', title: 'Limit' },
    level: { enum: ['low', 'high'], title: 'Level' },
    sure: { type: 'boolean', title: 'Sure' },
    tags: { type: 'array', title: 'Tags', items: { enum: ['blue', 'green'] } },
    free: { type: 'object', title: 'Free' },
  },
}

async function askQuestion(title: string): Promise<{ session: string; question: string }> {
  const hand = await scene.live.startSession(title)
  const question = uuidV7()
  await hand.report({ type: 'question.asked', data: { question }, body: { text: 'What shall it be?', schema } })
  return { session: hand.session, question }
}

async function answered(session: string): Promise<unknown> {
  const event = (await scene.live.stored(session)).find(({ type }) => type === 'question.answered')
  return event?.body?.['content']
}

describe('a question', () => {
  it('[G51] is answered with what was filled in, and with nothing else', async () => {
    const { session } = await askQuestion('Some of it')
    await scene.open(session)
    const card = page.getByRole('article', { name: 'Needs you: a question' })
    await card.getByLabel('Name').fill('Ada')
    expect(await card.getByLabel('Retries').inputValue()).toBe('3')
    await photograph(page, 'question', [390, 1440])
    await card.getByRole('button', { name: 'Answer' }).click()
    await page.getByText('Answered', { exact: true }).waitFor()
    expect(await answered(session)).toEqual({ name: 'Ada', retries: 3 })
  })

  it('[G51] is answered with everything', async () => {
    const { session } = await askQuestion('All of it')
    await scene.open(session)
    const card = page.getByRole('article', { name: 'Needs you: a question' })
    await card.getByLabel('Name').fill('Ada')
    await card.getByLabel('Retries').fill('')
    await card.getByLabel('Limit').fill('7')
    await card.getByRole('group', { name: 'Level' }).getByLabel('high').check()
    await card.getByRole('group', { name: 'Sure' }).getByLabel('No', { exact: true }).check()
    await card.getByLabel('green').check()
    await card.getByLabel('Free').fill('{"a":')
    await card.getByRole('button', { name: 'Answer' }).click()
    await card.getByRole('alert').getByText('"Free" is not JSON.').waitFor()
    expect(await answered(session)).toBeUndefined()
    await card.getByLabel('Free').fill('{"a":1}')
    await card.getByRole('button', { name: 'Answer' }).click()
    await page.getByText('Answered', { exact: true }).waitFor()
    const content = { name: 'Ada', limit: 7, level: 'high', sure: false, tags: ['green'], free: { a: 1 } }
    expect(await answered(session)).toEqual(content)
  })
})

describe('rights in the page', () => {
  it('[G52] [G53] [G123] [G130] [G131] [S23] a refusal is said, and what is not allowed is not offered', async () => {
    const hand = await scene.live.startSession('Ends elsewhere')
    const question = uuidV7()
    await hand.report({ type: 'question.asked', data: { question }, body: { text: 'Still there?' } })
    await scene.open(hand.session)
    const card = page.getByRole('article', { name: 'Needs you: a question' })
    await card.waitFor()
    // Meanwhile the right is gone: the page does not know it yet.
    const { id: mine } = await caller(scene.context)('/api/me')
    await using elsewhere = await scene.context.browser()?.newContext()
    if (!elsewhere) throw new Error('there is no browser')
    const boss = await anotherOwner(elsewhere)
    const make = (role: string): ReturnType<Call> => {
      const data = { account: mine, role }
      return boss('/api/commands', { id: uuidV7(), stream: 'project:default', type: 'member.change', data })
    }
    await make('viewer')
    await card.getByRole('button', { name: 'Answer' }).click()
    await card
      .getByRole('alert')
      .getByText(/Your role here is viewer/)
      .waitFor()
    expect(await card.getByRole('button', { name: 'Answer' }).isEnabled()).toBe(true)
    await page.getByRole('button', { name: 'End', exact: true }).click()
    await page.getByRole('button', { name: 'End the agent for good?' }).click()
    await page
      .getByRole('alert')
      .getByText(/"session.abort" needs the right to write/)
      .waitFor()

    // The next page knows it.
    await hand.ask({ tool: 'Bash', title: 'Run a command', input: 'ls' })
    const send = (stream: string, type: string, data: object): ReturnType<Call> =>
      boss('/api/commands', { id: uuidV7(), stream, type, data })
    await send(hand.stream, 'policy.set_mode', { mode: 'hands_free' })
    await send('project:default', 'policy.set_rule', { effect: 'deny', match: { command: ['git', 'push'] } })
    await page.reload()
    await page.getByText('Your role may not decide; an approver does.').waitFor()
    expect(await page.getByRole('button', { name: /^(Allow|Deny|Answer|End|Decline|Stop turn)/ }).count()).toBe(0)
    expect(await page.getByLabel('Message to the agent').isDisabled()).toBe(true)
    // That something is not asked is for everybody to see, and not for everybody to end.
    await page.getByRole('region', { name: 'What is not asked' }).getByText('by boss').waitFor()
    expect(await page.getByRole('button', { name: 'Ask for everything' }).count()).toBe(0)
    expect(await page.locator('.asked').getByText('Change it …').count()).toBe(0)
    await photograph(page, 'viewer', [390, 1440])

    // Who decides, but may not allow what could do lasting harm.
    await make('approver')
    await hand.ask({ tool: 'Bash', title: 'Publish it', input: 'npm publish' })
    await page.reload()
    const risky = page.getByRole('article', { name: 'Needs you: Publish it' })
    await risky.getByText('Your role may deny it; an admin or owner of the project may allow it.').waitFor()
    expect(await risky.getByRole('button', { name: /^Allow/ }).isDisabled()).toBe(true)
    await risky.getByRole('button', { name: /^Deny/ }).click()
    await page.getByText('✗ Denied by You').waitFor()
    // The page says so before the server does.
    const denied = async (): Promise<boolean> =>
      (await scene.live.stored(hand.session)).some(
        ({ type, data }) => type === 'approval.resolved' && data['outcome'] === 'denied',
      )
    await expect.poll(denied).toBe(true)
    await make('viewer')
    await page.reload()
    // What the page has kept of the visit before may still ask the other one, for a moment.
    await page
      .getByRole('article', { name: 'Needs you: Run a command' })
      .getByText('Your role may not decide; an approver does.')
      .waitFor()
    const ruled = await scene.context.newPage()
    await ruled.goto(`${scene.live.proxyUrl}/settings`)
    const rules = ruled.getByRole('region', { name: 'Rules' })
    await rules.getByText('Deny commands with: git push').first().waitFor()
    expect(await rules.getByRole('button').count()).toBe(0)
    await ruled.close()
    await page.getByRole('tab', { name: 'Console' }).click()
    const panel = page.getByRole('region', { name: 'Console' })
    await panel.getByText('Connected').waitFor()
    expect(await panel.getByRole('button').count()).toBe(0)
    await hand.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_lost' },
      body: {},
    })
    await page.getByText('its machine is out of contact', { exact: false }).waitFor()
    expect(await page.getByRole('button', { name: 'Go on upon another machine' }).count()).toBe(0)
    await make('owner')
  })
})
