import { openBrowser } from '@hotline/testing/browser'
import { openTempDir } from '@hotline/testing/temp-dir'
import { describe, expect, it } from 'vitest'
import { startServerProcess } from '../src/faults/server-process.ts'

describe('settings', () => {
  it('[A10] a token that needs the password asks for it on the spot, and is made then', async () => {
    await using dir = await openTempDir('hotline-settings-')
    await using server = await startServerProcess({ dir: dir.path })
    await using browser = await openBrowser()
    const page = await browser.newPage()
    const { name, password } = server.owner
    const signedIn = await page.request.post(`${server.url}/api/auth/sign-in`, {
      data: { name, password },
      headers: { origin: server.url },
    })
    expect(signedIn.status()).toBe(200)
    // A restart forgets when the password was said last, as five minutes do.
    await server.kill()
    expect(await server.start()).toBe('ready')

    await page.goto(`${server.url}/settings`)
    await page.getByLabel('Name of the token').fill('laptop')
    await page.getByRole('button', { name: 'New personal token' }).click()
    const confirm = page.getByRole('form', { name: 'Confirm your password' })
    await confirm.getByLabel(/Your password, to make “laptop”/).fill('not my password')
    await confirm.getByRole('button', { name: 'Confirm' }).click()
    await page.getByRole('alert').getByText('The current password is wrong.').waitFor()
    await confirm.getByLabel(/Your password, to make “laptop”/).fill(password)
    await page.keyboard.press('Enter')
    await page.getByText('Copy it now, it is not shown again:').waitFor()
    expect(await page.locator('code').innerText()).toMatch(/^hl_pat_/)
    await confirm.waitFor({ state: 'detached' })
    await expect.poll(() => page.getByRole('alert').count()).toBe(0)

    // Within the next minutes it is not asked for again.
    await page.getByLabel('Name of the token').fill('phone')
    await page.getByRole('button', { name: 'New personal token' }).click()
    await page.getByRole('cell', { name: 'phone' }).waitFor()
    expect(await confirm.count()).toBe(0)
  })
})
