import { openBrowser } from '@hotline/testing/browser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

describe('a lost password', () => {
  it('[A16] an admin makes a link in the settings, and its person is in with another one', async () => {
    const { page, live } = scene
    const first = 'nine slow barges under the bridge'
    const next = 'seven grey herons over the weir'
    // In the page, whose cookie it is.
    const status = await page.evaluate<number>(
      `fetch('/api/accounts', {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'mel', password: ${JSON.stringify(first)}, admin: false }),
      }).then((answer) => answer.status)`,
    )
    expect(status).toBe(201)
    await using another = await openBrowser()
    const context = await another.newContext({ viewport: { width: 390, height: 844 } })
    const theirs = await context.newPage()
    await theirs.goto(live.proxyUrl)
    await theirs.getByText('Lost your password?').click()
    await theirs.getByText('Ask an admin of this server for a link').waitFor()
    await theirs.getByLabel('Name').fill('mel')
    await theirs.getByLabel('Password', { exact: true }).fill(first)
    await theirs.getByRole('button', { name: 'Sign in' }).click()
    await theirs.getByRole('heading', { name: 'Sessions' }).waitFor()

    await page.goto(`${live.proxyUrl}/settings`)
    const people = page.getByRole('region', { name: 'People' })
    expect(await people.getByRole('button', { name: 'New password for dana …' }).count()).toBe(0)
    await people.getByRole('button', { name: 'New password for mel …' }).click()
    await people.getByRole('button', { name: 'Make the link' }).click()
    const link = await people.locator('code').innerText()
    expect(link).toMatch(new RegExp(`^${live.proxyUrl}/#reset=hl_rst_`))
    await photograph(page, 'reset-made', [390])

    const opened = await context.newPage()
    await opened.goto(link)
    await opened.getByRole('heading', { name: 'A new password for mel' }).waitFor()
    expect(opened.url()).toBe(`${live.proxyUrl}/`)
    await photograph(opened, 'reset', [390, 1440])
    await opened.getByLabel(/Choose a password/).fill(next)
    await opened.getByRole('button', { name: 'Set password and sign in' }).click()
    await opened.getByRole('heading', { name: 'Sessions' }).waitFor()

    const late = await context.newPage()
    await late.goto(link)
    await late.getByRole('alert').getByText('This link is unknown, was used').waitFor()
  })
})

describe('what comes after signing in', () => {
  it('[G77] follows what is on the screen; where it does not come, the page says so and is loaded anew', async () => {
    const { live } = scene
    await using another = await openBrowser()
    const theirs = await another.newPage()
    const held = Promise.withResolvers<'come' | 'fail'>()
    const asked = Promise.withResolvers<void>()
    await theirs.route(/\/assets\/inside-.*\.js$/, async (route) => {
      asked.resolve()
      await ((await held.promise) === 'fail' ? route.abort() : route.continue())
    })
    await theirs.goto(live.proxyUrl)
    await theirs.getByLabel('Name').fill('dana')
    await theirs.getByLabel('Password').fill('a long walk over the wet meadow')
    // It is on its way already, and nothing here waits for it.
    await asked.promise
    await theirs.getByRole('button', { name: 'Sign in' }).click()
    await theirs.getByRole('status', { name: 'Loading Hotline' }).waitFor()
    held.resolve('fail')
    await theirs.getByRole('alert').getByText('The rest of the page did not come').waitFor()
    await theirs.unroute(/\/assets\/inside-.*\.js$/)
    await theirs.getByRole('button', { name: 'Try again' }).click()
    await theirs.getByRole('heading', { name: 'Sessions' }).waitFor()
  })
})
