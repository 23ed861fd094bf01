import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

describe('tokens in the settings', () => {
  it('[G198] a key for a program is made with limits, listed with them, works, and is dead when it is revoked', async () => {
    const { page, live } = scene
    await page.goto(`${live.proxyUrl}/settings`)
    const tokens = page.getByRole('region', { name: 'Tokens' })
    const form = tokens.getByRole('form', { name: 'New token' })
    await form.getByLabel('Name of the token').fill('nightly')
    await form.getByLabel('Whose it is').selectOption('svc')
    await form.getByLabel('How long it counts').selectOption('30')
    await form.getByLabel('Limit what it may do, or where').check()
    // What is of high risk is no program's to allow.
    expect(await form.getByLabel('allow what is of high risk').count()).toBe(0)
    await form.getByLabel('read', { exact: true }).check()
    await form.getByLabel('My project').check()
    await photograph(page, 'new-key', [390, 1440])
    await form.getByRole('button', { name: 'Make a token' }).click()
    const token = await tokens.getByRole('status').locator('code').innerText()
    expect(token).toMatch(/^hl_svc_/)
    const line = tokens.getByRole('row').filter({ hasText: 'nightly' })
    await line.getByText(/API key.*read.*in My project.*until/).waitFor()
    await photograph(page, 'keys', [390, 1440])

    const headers = { authorization: `Bearer ${token}` }
    const reads = async (): Promise<number> => (await fetch(`${live.url}/api/sessions`, { headers })).status
    expect(await reads()).toBe(200)
    const written = await fetch(`${live.url}/api/keys`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{ "kind": "svc", "name": "more" }',
    })
    expect(written.status).toBe(403)
    await tokens.getByRole('button', { name: 'Revoke nightly' }).click()
    await line.waitFor({ state: 'detached' })
    expect(await reads()).toBe(401)
  })

  it('[G198] one for a machine takes no rights', async () => {
    const { page } = scene
    const form = page.getByRole('form', { name: 'New token' })
    await form.getByLabel('Name of the token').fill('build-1')
    await form.getByLabel('Whose it is').selectOption('run')
    await form.getByText('It carries agents, and decides nothing.').waitFor()
    expect(await form.getByLabel('read', { exact: true }).count()).toBe(0)
    await form.getByRole('button', { name: 'Make a token' }).click()
    await expect
      .poll(() => page.getByRole('region', { name: 'Tokens' }).getByRole('status').innerText())
      .toMatch(/hl_run_/)
  })
})
