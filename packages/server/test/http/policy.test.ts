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
