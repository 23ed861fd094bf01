import { openBrowser } from '@hotline/testing/browser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

describe('inviting a person', () => {
  it('[A15] makes a link in the settings, and who opens it is in the project', { timeout: 120_000 }, async () => {
    const { page, live } = scene
    await page.goto(`${live.proxyUrl}/settings`)
    const people = page.getByRole('region', { name: 'People' })
    await people.getByLabel('Name of the new person').fill('mel')
    await people.getByLabel('May').selectOption('approver')
    await people.getByRole('button', { name: 'Make a link' }).click()
    const link = await people.locator('code').innerText()
    expect(link).toMatch(new RegExp(`^${live.proxyUrl}/#invite=hl_inv_`))
    await people.getByText('invited, until').waitFor()
    await photograph(page, 'people', [390, 1440])
    await resize(page, 1440)

    await using another = await openBrowser()
    const context = await another.newContext({ viewport: { width: 390, height: 844 } })
    const invited = await context.newPage()
    await invited.goto(link)
    await invited.getByRole('heading', { name: 'Welcome to Hotline, mel' }).waitFor()
    expect(invited.url()).toBe(`${live.proxyUrl}/`)
    await photograph(invited, 'invited', [390, 1440])
    await invited.getByLabel(/Choose a password/).fill('nine slow barges under the bridge')
    await invited.getByRole('button', { name: 'Create account' }).click()
    await invited.getByRole('heading', { name: 'Sessions' }).waitFor()
    // A session that dana starts is there for both.
    const { session } = await live.startSession('Mend the tide gate')
    await invited.getByText('Mend the tide gate').first().waitFor()
    // [S13] How long it has taken.
    await page.goto(`${live.proxyUrl}/sessions/${session}`)
    const elapsed = page
      .getByRole('complementary', { name: 'What is known about this' })
      .locator('dt', { hasText: 'Elapsed' })
      .locator('xpath=following-sibling::dd[1]')
    await expect.poll(() => elapsed.innerText()).toMatch(/^(\d+s|\d+m \d+s)$/)

    const late = await context.newPage()
    await late.goto(link)
    await late.getByRole('alert').getByText('This invitation is unknown, was used, or is too old.').waitFor()
  })
})
