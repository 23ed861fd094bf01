import { uuidV7 } from '@hotline/client/uuid'
import { httpRequest } from '@hotline/client/http-request'
import { expect, it } from 'vitest'
import { openPageScene, photograph, resize } from '../src/page-scene.ts'

it(
  '[AU9] the audit is found in the settings, filtered, opened line by line and exported',
  { timeout: 180_000 },
  async () => {
    await using scene = await openPageScene()
    const { page, live } = scene
    const hand = await live.startSession('Mend the gate')
    const asked = await hand.ask({ tool: 'bash', title: 'npm publish \u202Eyfirev--', input: 'npm publish' })
    const data = { ...asked, verdict: 'deny', scope: 'once', reason: 'Not today.' }
    const command = { id: uuidV7(), stream: hand.stream, type: 'approval.decide', data }
    const credential = { kind: 'token', token: live.token } as const
    expect(await httpRequest(live.url, credential, 'POST', '/api/commands', command)).toMatchObject({ ok: true })

    await page.goto(`${live.proxyUrl}/settings`)
    await page.getByRole('link', { name: 'Who decided, stopped, allowed and let in what' }).click()
    const lines = page.getByRole('list', { name: 'Audit' }).getByRole('listitem')
    const denied = lines.filter({ hasText: 'denied - Not today.' })
    await denied.waitFor()
    expect(await denied.innerText()).toContain('dana')
    // What an agent calls its request cannot turn the line around.
    expect(await denied.innerText()).toContain('U+202E')
    expect(await denied.innerText()).not.toContain('\u202E')
    await lines.filter({ hasText: 'dana signed in' }).first().waitFor()

    await denied.locator('summary').focus()
    await page.keyboard.press('Enter')
    await denied.getByText(asked.digest).waitFor()
    await denied.getByText(`${hand.stream} event`).waitFor()
    await photograph(page, 'audit', [390, 1440])
    await resize(page, 1440)

    await page.getByLabel('About').selectOption('Rules and trust')
    await page.getByText('Nothing fits.').waitFor()
    await page.getByLabel('About').selectOption('Decisions')
    await page.getByLabel('Words or digest').fill('TODAY')
    await page.getByRole('button', { name: 'Find' }).click()
    await expect.poll(() => lines.count()).toBe(1)
    await denied.waitFor()

    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Export as CSV' }).click()
    const file = await download
    expect(file.suggestedFilename()).toBe('hotline-audit.csv')
    const chunks: Buffer[] = []
    for await (const chunk of await file.createReadStream()) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks).toString().trimEnd().split('\r\n')).toHaveLength(2)

    await denied.locator('summary').click()
    await page.getByRole('link', { name: 'Open the session' }).click()
    await page.getByRole('heading', { name: 'Mend the gate' }).first().waitFor()
  },
)
