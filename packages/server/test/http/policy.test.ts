import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { CommandInput } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import type { PolicyPage } from '@hotline/protocol/policy'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { afterAll, beforeAll, expect, it } from 'vitest'

let live: LiveServer
beforeAll(async () => {
  live = await startLiveServer()
})
afterAll(() => live[Symbol.asyncDispose]())

const cwd = '/w/app'
const deny: CommandInput<'policy.set_rule'> = { effect: 'deny', match: { command: ['git', 'push'] }, note: 'Not here.' }
/** What "always allow" writes. */
const allow: CommandInput<'policy.set_rule'> = {
  effect: 'allow',
  match: { agent: 'demo', tool: 'execute', does: 'run', command: ['npm', 'test'] },
}

async function send(stream: string, type: string, data: object): Promise<string> {
  const id = uuidV7()
  const credential = { kind: 'token', token: live.token } as const
  const answer = await httpRequest(live.url, credential, 'POST', '/api/commands', { id, stream, type, data })
  return answer.ok ? id : answer.problem.code
}

async function policy(project = 'default'): Promise<PolicyPage | Problem> {
  const credential = { kind: 'token', token: live.token } as const
  const answer = await httpRequest<PolicyPage>(live.url, credential, 'GET', `/api/projects/${project}/policy`)
  return answer.ok ? answer.value : answer.problem
}

const run = (command: string) => ({ tool: 'execute', title: command, input: JSON.stringify({ command, cwd }), cwd })
const project = 'project:default'

it('[PO7] [PO9] [PO10] a rule counts from its next request on, in the log with it, until it is revoked', async () => {
  const agent = await live.startSession()
  const outcome = async (approval: string): Promise<unknown> => {
    const events = (await live.stored(agent.session)).filter(({ subject }) => subject === `approval:${approval}`)
    return events.map(({ type, actor, channel, data }) => [type, actor.id, channel, data['outcome'] ?? data['risk']])
  }
  const before = await agent.ask(run('npm run x'))
  expect(await outcome(before.approval)).toEqual([['approval.requested', agent.session, expect.any(String), 'medium']])

  const rule = await send(project, 'policy.set_rule', allow)
  const no = await send(project, 'policy.set_rule', deny)
  expect(await policy()).toMatchObject({
    rules: [
      { rule, effect: 'allow', until: expect.any(String) as string, by: { kind: 'person' } },
      { rule: no, effect: 'deny', note: 'Not here.' },
    ],
    warnings: [],
  })

  const { approval } = await agent.ask(run('npm test'))
  expect(await outcome(approval)).toEqual([
    ['approval.requested', agent.session, expect.any(String), 'medium'],
    ['approval.resolved', 'policy', undefined, 'allowed'],
  ])
  // Nobody can answer it any more.
  const late = { approval, digest: 'a'.repeat(64), verdict: 'deny' }
  expect(await send(agent.stream, 'approval.decide', late)).toBe('already_resolved')
  const pushed = await agent.ask(run('git push'))
  expect(await outcome(pushed.approval)).toMatchObject([{}, ['approval.resolved', 'policy', undefined, 'denied']])
  const chained = await agent.ask(run('npm test; rm -rf x'))
  expect(await outcome(chained.approval)).toHaveLength(1)

  // What would run in its place is looked at as well.
  const changed = { ...before, verdict: 'modify', input: JSON.stringify({ command: 'npm run x && git push', cwd }) }
  expect(await send(agent.stream, 'approval.decide', changed)).toBe('forbidden')
  expect(await send(agent.stream, 'approval.decide', { ...before, verdict: 'deny' })).toMatch(/-/)
  await send(project, 'policy.set_rule', { effect: 'deny', match: { command: ['npm'] } })

  expect(await policy()).toMatchObject({ warnings: [{ rule, why: expect.stringContaining('denied') as string }] })
  expect(await send(project, 'policy.revoke_rule', { rule, effect: 'allow' })).toMatch(/-/)
  expect(await policy()).toMatchObject({ rules: [{ rule: no }, {}], warnings: [] })
})

it('[PO8] a rule that allows more than one thing needs the password, and so does taking away what denies', async () => {
  const wide = { effect: 'allow', match: { path: 'src/' } }
  expect(await send(project, 'policy.set_rule', wide)).toBe('password_needed')
  const rule = await send(project, 'policy.set_rule', deny)
  expect(await send(project, 'policy.revoke_rule', { rule, effect: 'deny' })).toBe('password_needed')
  expect(await send(project, 'policy.revoke_rule', { rule, effect: 'allow' })).toBe('invalid_request')
})

it('[PO7] the rules of a project that is not theirs look like none', async () => {
  expect(await policy('elsewhere')).toMatchObject({ code: 'not_found' })
})

it('[P25] how long people have to answer is said for a project, and counts for what is asked and comes up from then on', async () => {
  const hourMs = 3_600_000
  const leftMs = async (of: typeof agent, approval: string): Promise<number> => {
    const events = (await live.stored(of.session)).filter(({ subject }) => subject === `approval:${approval}`)
    const last = events.at(-1)
    return Date.parse(String(last?.data['expiresAt'])) - Date.parse(last?.at ?? '')
  }
  const agent = await live.startSession()
  const asked = []
  for (let at = 0; at < 6; at += 1) asked.push(await agent.ask(run(`cargo run ${at}`)))
  const [first, sixth] = [asked[0], asked[5]]
  if (!first || !sixth) throw new Error('nothing was asked')
  expect(await policy()).toMatchObject({ approvalTimeoutMs: 24 * hourMs })
  expect(await leftMs(agent, first.approval)).toBe(24 * hourMs)

  expect(await send(project, 'policy.set_timeout', { approvalTimeoutMs: 2 * hourMs })).toMatch(/-/)
  expect(await policy()).toMatchObject({ approvalTimeoutMs: 2 * hourMs })
  // What is open keeps its time; what comes up has the new one.
  expect(await leftMs(agent, first.approval)).toBe(24 * hourMs)
  await agent.report({ type: 'approval.cancelled', data: { approval: first.approval, reason: 'agent_withdrew' } })
  expect(await leftMs(agent, sixth.approval)).toBe(2 * hourMs)
  const other = await live.startSession()
  expect(await leftMs(other, (await other.ask(run('cargo build'))).approval)).toBe(2 * hourMs)
  const soon = new Date(Date.now() + 60_000).toISOString()
  const forced = await other.ask(run('cargo doc'), { expiresAt: soon })
  const [event] = (await live.stored(other.session)).filter(({ subject }) => subject === `approval:${forced.approval}`)
  expect(event?.data).toMatchObject({ expiresAt: soon, agentUntil: soon })

  for (const approvalTimeoutMs of [59_999, 31 * 24 * hourMs, 1.5]) {
    expect(await send(project, 'policy.set_timeout', { approvalTimeoutMs })).toBe('invalid_request')
  }
  expect(await send(project, 'policy.set_timeout', { approvalTimeoutMs: null })).toMatch(/-/)
  expect(await policy()).toMatchObject({ approvalTimeoutMs: 24 * hourMs })
})
