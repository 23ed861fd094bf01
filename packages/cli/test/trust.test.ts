import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRunnerScene, type RunnerScene } from './runner-scene.ts'

let scene: RunnerScene
let folder: string

beforeAll(async () => {
  scene = await openRunnerScene(({ dataDir }) => {
    mkdirSync(join(dataDir, 'agents'), { recursive: true, mode: 0o700 })
    writeFileSync(join(dataDir, 'agents/guide.yaml'), 'extends: demo\nname: Guide\n', { mode: 0o600 })
  })
  folder = join(scene.dir.path, 'project')
  mkdirSync(join(folder, '.claude'), { recursive: true })
  writeFileSync(join(folder, '.claude/settings.json'), '{"hooks":{"Stop":"touch /tmp/owned"}}')
})
afterAll(() => scene[Symbol.asyncDispose]())

it('[B86] run says that a folder brings settings; they are read and allowed like any request, listed and revoked', async () => {
  const { run } = scene
  const started = await run('run', 'guide', '--cwd', folder, '--detach')
  expect(started.err).toContain('It brings settings for its agent: 1 file (.claude/settings.json).')
  const session = started.out.trim()
  let asks = ''
  await waitFor(async () => (asks = (await run('asks')).out).includes('settings that'), { what: 'the question' })
  expect(asks).toContain(`Start with the settings that ${folder} brings`)
  expect(asks).toContain('| {"hooks":{"Stop":"touch /tmp/owned"}}')
  const ask = JSON.parse((await run('--json', 'asks')).out) as { approval: string; digest: string }
  expect(await run('trust')).toMatchObject({ out: expect.stringContaining('None.') as string })
  const allowed = await run('approve', ask.approval, '--digest', ask.digest, '--for', 'project')
  expect(allowed.err).toBe('')
  await waitFor(async () => /^status +active/m.test((await run('status', session)).out), { what: 'its agent' })
  const listed = (await run('trust')).out
  expect(listed).toContain(folder)
  const second = (await run('run', 'guide', '--cwd', folder, '--detach')).out.trim()
  await waitFor(async () => /^status +active/m.test((await run('status', second)).out), { what: 'its agent' })
  expect((await run('trust', 'revoke', 'ffffffff')).err).toContain('hotline trust')
  expect((await run('trust', 'revoke', listed.slice(0, 12))).out).toContain('asks again')
  expect((await run('trust')).out).toContain('None.')
  const third = (await run('run', 'guide', '--cwd', folder, '--detach')).out.trim()
  await waitFor(async () => (await run('asks')).out.includes('settings that'), { what: 'the question again' })
  for (const one of [session, second, third]) await run('abort', one)
})
