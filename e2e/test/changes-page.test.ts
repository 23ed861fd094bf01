import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { openBrowser } from '@hotline/testing/browser'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { startHotline } from '../src/hotline.ts'
import { photograph } from '../src/page-scene.ts'
import { signIn } from '../src/sign-in.ts'

const before = `import { home } from './home'

export function login(next: string): string {
  if (next === '') return home
  return next
}
`

test('[DR1] [DR2] [DR3] [DR7] [DR8] in the page changes are read, spoken of line by line, kept, committed and discarded', async () => {
  await using hotline = await startHotline()
  await using temp = await openTempDir('hotline-changes-')
  const cwd = join(temp.path, 'work')
  mkdirSync(join(cwd, 'src'), { recursive: true })
  writeFileSync(join(cwd, 'src/login.ts'), before)
  const git = (...args: string[]): string => {
    const env = { PATH: process.env['PATH'], HOME: temp.path }
    return execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], { cwd, env }).toString()
  }
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-qm', 'First')
  git('branch', 'release')
  const script = scriptPrompt([
    { do: 'write', path: 'src/login.ts', content: before.replace("next === ''", "next === '' || next === '/'") },
    { do: 'write', path: 'notes.md', content: '# Notes\n\nFor later.\n' },
    { do: 'write', path: 'package.json', content: '{ "scripts": { "postinstall": "node x.js" } }\n' },
  ])
  const session = await hotline.api.start('demo', script, { cwd, mode: 'auto-edit', title: 'Fix the login' })
  await hotline.api.until(session, 'the turn', ({ counts, turn, checkpoints }) => {
    return counts.turns === 1 && turn === undefined && checkpoints !== undefined
  })

  let place = { folder: '', branch: '' }
  const browser = await openBrowser()
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    const page = await context.newPage()
    await page.goto(`${hotline.url}/sessions/${session}`)
    await signIn(page)
    // Nobody has asked: it was made at the end of the turn.
    await page.getByText('Changes: 3 files (+5 −1) to keep or discard').waitFor()
    await photograph(page, 'changes-offered', [390])
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByRole('heading', { name: '3 files to review' }).waitFor()
    const login = page.getByRole('figure', { name: 'Changes of src/login.ts' })
    // By the keyboard alone: to the lines, down to the one that is meant, and a word about it.
    await login.getByRole('group', { name: 'Lines of src/login.ts' }).focus()
    for (let down = 0; down < 4; down += 1) await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.keyboard.type('What about "//"?')
    await page.keyboard.press('Control+Enter')
    await login.getByRole('note').getByText('What about "//"?').waitFor()
    await page.getByRole('button', { name: 'Keep all' }).click()
    await page.getByRole('button', { name: 'Discard notes.md' }).click()
    await page.getByText('To keep it is a decision of its own').waitFor()
    await page.getByLabel('Reason, told to the agent').fill('Notes belong elsewhere.')
    await page.getByRole('checkbox', { name: 'Commit what is kept' }).check()
    await page.getByLabel('Message of the commit').fill('Send "/" home, too')
    const into = page.getByLabel('Branch that it is merged into')
    expect(await into.getByRole('option').allTextContents()).toEqual([
      'Merge it nowhere',
      'Merge into main',
      'Merge into release',
    ])
    await into.selectOption('Merge into main')
    await photograph(page, 'changes', [390, 1440])
    await page.getByRole('button', { name: 'Side by side' }).click()
    await photograph(page, 'changes-two', [1440])
    await login.getByRole('button', { name: 'Remove' }).click()
    // Somebody writes to a file that was decided on: nothing is done, and what there is now is shown.
    const prepared = (await hotline.api.events(session)).find(({ type }) => type === 'workspace.prepared')
    place = { ...place, ...prepared?.body }
    writeFileSync(join(place.folder, 'package.json'), '{ "scripts": {} }\n')
    await page.getByRole('button', { name: 'Keep 1, commit, merge, discard 1', exact: true }).click()
    await page.getByText('Nothing was done.').waitFor()
    expect(existsSync(join(place.folder, 'notes.md'))).toBe(true)
    await page.getByText('Somebody else has changed it since').waitFor()
    await page.getByRole('button', { name: 'Keep 1, commit, merge, discard 1', exact: true }).click()
    // What is open stays up for review.
    await page.getByRole('heading', { name: '1 file to review' }).waitFor()
    await page.getByText('1 kept, 1 discarded, 1 open').first().waitFor()
    await page.getByText('3 files reviewed').click()
    await page.getByText('Committed on').waitFor()
    await page.getByText('Merged into main as').waitFor()
    await photograph(page, 'changes-left', [390, 1440])
    const scripts = page.getByRole('figure', { name: 'Changes of package.json' })
    await scripts.getByRole('button', { name: 'Comment on line 1' }).click()
    const answer = scriptPrompt([{ do: 'say', text: 'I leave it out.' }])
    await scripts.getByLabel('What you say about line 1').fill(`Why this? ${answer}`)
    await scripts.getByRole('button', { name: 'Comment', exact: true }).click()
    await page.getByRole('button', { name: 'Discard package.json' }).click()
    await page.getByRole('button', { name: 'Discard 1 file, send 1 comment' }).click()
    await page.getByText('1 file reviewed').waitFor()
    // The agent has read it, and has changed nothing since.
    await page.getByRole('button', { name: 'Look again' }).waitFor()
    await photograph(page, 'changed', [1440])
    await page.getByRole('tab', { name: 'Conversation' }).click()
    await page.getByText('I leave it out.', { exact: true }).waitFor()
    await page.getByText('package.json:1').waitFor()
  } finally {
    await browser.close()
  }
  const { folder, branch } = place
  expect(existsSync(join(folder, 'notes.md'))).toBe(false)
  expect(existsSync(join(folder, 'package.json'))).toBe(false)
  expect(git('log', '-1', '--format=%s', branch)).toBe('Send "/" home, too\n')
  expect(git('show', `${branch}:src/login.ts`)).toContain("|| next === '/'")
  expect(git('rev-parse', 'main')).toBe(git('rev-parse', branch))
  expect(readFileSync(join(cwd, 'src/login.ts'), 'utf8')).toContain("|| next === '/'")
  expect(git('status', '--porcelain')).toBe('')
})
