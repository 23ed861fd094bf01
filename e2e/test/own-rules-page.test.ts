import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph, resize } from '../src/page-scene.ts'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

it('[G153] the settings and a session say which rules of its own an agent has on its machine, to be read', async () => {
  const { live, page } = scene
  const hand = await live.startSession('Has rules of its own')
  const token = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
  const credential = { kind: 'token', token } as const
  const rules = [
    { effect: 'deny', text: 'Read(./.env)' },
    { effect: 'allow', text: 'Bash(npm test:*) \u202e' },
  ]
  const ownRules = { file: '~/.claude/settings.json', rules, more: 3 }
  const agents = [{ agent: 'demo', name: 'Claude Code', description: '', available: true, ownRules }]
  const hello = { name: 'workbench', version: '1', platform: 'linux', agents, holds: [] }
  expect((await httpRequest(live.url, credential, 'PUT', '/api/runner', hello)).ok).toBe(true)

  await page.goto(`${live.proxyUrl}/settings`)
  const listed = page.getByRole('region', { name: 'Rules' })
  await listed.getByText('Claude Code on workbench: 5 rules of its own').click()
  await listed.getByText('what these allow it does without asking Hotline').waitFor()
  await listed.getByText('Read(./.env)').waitFor()
  await listed.getByText('and 3 more').waitFor()
  // What would turn the line around is seen.
  expect(await listed.getByRole('listitem').allInnerTexts()).not.toContainEqual(expect.stringContaining('\u202e'))
  await photograph(page, 'own-rules', [390, 1440])
  await resize(page, 1440)

  await scene.open(hand.session)
  const details = page.getByRole('complementary', { name: 'What is known about this session' })
  await details.getByText('Claude Code on workbench: 5 rules of its own').click()
  await details.getByText('Bash(npm test:*)').waitFor()
})
