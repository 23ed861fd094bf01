import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openColleague } from '../src/colleague.ts'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
let sams: Page
beforeAll(async () => {
  scene = await openPageScene()
  sams = await openColleague(scene, 'sam', 'viewer')
})
afterAll(() => scene[Symbol.asyncDispose]())

const section = (page: Page) => page.getByRole('region', { name: 'Members' })

describe('members of a project', () => {
  it('[G197] an admin lets people in, gives them roles, and shuts them out, with the password', async () => {
    const { page, live } = scene
    const headers = { origin: live.proxyUrl }
    const data = { name: 'mel', password: 'nine slow barges under the bridge' }
    expect((await page.request.post(`${live.proxyUrl}/api/accounts`, { headers, data })).status()).toBe(201)
    // A restart forgets when the password was said last, as five minutes do.
    await live.restart()
    await page.goto(`${live.proxyUrl}/settings`)
    const members = section(page)
    await members.getByText('dana (you)').waitFor()
    await members.getByLabel('With which role').selectOption('approver')
    await members.getByText('They may then start agents, write to them, and allow and deny').waitFor()
    await members.getByRole('button', { name: 'Add', exact: true }).click()
    const confirm = members.getByRole('form', { name: 'Confirm the change' })
    await confirm.getByLabel(/^Your password/).fill('not my password')
    await confirm.getByRole('button', { name: 'Confirm' }).click()
    await members.getByRole('alert').getByText('The current password is wrong.').waitFor()
    await photograph(page, 'members-password', [390, 1440])
    await confirm.getByLabel(/^Your password/).fill('a long walk over the wet meadow')
    await page.keyboard.press('Enter')
    await expect.poll(() => members.getByLabel('Role of mel').inputValue()).toBe('approver')
    await confirm.waitFor({ state: 'detached' })

    await members.getByLabel('Role of sam').selectOption('admin')
    await sams.goto(`${live.proxyUrl}/settings`)
    const hers = section(sams)
    await hers.getByText('sam (you)').waitFor()
    // An admin who is no owner neither makes nor unmakes one.
    expect(await hers.getByLabel('Role of mel').locator('option').allInnerTexts()).not.toContain('owner')
    expect(await hers.getByLabel('Role of dana').count()).toBe(0)

    await members.getByRole('button', { name: 'Remove mel' }).click()
    await members.getByText('mel is shut out of the project at once').waitFor()
    await photograph(page, 'members', [390, 1440])
    await members.getByRole('button', { name: 'Cancel' }).click()
    expect(await members.getByLabel('Role of mel').count()).toBe(1)
    await members.getByRole('button', { name: 'Remove mel' }).click()
    await confirm.getByRole('button', { name: 'Remove mel' }).click()
    await expect.poll(() => members.getByLabel('Role of mel').count()).toBe(0)
    await members.getByLabel('Role of sam').selectOption('viewer')
    await expect.poll(() => members.getByLabel('Role of sam').inputValue()).toBe('viewer')
    await sams.reload()
    await sams.getByRole('heading', { name: 'Settings' }).waitFor()
    expect(await section(sams).count()).toBe(0)
  })
})
