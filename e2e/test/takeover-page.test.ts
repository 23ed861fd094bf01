import { httpRequest } from '@hotline/client/http-request'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPageScene, type PageScene, photograph } from '../src/page-scene.ts'

let scene: PageScene
beforeAll(async () => {
  scene = await openPageScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

/** A machine beside the one that holds the session, which offers the same agent. */
async function connectOther(): Promise<string> {
  const { live, page } = scene
  const ask = async (path: string, data: object): Promise<{ token: string }> => {
    const answer = await page.request.post(`${live.proxyUrl}${path}`, { data, headers: { origin: live.proxyUrl } })
    expect(answer.status(), await answer.text()).toBeLessThan(300)
    return (await answer.json().catch(() => ({}))) as { token: string }
  }
  await ask('/api/auth/confirm', { password: 'a long walk over the wet meadow' })
  const { token } = await ask('/api/keys', { kind: 'run', name: 'other' })
  const credential = { kind: 'token', token } as const
  const machine = live.link({ credential, client: 'hand' })
  await expect.poll(() => machine.connection.value.status).toBe('open')
  const agents = [{ agent: 'demo', name: 'Demo agent', description: 'A scripted agent', available: true }]
  const hello = { name: 'other', version: '1', platform: 'linux', agents, holds: [] }
  const announced = await httpRequest<{ runner: string }>(live.url, credential, 'PUT', '/api/runner', hello)
  if (!announced.ok) throw new Error(announced.problem.detail)
  return announced.value.runner
}

it('[S23] where the machine of a session is silent the page says so, and what it means to go on upon another one', async () => {
  const hand = await scene.live.startSession('An agent that was left')
  const { page } = scene
  await hand.report({
    type: 'session.state_changed',
    data: { from: 'active', to: 'interrupted', reason: 'agent_lost' },
    body: {},
  })
  await scene.open(hand.session)
  const notice = page.getByText('is out of contact', { exact: false })
  await notice.waitFor()
  await page.getByText('No other machine that is connected offers its agent.').waitFor()
  const other = await connectOther()
  await page.getByRole('button', { name: 'Go on upon another machine …' }).click()
  const dialog = page.getByRole('dialog', { name: 'Go on upon another machine?' })
  await dialog.getByText('is not heard any more for this session', { exact: false }).waitFor()
  await photograph(page, 'take-over', [390, 1440])
  await dialog.getByLabel('Folder there').fill('not/absolute')
  await dialog.getByRole('button', { name: 'Take it over' }).click()
  await dialog.getByText('The folder takes an absolute path of the other machine.').waitFor()
  await dialog.getByLabel('Folder there').fill('/srv/work')
  await dialog.getByLabel('Reason').fill('it is gone')
  await dialog.getByRole('button', { name: 'Take it over' }).click()
  await dialog.waitFor({ state: 'hidden' })
  const taken = (await scene.live.stored(hand.session)).findLast(({ type }) => type === 'session.taken_over')
  expect(taken).toMatchObject({ data: { runner: other }, body: { cwd: '/srv/work' } })
  await notice.waitFor({ state: 'detached' })
})

it('[G101] the details say where a session works and what is not there, however long it is', async () => {
  const hand = await scene.live.startSession('An agent in a worktree')
  const { page } = scene
  const names = { uncommitted: ['a.txt'], ignored: ['x.log'], nested: [] }
  const body = {
    folder: '/data/worktrees/project/1',
    from: '/home/dana/project',
    branch: 'hotline/fix-1234abcd',
    ...names,
  }
  await hand.report({
    type: 'workspace.prepared',
    data: { isolation: 'worktree', base: 'abc', uncommitted: 1, ignored: 1, nested: 0 },
    body,
  })
  const lines = Array.from({ length: 260 }, (_, at) => `line ${at}\n`)
  await hand.report(
    ...lines.map((text) => ({
      type: 'output.appended' as const,
      data: { source: 'stdout' as const, encoding: 'utf8' as const, bytes: text.length },
      body: { text },
    })),
  )
  await scene.open(hand.session)
  const context = page.getByRole('complementary', { name: 'What is known about this session' })
  await context.getByRole('heading', { name: 'Where it works' }).waitFor()
  await context
    .getByText('Works in a worktree of its own, /data/worktrees/project/1, on the branch hotline/fix-1234abcd')
    .waitFor()
  await context.getByText('Not in it: 1 uncommitted file (a.txt); 1 ignored file or folder (x.log).').waitFor()
  await hand.report({
    type: 'workspace.released',
    data: { outcome: 'kept', uncommitted: 2 },
    body: { folder: body.folder, branch: body.branch },
  })
  await context.getByText(`${body.folder} was kept, with 2 uncommitted files.`).waitFor()
})
