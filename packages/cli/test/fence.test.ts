import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fenceWords } from '@hotline/core/reach-words'
import { findFences } from '@hotline/runner/process/namespace'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, it } from 'vitest'
import { openRunnerScene } from './runner-scene.ts'

const { any } = await findFences(process.env['PATH'])

it('[FE4] agents and status say what an agent is kept from, and run --no-fence starts it without', async () => {
  await using scene = await openRunnerScene()
  const { run, dir } = scene
  const cwd = join(dir.path, 'folder')
  mkdirSync(cwd)
  const kept = async (...options: string[]): Promise<string> => {
    const started = await run('run', 'demo', '--cwd', cwd, '--isolation', 'in-place', '--detach', ...options)
    const status = async (): Promise<string> => (await run('status', started.out.trim())).out
    await waitFor(async () => /^fenced off/m.test(await status()), { what: 'its fence' })
    return /^fenced off +(.+)$/m.exec(await status())?.[1] ?? ''
  }
  const agents = (await run('agents')).out
  expect(agents.includes('behind a fence')).toBe(any)
  expect(await kept()).toBe(fenceWords[any ? 'files' : 'none'])
  expect(await kept('--no-fence')).toBe(fenceWords.none)
})
