import { generateSync } from 'otplib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from '@hotline/testing/browser'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

const name = 'mel'
const password = 'nine slow barges under the bridge'
let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

describe('a second factor in the page', () => {
  it('[G190] is turned on with an app, asked for when signing in, and a recovery code does where the app is lost', async () => {
    const { page, live } = scene
    const status = await page.evaluate<number>(
      `fetch('/api/accounts', {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: '${name}', password: '${password}', admin: false }),
      }).then((answer) => answer.status)`,
    )
    expect(status).toBe(201)
    await using browser = await openBrowser()
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' })
    const theirs = await context.newPage()
    await theirs.goto(live.proxyUrl)
    const enter = async (): Promise<void> => {
      await theirs.getByLabel('Name').fill(name)
      await theirs.getByLabel('Password', { exact: true }).fill(password)
      await theirs.getByRole('button', { name: 'Sign in' }).click()
    }
    await enter()
    await theirs.getByRole('heading', { name: 'Sessions' }).waitFor()
    await theirs.goto(`${live.proxyUrl}/settings`)
    const section = theirs.getByRole('region', { name: 'Second factor' })
    await section.getByText('takes your password alone').waitFor()
    await section.getByRole('button', { name: 'Turn on …' }).click()
    await section.getByLabel('Your password').fill(password)
    await section.getByRole('button', { name: 'Go on' }).click()
    await section.getByRole('img', { name: 'The key as a QR code' }).waitFor()
    const secret = (await section.locator('code').innerText()).replaceAll(' ', '')
    await section.scrollIntoViewIfNeeded()
    await photograph(theirs, 'second-factor', [390, 1440])
    await section.getByLabel('Code of the app').fill('000000')
    await section.getByRole('button', { name: 'Turn on' }).click()
    await section.getByRole('alert').getByText('The code is wrong').waitFor()
    await section.getByLabel('Code of the app').fill(generateSync({ secret }))
    await section.getByRole('button', { name: 'Turn on' }).click()
    const codes = section.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
    await codes.nth(9).waitFor()
    const [first = ''] = await codes.allInnerTexts()
    await photograph(theirs, 'recovery-codes', [390, 1440])
    await section.getByRole('button', { name: 'I have kept them' }).click()
    await section.getByText('10 recovery codes are left').waitFor()

    await theirs.getByRole('button', { name: 'Sign out', exact: true }).click()
    await theirs.getByRole('heading', { name: 'Sign in to Hotline' }).waitFor()
    await enter()
    const field = theirs.getByLabel('Code of your authenticator app, or a recovery code')
    await field.fill('000000')
    await photograph(theirs, 'code-asked', [390])
    await theirs.getByRole('button', { name: 'Sign in' }).click()
    await theirs.getByRole('alert').getByText('The code is wrong').waitFor()
    await field.fill(first)
    await theirs.getByRole('button', { name: 'Sign in' }).click()
    await theirs
      .getByRole('heading', { name: 'Settings' })
      .or(theirs.getByRole('heading', { name: 'Sessions' }))
      .waitFor()
    await theirs.goto(`${live.proxyUrl}/settings`)
    await section.getByText('9 recovery codes are left').waitFor()
    await section.getByRole('button', { name: 'Turn off …' }).click()
    await section.getByLabel('Your password').fill(password)
    await section
      .getByLabel('Code of the app, or a recovery code')
      .fill(generateSync({ secret, epoch: Math.floor(Date.now() / 1_000) + 30 }))
    await section.getByRole('button', { name: 'Turn off', exact: true }).click()
    await section.getByText('takes your password alone').waitFor()
  })
})
