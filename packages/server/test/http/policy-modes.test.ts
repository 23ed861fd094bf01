import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { CommandInput } from '@hotline/protocol/command'
import type { SessionEvidence } from '@hotline/protocol/evidence'
import type { SessionRow } from '@hotline/protocol/http'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, it } from 'vitest'

let live: LiveServer
beforeAll(async () => {
  live = await startLiveServer()
})
afterAll(() => live[Symbol.asyncDispose]())

const cwd = '/w/app'
const project = 'project:default'
const run = (command: string) => ({ tool: 'execute', title: command, input: JSON.stringify({ command, cwd }), cwd })
const allow: CommandInput<'policy.set_rule'> = {
  effect: 'allow',
  match: { agent: 'demo', tool: 'execute', does: 'run', command: ['npm', 'test'] },
}

const credential = () => ({ kind: 'token', token: live.token }) as const

async function send(stream: string, type: string, data: object): Promise<string> {
  const id = uuidV7()
  const answer = await httpRequest(live.url, credential(), 'POST', '/api/commands', { id, stream, type, data })
  return answer.ok ? id : answer.problem.code
}

async function get<R>(path: string): Promise<R> {
  const answer = await httpRequest<R>(live.url, credential(), 'GET', path)
  if (!answer.ok) throw new Error(answer.problem.detail)
  return answer.value
}

/** What the log has of an approval, but for that it was asked. */
async function answersOf(session: string, approval: string) {
  const events = (await live.stored(session)).filter(({ subject }) => subject === `approval:${approval}`)
  return events.slice(1).map(({ type, actor, data }) => ({ type, by: actor.id, data }))
}

it('[PO12] [PO13] what is not asked is answered in the log, is said of the session, and ends with one word', async () => {
  const agent = await live.startSession()
  const open = await agent.ask(run('npm run x'))
  expect(await send(agent.stream, 'policy.set_mode', { mode: 'hands_free', minutes: 5 })).toMatch(/-/)
  const { approval } = await agent.ask(run('npm test'))
  const evidence = await get<SessionEvidence>(`/api/sessions/${agent.session}/evidence`)
  const by = evidence.policyMode?.by
  expect(by).toMatchObject({ kind: 'person' })
  expect(await answersOf(agent.session, approval)).toMatchObject([
    { type: 'approval.resolved', by: 'policy', data: { outcome: 'allowed', mode: { mode: 'hands_free', by } } },
  ])
  expect(await answersOf(agent.session, open.approval)).toEqual([])
  const row = async () => {
    const { sessions } = await get<{ sessions: SessionRow[] }>('/api/sessions')
    return sessions.find(({ session }) => session === agent.session)?.policyMode
  }
  expect(await row()).toEqual({ mode: 'hands_free', until: evidence.policyMode?.until })

  const grave = await agent.ask(run('rm -rf x'))
  expect(await answersOf(agent.session, grave.approval)).toEqual([])
  expect(await send(agent.stream, 'policy.set_mode', { mode: 'ask' })).toMatch(/-/)
  const after = await agent.ask(run('npm test'))
  expect(await answersOf(agent.session, after.approval)).toEqual([])
  expect(await row()).toBeNull()
})

it('[PO16] a rule that is written answers what is open and fits, in every session of its project', async () => {
  const [one, two] = [await live.startSession(), await live.startSession()]
  const fits = [await one.ask(run('npm test')), await two.ask(run('npm test'))] as const
  const other = await one.ask(run('npm run x'))
  const rule = await send(project, 'policy.set_rule', allow)
  const isAllowed = async (session: string, approval: string): Promise<boolean> =>
    (await answersOf(session, approval)).some(({ data }) => data['outcome'] === 'allowed' && data['rule'] === rule)
  await waitFor(() => isAllowed(one.session, fits[0].approval), { what: 'the first to be answered' })
  await waitFor(() => isAllowed(two.session, fits[1].approval), { what: 'the second to be answered' })
  expect(await answersOf(one.session, other.approval)).toEqual([])

  const no = await send(project, 'policy.set_rule', { effect: 'deny', match: { command: ['npm'] }, note: 'Not now.' })
  await waitFor(async () => (await answersOf(one.session, other.approval)).length > 0, { what: 'what is denied' })
  expect(await answersOf(one.session, other.approval)).toMatchObject([
    { by: 'policy', data: { outcome: 'denied', rule: no } },
  ])
})
