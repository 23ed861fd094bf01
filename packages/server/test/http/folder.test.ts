import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import type { Link } from '@hotline/client/link'
import { FolderView } from '@hotline/protocol/place'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, test } from 'vitest'

let live: LiveServer
let machine: Link
let runner: string

beforeAll(async () => {
  live = await startLiveServer()
  const token = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
  machine = live.link({ credential: { kind: 'token', token }, client: 'a machine' })
  await waitFor(() => machine.connection.value.status === 'open', { what: 'a connection' })
  const told = await machine.request<{ runner: string }>('PUT', '/api/runner', {
    name: 'desk',
    version: '0',
    platform: 'linux',
    agents: [],
    holds: [],
  })
  runner = told.ok ? told.value.runner : ''
})
afterAll(() => live[Symbol.asyncDispose]())

const ask = (of: { id?: string; project?: string; folder?: string } = {}) => {
  const { id = runner, project = 'default', folder = '/home/me/project' } = of
  const query = new URLSearchParams({ project, agent: 'demo', folder })
  const as = { kind: 'token', token: live.token } as const
  return httpRequest<FolderView>(live.url, as, 'GET', `/api/runners/${id}/folder?${query.toString()}`)
}

test('[IS10] before a start a machine is asked what a folder is like, and answers whoever may start something there', async () => {
  const asked: unknown[] = []
  const stop = machine.ephemeral(({ kind, ask: id, agent, folder }) => {
    if (kind !== 'folder' || id === undefined) return
    asked.push({ agent, folder })
    const view = { folder, standard: 'worktree', possible: ['worktree', 'in_place'], others: ['Fix'], later: 1 }
    void machine.request(
      'PUT',
      '/api/runner/folder',
      folder === '/nowhere' ? { ask: id, why: 'There is no folder "/nowhere".' } : { ask: id, view },
    )
  })
  const answer = await ask()
  expect(answer.ok && FolderView.parse(answer.value)).toMatchObject({ standard: 'worktree', others: ['Fix'] })
  expect(asked).toEqual([{ agent: 'demo', folder: '/home/me/project' }])
  expect(await ask({ folder: '/nowhere' })).toMatchObject({
    ok: false,
    problem: { code: 'invalid_request', detail: 'There is no folder "/nowhere".' },
  })
  expect(await ask({ id: 'elsewhere' })).toMatchObject({ ok: false, problem: { code: 'not_found' } })
  expect(await ask({ project: 'strange' })).toMatchObject({ ok: false, problem: { code: 'not_found' } })
  expect(await ask({ folder: 'relative' })).toMatchObject({ ok: false, problem: { code: 'invalid_request' } })
  // An answer that nobody waits for is told to be one.
  expect(await machine.request('PUT', '/api/runner/folder', { ask: 'never', why: 'x' })).toMatchObject({
    value: { taken: false },
  })
  stop()
})

test('[IS10] one who asks for many folders at once is told to wait', async () => {
  const open: string[] = []
  const stop = machine.ephemeral(({ kind, ask: id }) => {
    if (kind === 'folder' && id !== undefined) open.push(id)
  })
  const four = [1, 2, 3, 4].map((n) => ask({ folder: `/f${n}` }))
  await waitFor(() => open.length === 4, { what: 'four questions' })
  expect(await ask()).toMatchObject({ ok: false, problem: { code: 'rate_limited' } })
  for (const id of open) void machine.request('PUT', '/api/runner/folder', { ask: id, why: 'Enough.' })
  for (const answer of await Promise.all(four)) expect(answer).toMatchObject({ problem: { detail: 'Enough.' } })
  stop()
})
