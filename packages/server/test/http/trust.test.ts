import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import type { Link } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import { approvalDigest, contextDigest } from '@hotline/core/approval-digest'
import type { Report } from '@hotline/protocol/commands/agent'
import type { TrustedFolders } from '@hotline/protocol/place'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { sha256 } from '@hotline/testing/sha256'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, test } from 'vitest'

let live: LiveServer
let machine: Link
let person: Link
let runner: string

beforeAll(async () => {
  live = await startLiveServer()
  const token = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
  machine = live.link({ credential: { kind: 'token', token }, client: 'a machine' })
  person = live.link({ credential: { kind: 'token', token: live.token }, client: 'a person' })
  for (const link of [machine, person])
    await waitFor(() => link.connection.value.status === 'open', { what: 'a connection' })
  const news = { name: 'desk', version: '0', platform: 'linux', agents: [], holds: [] }
  const told = await machine.request<{ runner: string }>('PUT', '/api/runner', news)
  runner = told.ok ? told.value.runner : ''
})
afterAll(() => live[Symbol.asyncDispose]())

const folder = '/home/me/project'
const settings = 'these very settings'

/** A session that is starting on the machine. */
async function starting(): Promise<{ session: string; report: (event: Report) => Promise<unknown> }> {
  const session = uuidV7()
  const started = await person.command(`session:${session}`, 'session.start', {
    project: 'default',
    agent: 'demo',
    runner,
  })
  if (!started.ok) throw new Error(started.problem.detail)
  const taken = await machine.command(`session:${session}`, 'lease.take', {})
  if (!taken.ok) throw new Error(taken.problem.detail)
  const { fence = 0 } = taken.accepted
  return {
    session,
    report: (event) => machine.command(`session:${session}`, 'agent.report', { fence, events: [event] }),
  }
}

function request(session: string, trusts: string): { event: Report; approval: string; digest: string } {
  const approval = uuidV7()
  const body = { tool: 'folder settings', title: 'Start', input: settings }
  const context = contextDigest(session, 'demo', body, sha256)
  const digest = approvalDigest(context, sha256(settings), sha256)
  const scopes = ['once', 'project']
  const verdicts = ['allow', 'deny']
  const data = { approval, digest, contextDigest: context, verdicts, scopes, strength: 'enforced', trusts }
  return { event: { type: 'approval.requested', data, body }, approval, digest }
}

const trusts = (session: string, digest = sha256(settings)): Promise<unknown> =>
  machine.request('POST', '/api/runner/trust', { session, folder, digest })

async function listed(): Promise<TrustedFolders['trusted']> {
  const as = { kind: 'token', token: live.token } as const
  const answer = await httpRequest<TrustedFolders>(live.url, as, 'GET', '/api/projects/default/trusted')
  if (!answer.ok) throw new Error(answer.problem.detail)
  return answer.value.trusted
}

test('[TR11] only what a person allowed counts: for the session, or in the log of the project for this machine, until it is revoked', async () => {
  const first = await starting()
  expect(await trusts(first.session)).toEqual({ ok: true, value: { trusted: false } })
  const { event, approval, digest } = request(first.session, sha256(settings))
  await first.report(event)
  expect(await trusts(first.session)).toEqual({ ok: true, value: { trusted: false } })
  const decide = { approval, digest, verdict: 'allow', scope: 'once' } as const
  expect(await person.command(`session:${first.session}`, 'approval.decide', decide)).toMatchObject({ ok: true })
  expect(await trusts(first.session)).toEqual({ ok: true, value: { trusted: true } })
  // Of other settings nothing was said, and neither does it count elsewhere.
  expect(await trusts(first.session, sha256('others'))).toEqual({ ok: true, value: { trusted: false } })
  const second = await starting()
  expect(await trusts(second.session)).toEqual({ ok: true, value: { trusted: false } })
  expect(await listed()).toEqual([])

  const again = request(second.session, sha256(settings))
  await second.report(again.event)
  await person.command(`session:${second.session}`, 'approval.decide', {
    approval: again.approval,
    digest: again.digest,
    verdict: 'allow',
    scope: 'project',
  })
  expect(await Promise.all([trusts(second.session), trusts(second.session)])).toEqual([
    { ok: true, value: { trusted: true } },
    { ok: true, value: { trusted: true } },
  ])
  const third = await starting()
  expect(await trusts(third.session)).toEqual({ ok: true, value: { trusted: true } })
  const [kept, ...more] = await listed()
  expect(more).toEqual([])
  expect(kept).toMatchObject({
    runner,
    folder,
    digest: sha256(settings),
    session: second.session,
    by: { kind: 'person' },
  })

  await person.command('project:default', 'folder.distrust', { runner, digest: sha256(settings) })
  expect(await trusts((await starting()).session)).toEqual({ ok: true, value: { trusted: false } })
  expect(await listed()).toEqual([])
})

test('[TR11] a machine cannot say itself what is trusted, nor ask about sessions of others', async () => {
  const { session, report } = await starting()
  // What would be remembered is not what was shown.
  const { event, approval } = request(session, sha256('something else'))
  expect(await report(event)).toMatchObject({ accepted: { dropped: [{ code: 'digest_mismatch' }] } })
  const data = { runner, folder, digest: sha256('x'), session, by: { kind: 'person', id: 'p' } } as const
  for (const link of [machine, person]) {
    const outcome = await link.command('project:default', 'folder.trust', data)
    expect(outcome).toMatchObject({ ok: false, problem: { code: 'forbidden' } })
  }
  expect(approval).not.toBe('')
  const queued = uuidV7()
  await person.command(`session:${queued}`, 'session.start', { project: 'default', agent: 'demo', runner })
  for (const one of [queued, 'nowhere']) {
    expect(await trusts(one)).toMatchObject({ ok: false, problem: { code: 'not_found' } })
  }
  expect(await machine.request('POST', '/api/runner/trust', { session, folder: '../x', digest: 'y' })).toMatchObject({
    ok: false,
    problem: { code: 'invalid_request' },
  })
})
