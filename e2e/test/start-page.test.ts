import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import type { Locator } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'
import { type RunnerProcess, startRunnerProcess } from '../src/runner-process.ts'

let scene: PageScene
let temp: TempDir
const machines: RunnerProcess[] = []

/** A machine with a home, a PATH and profiles of its own. */
async function startMachine(name: string, key: string, profiles: Readonly<Record<string, string>>): Promise<void> {
  const at = join(temp.path, name)
  for (const folder of ['bin', 'home', 'data/agents', 'key'])
    mkdirSync(join(at, folder), { recursive: true, mode: 0o700 })
  writeFileSync(join(at, 'key/runner-key'), key, { mode: 0o600 })
  for (const [file, text] of Object.entries(profiles)) {
    writeFileSync(join(at, 'data/agents', file), text, { mode: 0o600 })
  }
  const env = { PATH: `${join(at, 'bin')}:/usr/bin:/bin`, HOME: join(at, 'home'), HOTLINE_RUNNER_NAME: name }
  const place = { url: scene.live.url, serverDir: join(at, 'key'), dir: join(at, 'data') }
  machines.push(await startRunnerProcess({ ...place, env }))
}

/** Puts a program on the PATH of a machine. */
function install(machine: string, program: string, version: string): void {
  writeFileSync(join(temp.path, machine, 'bin', program), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 })
}

async function openDialog(): Promise<Locator> {
  await scene.page.getByRole('button', { name: 'New session' }).first().click()
  const dialog = scene.page.getByRole('dialog', { name: 'New session' })
  await groupOf(dialog, 'alpha').waitFor({ state: 'attached' })
  return dialog
}

/** What stands below the name of a machine; not visible while the list is closed, and so no role. */
function groupOf(dialog: Locator, machine: string): Locator {
  return dialog.locator(`optgroup[label="${machine}"]`)
}

/** What is offered of a machine, and whether it can be chosen. */
function offered(dialog: Locator, machine: string): Promise<Record<string, boolean>> {
  return groupOf(dialog, machine)
    .locator('option')
    .evaluateAll((options) =>
      Object.fromEntries(
        options.map((option) => [option.textContent, !(option as unknown as { disabled: boolean }).disabled]),
      ),
    )
}

async function choose(dialog: Locator, machine: string, label: string): Promise<void> {
  const option = groupOf(dialog, machine).locator('option', { hasText: label })
  await dialog
    .locator('select')
    .first()
    .selectOption((await option.getAttribute('value')) ?? '')
}

beforeAll(async () => {
  temp = await openTempDir('hotline-start-')
  scene = await openPageScene()
  const own = readFileSync(join(scene.live.dataDir, 'runner-key'), 'utf8')
  // The password was said a moment ago, to sign in.
  const other = await scene.page.evaluate(async () => {
    const body = JSON.stringify({ kind: 'run', name: 'beta' })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch('/api/keys', { method: 'POST', headers, body })
    return ((await answer.json()) as { token: string }).token
  })
  mkdirSync(join(temp.path, 'alpha/bin'), { recursive: true })
  install('alpha', 'gemini', '0.61.0')
  const guide = 'extends: demo\nname: Guide\ndescription: Shows around\ninteractive:\n  enabled: true\n'
  await Promise.all([
    startMachine('alpha', own, { 'guide.yaml': guide, 'bad.yaml': 'command: 5\n' }),
    startMachine('beta', other, {}),
  ])
})
afterAll(async () => {
  for (const machine of machines) await machine[Symbol.asyncDispose]()
  await scene?.[Symbol.asyncDispose]()
  await temp?.remove()
})

describe('the dialog that starts a session', { shuffle: false }, () => {
  it('[G70] shows by machine how things stand, what to do, and what was done meanwhile', async () => {
    const { page } = scene
    const dialog = await openDialog()
    await expect
      .poll(() => offered(dialog, 'alpha'))
      .toMatchObject({
        'Gemini CLI 0.61.0 (not signed in)': true,
        'Demo agent': true,
        Guide: true,
        'bad (profile wrong)': false,
      })
    expect(await offered(dialog, 'beta')).toMatchObject({ 'Gemini CLI (not installed)': false, 'Demo agent': true })
    await choose(dialog, 'alpha', 'Gemini CLI')
    await dialog.getByText('Nobody has signed in with it here. Run gemini in a terminal').waitFor()
    await dialog.getByText('It asks before it acts.').waitFor()
    await dialog.getByText(/agents not ready: what to do$/).click()
    const line = dialog.getByRole('listitem').filter({ hasText: 'Gemini CLI on beta' })
    await line.getByText('not installed. Install it with: npm install -g @google/gemini-cli').waitFor()
    await line.getByRole('button', { name: 'Copy the command that installs Gemini CLI' }).waitFor()
    await dialog.getByText('Its profile is wrong: bad.yaml:1:10:').waitFor()
    await photograph(page, 'start-agents', [390, 1440])
    // The demonstration has something to do from the start; of the others nobody knows what.
    const prompt = dialog.getByLabel('What shall it do?')
    expect(await prompt.inputValue()).toBe('')
    await choose(dialog, 'alpha', 'Demo agent')
    expect(await prompt.inputValue()).toBe('Show me around')
    // Done on that machine, in another terminal: nobody reloads anything.
    install('beta', 'gemini', '0.61.0')
    mkdirSync(join(temp.path, 'beta/home/.gemini'))
    writeFileSync(join(temp.path, 'beta/home/.gemini/oauth_creds.json'), '')
    await expect.poll(() => offered(dialog, 'beta')).toMatchObject({ 'Gemini CLI 0.61.0': true })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
  })

  it('[G70] says before the start what is no folder, and its machine says that it is not there', async () => {
    const { page } = scene
    const dialog = await openDialog()
    await choose(dialog, 'beta', 'Any command, by lines')
    await dialog.getByLabel('Command line').fill('cat')
    const start = dialog.getByRole('button', { name: 'Start' })
    await start.click()
    await dialog.getByRole('alert').getByText('Choose the folder that it shall work in.').waitFor()
    const folder = dialog.getByLabel('Folder on its machine, as an absolute path')
    await folder.fill('project')
    await start.click()
    await dialog.getByRole('alert').getByText('The folder has to be an absolute path').waitFor()
    await folder.fill('/nowhere/at/all')
    await start.click()
    await page.getByText('There is no folder "/nowhere/at/all" on this machine.').first().waitFor()
    await photograph(page, 'start-no-folder', [390, 1440])
  })

  it('[G70] starts an agent on the machine that was chosen, with what it shall do', async () => {
    const { page, live } = scene
    const dialog = await openDialog()
    await choose(dialog, 'alpha', 'Guide')
    await dialog.getByText('Shows around').waitFor()
    await dialog.getByLabel('What shall it do?').fill('Say hello')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('heading', { name: 'Say hello' }).waitFor()
    const session = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    // It speaks under its name, on a machine that has one.
    await page.locator('.message.agent').getByText('Guide ·').first().waitFor()
    const context = page.getByRole('complementary', { name: 'What is known about this session' })
    await context.getByText('alpha', { exact: true }).waitFor()
    await expect.poll(async () => (await live.stored(session)).some(({ type }) => type === 'turn.started')).toBe(true)
    const rows = await page.evaluate(async () => {
      const answer = await fetch('/api/agents')
      return ((await answer.json()) as { agents: { agent: string; runner: string; runnerId: string }[] }).agents
    })
    const alpha = rows.find(({ agent, runner }) => agent === 'guide' && runner === 'alpha')?.runnerId
    expect((await live.stored(session))[0]).toMatchObject({ data: { agent: 'guide', runner: alpha } })
  })

  it('[G76] says where it will work and what is not there, and takes along what is wished', async () => {
    const { page } = scene
    const root = join(temp.path, 'project')
    mkdirSync(root)
    const git = (...args: string[]): void => {
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], {
        cwd: root,
        env: { PATH: '/usr/bin:/bin', HOME: temp.path },
      })
    }
    git('init', '-q', '-b', 'main')
    writeFileSync(join(root, '.gitignore'), '*.log\n')
    writeFileSync(join(root, 'a.txt'), 'a\n')
    git('add', '-A')
    git('commit', '-qm', 'first')
    writeFileSync(join(root, 'a.txt'), 'changed\n')
    writeFileSync(join(root, 'x.log'), 'x\n')
    const dialog = await openDialog()
    await choose(dialog, 'alpha', 'Guide')
    await dialog.getByLabel('What shall it do?').fill('Look around')
    await dialog.getByLabel('Folder on its machine, as an absolute path').fill(root)
    const lacks = dialog.getByText('Not in it: 1 uncommitted file (a.txt); 1 ignored file or folder (x.log).')
    await lacks.waitFor()
    await photograph(page, 'start-place', [390, 1440])
    await dialog.getByRole('radio', { name: 'In the folder itself' }).check()
    await dialog.getByText(`It works in ${root} itself.`).waitFor()
    await dialog.getByRole('radio', { name: 'In a worktree of its own' }).check()
    await dialog.getByRole('checkbox', { name: 'Take the 1 uncommitted file along' }).check()
    await dialog.getByText('Not in it: 1 ignored file or folder (x.log).').waitFor()
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.locator('.notice', { hasText: 'Works in a worktree of its own' }).waitFor()
    await page.locator('.notice', { hasText: 'Brought along: 1 file.' }).waitFor()
    await page.getByRole('complementary').getByText('Brought along: 1 file.').waitFor()
    await photograph(page, 'session-place', [390, 1440])
  })
})
