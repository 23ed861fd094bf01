import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'
import { signIn } from '../src/sign-in.ts'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

const hotline = new URL('../../packages/cli/bin/hotline.js', import.meta.url).pathname

/** `hotline login` as on another machine, that reaches the server as its people do. */
function login(home: string): { said: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [hotline, 'login', scene.live.proxyUrl, '--name', 'workbench in the shed'], {
    env: { PATH: process.env['PATH'], HOME: home },
  })
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
  return { said: () => said, ended: new Promise((resolve) => child.on('close', resolve)) }
}

describe('letting a machine in', () => {
  it('[A12] the link opens who asks; what is ticked is what the machine may', { timeout: 120_000 }, async () => {
    await using home = await openTempDir()
    const { page } = scene
    const asking = login(home.path)
    await waitFor(() => asking.said().includes('Waiting for you'), { what: 'the code' })
    const link = /http\S+#\S+/.exec(asking.said())?.[0] ?? ''
    await page.goto(link)
    await page.getByRole('heading', { name: 'Let this machine in?' }).waitFor()
    // The code stays in no history.
    expect(page.url()).toBe(`${scene.live.proxyUrl}/device`)
    await page.getByText('workbench in the shed').waitFor()
    await page.getByText('127.0.0.1').waitFor()
    await photograph(page, 'device-decide')
    expect(await page.getByLabel('Manage projects and people').isChecked()).toBe(false)
    await page.getByLabel('Start sessions, write to agents, stop them').uncheck()
    await page.getByLabel('For').selectOption('a week')
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByRole('heading', { name: 'Signed in' }).waitFor()
    await photograph(page, 'device-signed-in', [390, 1440])
    expect(await asking.ended).toBe(0)
    expect(asking.said()).toContain('as dana (read, decide, until ')
    expect(readFileSync(join(home.path, '.config/hotline/credentials.json'), 'utf8')).toContain('hl_pat_')
  })

  it('[A12] a typed code does the same, after signing in, and the answer can be no', { timeout: 120_000 }, async () => {
    await using home = await openTempDir()
    const asking = login(home.path)
    await waitFor(() => asking.said().includes('Waiting for you'), { what: 'the code' })
    const code = /#([A-Z0-9]{4}-[A-Z0-9]{4})/.exec(asking.said())?.[1] ?? ''
    await scene.context.clearCookies()
    const page = await scene.openTab()
    await page.goto(`${scene.live.proxyUrl}/device`)
    await signIn(page)
    await page.getByLabel('Code').fill('2222-2222')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('There is no such code').waitFor()
    await photograph(page, 'device-type', [390, 1440])
    await page.getByLabel('Code').fill(code.toLowerCase().replace('-', ' '))
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByRole('heading', { name: 'Denied' }).waitFor()
    expect(await asking.ended).toBe(3)
    expect(asking.said()).toContain('denied in the page')
  })
})
