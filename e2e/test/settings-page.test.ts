import { openBrowser } from '@hotline/testing/browser'
import { openTempDir } from '@hotline/testing/temp-dir'
import { describe, expect, it } from 'vitest'
import { startServerProcess } from '../src/faults/server-process.ts'
import { openPageScene, photograph, resize } from '../src/page-scene.ts'
import { signIn } from '../src/sign-in.ts'

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
    await page.getByRole('button', { name: 'Make a token' }).click()
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
    await page.getByRole('button', { name: 'Make a token' }).click()
    await page.getByRole('cell', { name: 'phone', exact: true }).waitFor()
    expect(await confirm.count()).toBe(0)
  })

  it('[A13] lists where one is signed in, and signs out of one browser or of all', { timeout: 120_000 }, async () => {
    await using scene = await openPageScene()
    const { page, live } = scene
    await using another = await openBrowser()
    const phone = await another.newPage({
      viewport: { width: 390, height: 844 },
      userAgent:
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    })
    const enterPhone = async (): Promise<void> => {
      await phone.goto(live.proxyUrl)
      await signIn(phone)
      await phone.getByRole('heading', { name: 'Sessions' }).waitFor()
    }
    await enterPhone()
    await page.goto(`${live.proxyUrl}/settings`)
    const place = page.getByRole('region', { name: 'Where you are signed in' })
    await place.getByText('Chrome on Linux · this one').waitFor()
    await place.getByText('Safari on iPhone').waitFor()
    await photograph(page, 'settings', [390, 1440])
    await resize(page, 1440)
    await place.getByRole('button', { name: /Sign out Safari on iPhone/ }).click()
    await expect.poll(() => place.getByText('Safari on iPhone').count()).toBe(0)
    // The phone is told without being touched.
    await phone.getByRole('alert').getByRole('button', { name: 'Sign in' }).click()
    await phone.getByRole('heading', { name: 'Sign in to Hotline' }).waitFor()
    await enterPhone()
    await place.getByRole('button', { name: 'Sign out everywhere …' }).click()
    await page.getByRole('form', { name: 'Sign out everywhere' }).getByText('this one too').waitFor()
    await photograph(page, 'settings-sign-out-everywhere', [390, 1440])
    await page.getByLabel(/^Revoke .* too/).check()
    await page
      .getByRole('form', { name: 'Sign out everywhere' })
      .getByRole('button', { name: 'Sign out everywhere' })
      .click()
    await page.getByRole('heading', { name: 'Sign in to Hotline' }).waitFor()
    await phone.getByRole('alert').getByRole('button', { name: 'Sign in' }).waitFor()
    const headers = { authorization: `Bearer ${live.token}` }
    expect((await fetch(new URL('/api/me', live.url), { headers })).status).toBe(401)
  })
})
