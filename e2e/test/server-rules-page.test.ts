import { httpRequest } from '@hotline/client/http-request'
import type { CommandInput } from '@hotline/protocol/command'
import { serverStream } from '@hotline/protocol/stream'
import type { PolicyPage } from '@hotline/protocol/policy'
import { waitFor } from '@hotline/testing/wait-for'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
let page: Page
beforeAll(async () => {
  scene = await openPageScene()
  page = scene.page
  const { url, token } = scene.live
  const body = { password: 'a long walk over the wet meadow' }
  const said = await httpRequest(url, { kind: 'token', token }, 'POST', '/api/auth/confirm', body)
  expect(said.ok).toBe(true)
})
beforeEach(() => resize(page, 1440))
afterAll(() => scene[Symbol.asyncDispose]())

async function write(stream: string, data: CommandInput<'policy.set_rule'>): Promise<string> {
  const outcome = await scene.live.link().command(stream, 'policy.set_rule', data)
  if (!outcome.ok) throw new Error(outcome.problem.detail)
  return outcome.accepted.id
}

async function policyOf(path: string): Promise<PolicyPage> {
  const { url, token } = scene.live
  const answer = await httpRequest<PolicyPage>(url, { kind: 'token', token }, 'GET', path)
  if (!answer.ok) throw new Error(answer.problem.detail)
  return answer.value
}

it('[G160] rules of the server stand marked in the project, where nobody revokes them, and are revoked where they are', async () => {
  const { live } = scene
  await write(serverStream, { effect: 'deny', match: { command: ['npm', 'publish'] }, note: 'Ask the release team.' })
  await write('project:default', {
    effect: 'allow',
    match: { agent: 'demo', tool: 'Bash', does: 'run', command: ['npm', 'publish', 'x'] },
  })
  const hand = await live.startSession('Publishes')
  await hand.ask({ tool: 'Bash', title: 'Publish', input: JSON.stringify({ command: 'npm publish' }), cwd: '/src' })
  await scene.open(hand.session)
  await page.getByText('✗ Denied by a rule of the server').waitFor()

  await page.goto(`${live.proxyUrl}/settings`)
  const here = page.getByRole('region', { name: 'Rules' })
  const line = here.getByRole('listitem').first()
  await line.getByText('Of the server · You').waitFor()
  await line.getByText(/A rule of this server denies it: .*Ask the release team\./).waitFor()
  expect(await line.getByRole('button').count()).toBe(0)
  const own = here.getByRole('listitem').last()
  await own.getByText('Look at it again: Some of it is denied by another rule').waitFor()
  expect(await own.getByRole('button', { name: /^Revoke/ }).count()).toBe(1)
  for (const width of [390, 1440]) {
    await resize(page, width)
    await own.scrollIntoViewIfNeeded()
    await photograph(page, 'server-rule-in-project', [width])
  }

  await resize(page, 1440)
  const everywhere = page.getByRole('region', { name: 'In all projects' })
  await everywhere.getByRole('button', { name: /^Revoke: Deny/ }).scrollIntoViewIfNeeded()
  await photograph(page, 'server-rules', [390, 1440])
  await resize(page, 1440)
  await everywhere.getByRole('button', { name: /^Revoke: Deny/ }).click()
  await everywhere.getByRole('button', { name: 'Revoke it' }).click()
  await everywhere.getByText(/^None yet/).waitFor()
})

it('[G163] a rule is written in the settings, for one project or for all, and what cannot be one is said', async () => {
  await page.goto(`${scene.live.proxyUrl}/settings`)
  const everywhere = page.getByRole('region', { name: 'In all projects' })
  await everywhere.getByText('Write a rule …').click()
  const form = everywhere.getByRole('form', { name: 'Write a rule' })
  await form.getByLabel('As it is written').fill('terraform destroy | tee log')
  await form.getByRole('button', { name: 'Write it' }).click()
  await form.getByRole('alert').getByText('It is no plain command').waitFor()
  await form.getByLabel('As it is written').fill('terraform destroy')
  await form.getByLabel('Why, for the agent').fill('Ask the platform team.')
  for (const width of [390, 1440]) {
    await resize(page, width)
    await form.getByRole('button', { name: 'Write it' }).scrollIntoViewIfNeeded()
    await photograph(page, 'rule-form', [width])
  }
  await form.getByRole('button', { name: 'Write it' }).click()
  const line = everywhere.getByRole('listitem').filter({ hasText: 'Deny commands with: terraform destroy' })
  await line.getByText('Ask the platform team.').waitFor()
  expect(await form.getByLabel('As it is written').inputValue()).toBe('')

  const here = page.getByRole('region', { name: 'Rules' })
  await here.getByText('Write a rule …').click()
  const own = here.getByRole('form', { name: 'Write a rule' })
  await own.getByLabel('What happens').selectOption('Allow')
  await own.getByLabel('About').selectOption('a file, or a folder with / at its end')
  await own.getByLabel('As it is written').fill('src/*')
  await own.getByRole('button', { name: 'Write it' }).click()
  await own.getByRole('alert').getByText('looks like a pattern').waitFor()
  await own.getByLabel('As it is written').fill('src/')
  await own.getByRole('button', { name: 'Write it' }).click()
  await here.getByText(/^Allow all in "src\/", until/).waitFor()
  await line.getByRole('button', { name: /^Revoke/ }).click()
  await everywhere.getByRole('button', { name: 'Revoke it' }).click()
  await line.waitFor({ state: 'detached' })
})

it('[G164] a rule is edited in its place: what it becomes is shown, and what has no field stays', async () => {
  await write('project:default', { effect: 'ask', match: { agent: 'demo', tool: 'Bash', command: ['make', 'it'] } })
  await write('project:default', { effect: 'deny', match: { command: ['halt'] } })
  await write('project:default', { effect: 'ask', match: { does: 'fetch' }, note: 'No field says this.' })
  await page.goto(`${scene.live.proxyUrl}/settings`)
  const here = page.getByRole('region', { name: 'Rules' })
  const words = async (): Promise<readonly string[]> => {
    const labels = here.getByRole('button', { name: /^Revoke: / })
    return Promise.all((await labels.all()).map(async (one) => (await one.getAttribute('aria-label')) ?? ''))
  }
  await here.getByRole('button', { name: /^Edit: Ask about commands with: make it/ }).click()
  const place = (await words()).findIndex((text) => text.includes('halt'))
  const form = here.getByRole('form', { name: 'Edit this rule' })
  expect(await form.getByLabel('As it is written').inputValue()).toBe('make it')
  await form.getByLabel('What happens').selectOption('Deny')
  await form.getByLabel('As it is written').fill('make | tee')
  await form.getByRole('button', { name: 'Save' }).click()
  await form.getByRole('alert').getByText('It is no plain command').waitFor()
  await form.getByLabel('As it is written').fill('make all')
  await form.getByLabel('Why, for the agent').fill('Build what you need.')
  await form.getByText('Deny commands with: make all, with the tool "Bash", asked by "demo"').waitFor()
  for (const width of [390, 1440]) {
    await resize(page, width)
    await form.getByRole('button', { name: 'Save' }).scrollIntoViewIfNeeded()
    await photograph(page, 'rule-edit', [width])
  }
  await form.getByRole('button', { name: 'Save' }).click()
  const line = here.getByRole('listitem').filter({ hasText: 'Deny commands with: make all' })
  await line.getByText('You, edited').waitFor()
  expect((await words())[place]).toContain('make all')
  expect((await words())[place + 1]).toContain('halt')

  await here.getByRole('button', { name: /^Edit: Ask about reaching the network/ }).click()
  await here.getByText(/^This form has no field.* hotline policy edit \S+ --project default …/).waitFor()
  await here.getByRole('button', { name: 'Leave it' }).click()
})

it('[G164] where somebody else was first nothing is written, and it is said what stands there', async () => {
  const replaces = await write('project:default', { effect: 'deny', match: { host: 'one.example' } })
  await page.goto(`${scene.live.proxyUrl}/settings`)
  const here = page.getByRole('region', { name: 'Rules' })
  await here.getByRole('button', { name: /^Edit: Deny the host "one.example"/ }).click()
  await write('project:default', { effect: 'ask', match: { host: 'three.example' }, replaces })
  const form = here.getByRole('form', { name: 'Edit this rule' })
  await form.getByLabel('As it is written').fill('two.example')
  await form.getByRole('button', { name: 'Save' }).click()
  await form.getByRole('alert').getByText('In its place stands: Ask about the host "three.example"').waitFor()
})

it('[G165] a rule is moved up and down by keys and by touch, and the keyboard stays with it', async () => {
  const hosts = ['one.example', 'two.example', 'six.example']
  for (const host of hosts) await write(serverStream, { effect: 'ask', match: { host } })
  await page.goto(`${scene.live.proxyUrl}/settings`)
  const everywhere = page.getByRole('region', { name: 'In all projects' })
  const order = async (): Promise<readonly string[]> =>
    (await everywhere.getByRole('listitem').allInnerTexts()).flatMap((text) => /"(\w+)\.example"/.exec(text)?.[1] ?? [])
  const became = (wanted: readonly string[]) =>
    waitFor(async () => (await order()).join() === wanted.join(), { what: wanted.join() })
  const button = (way: string, host: string) =>
    everywhere.getByRole('button', { name: new RegExp(`^Move ${way}, .*"${host}"`) })
  await button('up', 'six.example').press('Enter')
  await became(['one', 'six', 'two'])
  await waitFor(() => button('up', 'six.example').evaluate((one) => one.matches(':focus')), {
    what: 'the keyboard to stay',
  })
  await page.keyboard.press('Enter')
  await became(['six', 'one', 'two'])
  await button('down', 'one.example').click()
  await became(['six', 'two', 'one'])
  const { rules } = await policyOf('/api/policy')
  expect(rules.flatMap(({ match: { host } }) => host ?? [])).toEqual(['six.example', 'two.example', 'one.example'])
  for (const width of [390, 1440]) {
    await resize(page, width)
    await button('up', 'two.example').scrollIntoViewIfNeeded()
    await photograph(page, 'rule-order', [width])
  }
  await resize(page, 1440)
  // Somebody else takes away the one that it would stand before.
  const [, two] = rules
  await scene.live.link().command(serverStream, 'policy.revoke_rule', { rule: two?.rule ?? '', effect: 'ask' })
  await button('up', 'one.example').click()
  await everywhere.getByRole('alert').getByText('There is no such rule').waitFor()
  await became(['six', 'one'])
})

it('[G161] how long people have is said by risk, in plain words, and counts from then on', async () => {
  const { live } = scene
  await page.goto(`${live.proxyUrl}/settings`)
  const rules = page.getByRole('region', { name: 'Rules' })
  await rules.getByText(/^People have 1 day to answer; a session/).waitFor()
  await rules.getByText('Change these times …').click()
  const form = rules.getByRole('form', { name: 'Time to answer' })
  await form.getByLabel('Usually').selectOption('8 hours')
  await form.getByLabel('Of high risk').selectOption('30 minutes')
  await form.scrollIntoViewIfNeeded()
  await photograph(page, 'rule-times', [390, 1440])
  await resize(page, 1440)
  await form.getByRole('button', { name: 'Save' }).click()
  await rules.getByText(/^People have 8 hours to answer, 30 minutes where the risk is high;/).waitFor()
  const hand = await live.startSession('In a hurry')
  await hand.ask({ tool: 'Bash', title: 'Drop it', input: JSON.stringify({ command: 'rm -rf x' }), cwd: '/src' })
  await scene.open(hand.session)
  const card = page.getByRole('article').filter({ hasText: 'rm -rf x' })
  await card.getByText(/^(29|30):\d\d left/).waitFor()

  await page.goto(`${live.proxyUrl}/settings`)
  await rules.getByText('Change these times …').click()
  await form.getByLabel('Usually').selectOption('as on the whole server')
  await form.getByLabel('Of high risk').selectOption('as usual')
  await form.getByRole('button', { name: 'Save' }).click()
  await rules.getByText(/^People have 1 day to answer; a session/).waitFor()
})

it('[G162] from the rules a link leads to who wrote and revoked which, in the audit', async () => {
  const { live } = scene
  await write(serverStream, { effect: 'ask', match: { does: 'fetch' } })
  await write('project:default', { effect: 'deny', match: { command: ['shutdown'] } })
  const history = async (region: string): Promise<readonly string[]> => {
    await page.goto(`${live.proxyUrl}/settings`)
    await page.getByRole('region', { name: region }).getByRole('link', { name: 'Who wrote and revoked which' }).click()
    await page.getByRole('heading', { name: 'Audit' }).waitFor()
    await page.locator('.audit-lines[aria-busy="false"] > li').first().waitFor()
    return page.locator('.audit-lines > li .what').allInnerTexts()
  }
  const all = await history('Rules')
  expect(await page.getByLabel('About').inputValue()).toBe('rule')
  expect(all[0]).toMatch(/^rule \S+ denies$/)
  const everywhere = await history('In all projects')
  expect(everywhere[0]).toMatch(/^rule \S+ asks, in all projects/)
  expect(everywhere.every((text) => text.includes('in all projects'))).toBe(true)
})
