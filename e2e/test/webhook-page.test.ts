import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Link } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openColleague } from '../src/colleague.ts'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

/** Types of what was posted. */
const came: string[] = []
let status = 204
const receiver = createServer((request, response) => {
  void buffer(request).then((bytes) => {
    came.push((JSON.parse(bytes.toString('utf8')) as { type: string }).type)
    response.writeHead(status).end()
  })
})
let scene: PageScene
let target = ''
let link: Link
beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  target = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
  scene = await openPageScene({ env: { HOTLINE_WEBHOOK_TARGETS: target } })
  link = scene.live.link()
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})
beforeEach(() => {
  came.length = 0
  status = 204
})

const section = (page: Page) => page.getByRole('region', { name: 'Webhooks' })

async function makeCard(title: string): Promise<void> {
  const made = await link.command(`task:${uuidV7()}`, 'task.create', { project: 'default', title })
  expect(made).toMatchObject({ ok: true })
}

describe('webhooks in the settings', () => {
  it('[G181] one is added with the password, and its secret is shown once', async () => {
    const { page, live } = scene
    // A restart forgets when the password was said last, as five minutes do.
    await live.restart()
    await page.goto(`${live.proxyUrl}/settings`)
    const hooks = section(page)
    await hooks.getByText('None yet.').waitFor()
    await hooks.getByText('Add a webhook …').click()
    const form = hooks.getByRole('form', { name: 'Add a webhook' })
    await form.getByLabel('Address').fill('https://10.0.0.1/in')
    await form.getByLabel('What it is for').fill('for the board')
    await form.getByRole('button', { name: 'Add it' }).click()
    await form.getByRole('alert').getByText('Choose what is posted').waitFor()
    await form.getByLabel('Cards of the board').check()
    await form.getByRole('button', { name: 'Add it' }).click()
    await form.getByLabel(/^Your password/).fill('a long walk over the wet meadow')
    await form.getByRole('button', { name: 'Add it' }).click()
    // Nothing of one's own networks.
    await form.getByRole('alert').waitFor()
    expect(await form.getByLabel('Address').inputValue()).toBe('https://10.0.0.1/in')
    await photograph(page, 'webhook-new', [390, 1440])
    await form.getByLabel('Address').fill(`http://${target}/in`)
    await form.getByRole('button', { name: 'Add it' }).click()
    const secret = hooks.getByRole('status').locator('code')
    expect(await secret.innerText()).toMatch(/^whsec_/)
    await photograph(page, 'webhook-secret', [390, 1440])
    await hooks.getByRole('button', { name: 'I have kept it' }).click()
    await secret.waitFor({ state: 'detached' })
    await makeCard('Posted')
    await expect.poll(() => came).toContain('task.created')
  })

  it('[G182] it is tried, changed, turned off and on, and given a new secret', async () => {
    const { page } = scene
    const hooks = section(page)
    await hooks.getByRole('button', { name: /^Test / }).click()
    await hooks.getByText('Test: It was taken.').waitFor()
    status = 500
    await hooks.getByRole('button', { name: /^Test / }).click()
    await hooks.getByText(/Test: It was not taken: .*500/).waitFor()

    await hooks.getByRole('button', { name: /^Change …/ }).click()
    const form = hooks.getByRole('form', { name: 'Change this webhook' })
    expect(await form.getByLabel('Cards of the board').isChecked()).toBe(true)
    await form.getByLabel('Other types of events, divided by blanks').fill('member.*')
    await form.getByRole('button', { name: 'Save' }).click()
    await hooks.getByText('task.* member.*').waitFor()

    await hooks.getByRole('button', { name: /^Turn off …/ }).click()
    await hooks.getByText('Nothing is posted until it is turned on again.').waitFor()
    await hooks.getByRole('button', { name: 'Turn it off' }).click()
    await hooks.getByText('Off ·').waitFor()
    await hooks.getByRole('button', { name: /^Turn on …/ }).click()
    await hooks.getByRole('button', { name: 'Turn it on' }).click()
    await hooks.getByText('Off ·').waitFor({ state: 'detached' })

    await hooks.getByRole('button', { name: /^New secret …/ }).click()
    await hooks.getByText('For 24 hours posts are signed with the old secret too.').waitFor()
    await hooks.getByRole('button', { name: 'Make a new secret' }).click()
    expect(await hooks.getByRole('status').locator('code').innerText()).toMatch(/^whsec_/)
    await hooks.getByRole('button', { name: 'I have kept it' }).click()
    await photograph(page, 'webhooks', [390, 1440])
  })

  it('[G183] what has not arrived says why, and when it is tried again', async () => {
    const { page } = scene
    const hooks = section(page)
    status = 503
    await makeCard('Refused')
    await expect.poll(() => came).toContain('task.created')
    const missing = hooks.getByText('What has not arrived')
    await missing.click()
    await expect
      .poll(async () => {
        if (await hooks.getByText('Everything arrived').isVisible()) for (const _ of [1, 2]) await missing.click()
        return hooks.getByText(/Waits, tried once, again at/).count()
      })
      .toBe(1)
    await hooks.getByRole('link', { name: /^Event \d+ of a card/ }).waitFor()
    await photograph(page, 'webhook-undelivered', [390, 1440])
  })

  it('[G182] it is removed after the page said what that does', async () => {
    const { page } = scene
    const hooks = section(page)
    await hooks.getByRole('button', { name: /^Remove …/ }).click()
    await hooks.getByText('Nothing is posted there any more').waitFor()
    await hooks.getByRole('button', { name: 'Remove it' }).click()
    await hooks.getByText('None yet.').waitFor()
  })

  it('[G184] whoever administers no project sees nothing of webhooks', async () => {
    const sams = await openColleague(scene, 'sam', 'operator')
    await sams.goto(`${scene.live.proxyUrl}/settings`)
    await sams.getByRole('region', { name: 'Tokens' }).waitFor()
    expect(await section(sams).count()).toBe(0)
  })
})
