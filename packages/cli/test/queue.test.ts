import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openRunnerScene, type RunnerScene } from './runner-scene.ts'

let scene: RunnerScene

beforeAll(async () => {
  scene = await openRunnerScene(({ dataDir }) => {
    mkdirSync(join(dataDir, 'agents'), { recursive: true, mode: 0o700 })
    writeFileSync(join(dataDir, 'agents/one.yaml'), 'extends: demo\nname: One at a time\nsessions: 1\n', {
      mode: 0o600,
    })
  })
})
afterAll(() => scene[Symbol.asyncDispose]())

it('[B107] [SQ2] a runner begins as many of an agent as its profile takes, and queue says what waits for what', async () => {
  const { run } = scene
  const start = async (...more: string[]): Promise<string> => (await run('run', 'one', '--detach', ...more)).out.trim()
  const status = async (session: string): Promise<string> => (await run('status', session)).out
  const isAt = (session: string, word: string): Promise<unknown> =>
    waitFor(async () => new RegExp(`^status +${word}`, 'm').test(await status(session)), { what: `${session} ${word}` })
  expect((await run('queue')).out).toBe('Nothing waits.\n')
  const first = await start()
  await isAt(first, 'active')
  const card = JSON.parse((await run('--json', 'task', 'add', 'Now', '--priority', 'urgent')).out) as { task: string }
  const second = await start()
  const urgent = await start('--task', card.task)
  const waiting = (await run('queue')).out.split('\n')
  expect(waiting[0]).toContain(`${urgent.slice(0, 8)}  one (urgent)`)
  expect(waiting[0]).toContain(
    'Number 1 in the queue: as many sessions of this agent are at work as its machine takes.',
  )
  expect(waiting[1]).toContain(`${second.slice(0, 8)}  one  since`)
  expect(waiting[1]).toContain('Number 2 in the queue')
  await run('abort', first)
  await isAt(urgent, 'active')
  expect(await status(second)).toMatch(/^status +queued/m)
  await run('abort', urgent)
  await isAt(second, 'active')
  await run('abort', second)
})

it('[B107] [SQ2] the limit of a project is set and taken away, and nonsense is refused', async () => {
  const { run } = scene
  expect((await run('queue', 'limit', '1')).out).toBe('At work at once in default: at most 1.\n')
  const [first, second] = [
    (await run('run', 'demo', '--detach')).out.trim(),
    (await run('run', 'demo', '--detach')).out.trim(),
  ]
  await waitFor(async () => (await run('queue')).out.includes('the project has as many sessions at work as it may'), {
    what: 'the one that waits',
  })
  expect((await run('queue', 'limit', 'none')).out).toContain('as many sessions as there are machines for')
  await waitFor(async () => (await run('queue')).out === 'Nothing waits.\n', { what: 'an empty queue' })
  expect((await run('queue', 'limit', '0')).err).toContain('a whole number from 1 to 9999, or "none"; not "0"')
  for (const session of [first, second]) await run('abort', session)
})
