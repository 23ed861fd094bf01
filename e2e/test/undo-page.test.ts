import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { openBrowser } from '@hotline/testing/browser'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { startHotline } from '../src/hotline.ts'
import { photograph } from '../src/page-scene.ts'
import { signIn } from '../src/sign-in.ts'

const run = promisify(execFile)

test('[UN1] [UN3] in the page a turn is previewed and undone, and at the command line that is undone, after the session has ended', async () => {
  await using hotline = await startHotline()
  await using temp = await openTempDir('hotline-undo-')
  const cwd = join(temp.path, 'work')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'README.md'), '# Before\n\nThis stands here.\n')
  writeFileSync(join(cwd, 'mine.txt'), 'mine\n')
  const script = scriptPrompt([
    { do: 'write', path: 'README.md', content: '# After\n\nThis stands here.\n' },
    { do: 'write', path: 'notes/new.md', content: 'new\n' },
  ])
  const session = await hotline.api.start('demo', script, { cwd, mode: 'auto-edit' })
  await hotline.api.until(session, 'the turn', ({ counts, turn, checkpoints }) => {
    return counts.turns === 1 && turn === undefined && checkpoints !== undefined
  })
  // The snapshot after the turn is taken once a plan is there: what is written from now on is no agent's.
  const first = await hotline.api.command(`session:${session}`, 'undo.plan', {})
  await hotline.api.until(session, 'a plan', ({ undo }) => undo?.phase === 'planned')
  await hotline.api.command(`session:${session}`, 'undo.drop', { undo: first.id })
  writeFileSync(join(cwd, 'notes/new.md'), 'new\nand a line of a person\n')

  const browser = await openBrowser()
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    const page = await context.newPage()
    await page.goto(`${hotline.url}/sessions/${session}`)
    await signIn(page)
    await page.getByRole('button', { name: 'Undo this turn' }).click()
    const card = page.getByRole('article', { name: 'Undo: what would happen' })
    await card.getByText('README.md').first().waitFor()
    await card.getByText('somebody else has changed it since').waitFor()
    await card.getByText('Show the changes').click()
    await photograph(page, 'undo', [390, 1440])
    await card.getByRole('button', { name: 'Undo 1 file' }).click()
    await page.getByText('↶ Undone by You').click()
    await page.getByRole('button', { name: 'Undo this undo' }).waitFor()
    await photograph(page, 'undone', [390, 1440])
  } finally {
    await browser.close()
  }
  expect(readFileSync(join(cwd, 'README.md'), 'utf8')).toBe('# Before\n\nThis stands here.\n')
  expect(readFileSync(join(cwd, 'notes/new.md'), 'utf8')).toBe('new\nand a line of a person\n')

  await hotline.api.command(`session:${session}`, 'session.abort', {})
  await hotline.api.until(session, 'the end', ({ status }) => status === 'aborted')
  const cli = async (...args: string[]): Promise<string> => {
    const program = join(import.meta.dirname, '../../packages/cli/bin/hotline.js')
    const env = {
      PATH: process.env['PATH'],
      HOME: temp.path,
      HOTLINE_DATA_DIR: hotline.dataDir,
      HOTLINE_URL: hotline.url,
    }
    return (await run(process.execPath, [program, ...args], { env })).stdout
  }
  const restored = (await hotline.api.events(session)).find(({ type }) => type === 'checkpoint.restored')
  const shown = await cli('undo', session, '--dry-run')
  expect(shown).toContain('notes/new.md (somebody else has changed it since)')
  const done = await cli('undo', session, '--checkpoint', String(restored?.data['before']), '--yes')
  expect(done).toContain('- # Before')
  expect(done).toContain('+ # After')
  expect(done).toContain('Undone: 1 file.')
  expect(readFileSync(join(cwd, 'README.md'), 'utf8')).toBe('# After\n\nThis stands here.\n')
  expect(readFileSync(join(cwd, 'mine.txt'), 'utf8')).toBe('mine\n')
  expect(await cli('checkpoints', session)).toContain('undone: 1 put back')
})
