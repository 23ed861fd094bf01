import { httpRequest, type Method } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { AuditPage } from '@hotline/protocol/audit'
import type { CommandInput } from '@hotline/protocol/command'
import type { PolicyPage } from '@hotline/protocol/policy'
import { serverStream } from '@hotline/protocol/stream'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const cwd = '/w/app'
const minuteMs = 60_000
const project = 'project:default'
const run = (command: string) => ({ tool: 'execute', title: command, input: JSON.stringify({ command, cwd }), cwd })
const deny: CommandInput<'policy.set_rule'> = { effect: 'deny', match: { command: ['npm'] }, note: 'Nowhere.' }
const allowHere: CommandInput<'policy.set_rule'> = {
  effect: 'allow',
  match: { agent: 'demo', tool: 'execute', does: 'run', command: ['npm', 'test'] },
}

describe.each([
  ['SQLite', () => Promise.resolve({})],
  ['PostgreSQL', async () => ({ HOTLINE_DATABASE_URL: await postgres.createDatabase() })],
])('rules of the server, on %s', (_, environment) => {
  let live: LiveServer
  beforeEach(async () => {
    live = await startLiveServer({ env: await environment() })
    await sayPassword()
  })
  afterEach(() => live[Symbol.asyncDispose]())

  async function request<T>(method: Method, path: string, body?: object): Promise<T> {
    const answer = await httpRequest<T>(live.url, { kind: 'token', token: live.token }, method, path, body)
    if (!answer.ok) throw new Error(`${answer.problem.code}: ${answer.problem.detail}`)
    return answer.value
  }

  async function sayPassword(): Promise<void> {
    expect(await request('POST', '/api/auth/confirm', { password: 'a long walk over the wet meadow' })).toBeUndefined()
  }

  async function say(stream: string, type: string, data: object): Promise<string> {
    const id = uuidV7()
    await request('POST', '/api/commands', { id, stream, type, data })
    return id
  }

  /** What became of an approval, event by event. */
  async function lines(agent: HandRunner, approval: string): Promise<readonly Record<string, unknown>[]> {
    const events = await live.stored(agent.session)
    return events
      .filter(({ subject }) => subject === `approval:${approval}`)
      .map(({ type, data, body }) => ({ type, ...data, ...(body as object | undefined) }))
  }

  async function ended(agent: HandRunner, approval: string): Promise<Record<string, unknown>> {
    return waitFor(async () => (await lines(agent, approval)).find(({ type }) => type === 'approval.resolved'), {
      what: 'an answer',
    })
  }

  it('[PO35] [PO36] one counts in every project beside its own, is read there, outlasts a restart and is in the audit', async () => {
    await say(project, 'policy.set_rule', allowHere)
    const agent = await live.startSession()
    expect(await ended(agent, (await agent.ask(run('npm test'))).approval)).toMatchObject({ outcome: 'allowed' })

    const rule = await say(serverStream, 'policy.set_rule', deny)
    const denied = {
      outcome: 'denied',
      rule,
      ruleOf: 'server',
      reason: expect.stringContaining('this server') as string,
    }
    expect(await ended(agent, (await agent.ask(run('npm test'))).approval)).toMatchObject(denied)
    expect(await request<PolicyPage>('GET', '/api/policy')).toMatchObject({
      rules: [{ rule, of: 'server', note: 'Nowhere.' }],
    })
    const page = await request<PolicyPage>('GET', '/api/projects/default/policy')
    expect(page).toMatchObject({
      rules: [{ rule, of: 'server' }, { effect: 'allow' }],
      warnings: [{ why: 'Some of it is denied by another rule, and that wins.' }],
    })
    expect(page.rules[1]).not.toHaveProperty('of')

    await live.restart()
    // What the server keeps of its own stream is still written when others write to it as well.
    await request('POST', '/api/auth/confirm', { password: 'a long walk over the wet meadow' })
    await request('POST', '/api/keys', { kind: 'pat', name: 'One more' })
    const after = await live.startSession()
    expect(await ended(after, (await after.ask(run('npm test'))).approval)).toMatchObject(denied)
    await say(serverStream, 'policy.revoke_rule', { rule, effect: 'deny' })
    expect(await ended(after, (await after.ask(run('npm test'))).approval)).toMatchObject({ outcome: 'allowed' })
    expect((await request<PolicyPage>('GET', '/api/policy')).rules).toEqual([])

    const { entries } = await request<AuditPage>('GET', '/api/audit?group=rule&limit=20')
    expect(entries.map(({ outcome, stream }) => [stream, outcome])).toEqual([
      [serverStream, `rule ${rule} revoked, in all projects`],
      [serverStream, `rule ${rule} denies, in all projects - Nowhere.`],
      [project, expect.stringMatching(/ allows$/) as string],
    ])
    const decided = await request<AuditPage>('GET', '/api/audit?type=approval.resolved&limit=20')
    expect(decided.entries.map(({ outcome }) => outcome)).toContainEqual(
      expect.stringContaining(`by the rule ${rule} of the server`),
    )
  })

  it('[PO36] [PO10] one that insists on asking is asked of people, and what it denies nobody can allow', async () => {
    await say(project, 'policy.set_rule', allowHere)
    const agent = await live.startSession()
    const insists = await say(serverStream, 'policy.set_rule', { effect: 'ask', match: { does: 'run' } })
    const asked = await agent.ask(run('npm test'))
    expect(await lines(agent, asked.approval)).toHaveLength(1)
    await say(serverStream, 'policy.set_rule', { effect: 'deny', match: { command: ['npm'] } })
    expect(await ended(agent, asked.approval)).toMatchObject({ outcome: 'denied', ruleOf: 'server' })
    const other = await agent.ask(run('ls'))
    const changed = { ...other, verdict: 'modify', input: JSON.stringify({ command: 'npm test', cwd }) }
    await expect(say(agent.stream, 'approval.decide', changed)).rejects.toThrow('A rule of this server denies it')
    await say(serverStream, 'policy.revoke_rule', { rule: insists, effect: 'ask' })
  })

  it.each([project, serverStream])(
    '[PO40] [PO16] a rule of %s is edited in its place, which answers what is open',
    async (at) => {
      const path = at === project ? '/api/projects/default/policy' : '/api/policy'
      const asks = await say(at, 'policy.set_rule', { effect: 'ask', match: { does: 'run' } })
      const after = await say(at, 'policy.set_rule', { effect: 'allow', match: { command: ['npm', 'test'] } })
      const agent = await live.startSession()
      const { approval } = await agent.ask(run('npm test'))
      expect(await lines(agent, approval)).toHaveLength(1)

      const edited = { effect: 'ask', match: { does: 'fetch' }, replaces: asks }
      const now = await say(at, 'policy.set_rule', edited)
      expect(await ended(agent, approval)).toMatchObject({ outcome: 'allowed', rule: after })
      await live.restart()
      const { rules } = await request<PolicyPage>('GET', path)
      expect(rules).toMatchObject([{ rule: now, match: { does: 'fetch' }, replaced: [asks] }, { rule: after }])
      await sayPassword()
      const gone = 'In its place stands: Ask about reaching the network.'
      await expect(say(at, 'policy.set_rule', edited)).rejects.toThrow(gone)
      await expect(say(at, 'policy.revoke_rule', { rule: asks, effect: 'ask' })).rejects.toThrow(gone)
      const audit = await request<AuditPage>('GET', `/api/audit?group=rule&text=${asks}`)
      const whole = at === serverStream ? ', in all projects' : ''
      expect(audit.entries.map(({ outcome }) => outcome)).toEqual([
        `rule ${now} asks, in place of the rule ${asks}${whole}`,
        `rule ${asks} asks${whole}`,
      ])
    },
  )

  it('[PO37] what is open in every project is looked at again where one is written or revoked', async () => {
    await say('project:two', 'project.create', { name: 'Two' })
    const agents = [await live.startSession(), await live.startSession()]
    const open = []
    for (const agent of agents) open.push({ agent, ...(await agent.ask(run('npm test'))) })
    const insists = await say(serverStream, 'policy.set_rule', { effect: 'ask', match: { does: 'run' } })
    const allow = await say(serverStream, 'policy.set_rule', { effect: 'allow', match: { command: ['npm', 'test'] } })
    for (const { agent, approval } of open) expect(await lines(agent, approval)).toHaveLength(1)
    await say(serverStream, 'policy.revoke_rule', { rule: insists, effect: 'ask' })
    for (const { agent, approval } of open) {
      expect(await ended(agent, approval)).toMatchObject({ outcome: 'allowed', rule: allow, ruleOf: 'server' })
    }
  })

  it('[PO38] [PO39] how long people have goes by the risk, and by the server where the project says nothing', async () => {
    const leftMs = async (agent: HandRunner, command: string): Promise<number> => {
      const { approval } = await agent.ask(run(command))
      const event = (await live.stored(agent.session)).find(({ subject }) => subject === `approval:${approval}`)
      return Date.parse(String(event?.data['expiresAt'])) - Date.parse(event?.at ?? '')
    }
    const agent = await live.startSession()
    await say(serverStream, 'policy.set_timeout', { approvalTimeoutMs: 20 * minuteMs })
    await say(project, 'policy.set_timeout', { approvalTimeoutMs: 5 * minuteMs, risk: 'high' })
    expect(await leftMs(agent, 'npm test')).toBe(20 * minuteMs)
    expect(await leftMs(agent, 'rm -rf x')).toBe(5 * minuteMs)
    await live.restart()
    expect(await request('GET', '/api/projects/default/policy')).toMatchObject({
      approvalTimeoutMs: 20 * minuteMs,
      timeouts: {
        said: { high: 5 * minuteMs },
        counts: { low: 20 * minuteMs, medium: 20 * minuteMs, high: 5 * minuteMs },
      },
    })
    expect(await request('GET', '/api/policy')).toMatchObject({ timeouts: { said: { usual: 20 * minuteMs } } })
    await say(project, 'policy.set_timeout', { approvalTimeoutMs: 10 * minuteMs })
    const after = await live.startSession()
    expect(await leftMs(after, 'npm test')).toBe(10 * minuteMs)
    await say(project, 'policy.set_timeout', { approvalTimeoutMs: null, risk: 'high' })
    expect(await leftMs(after, 'rm -rf x')).toBe(10 * minuteMs)
  })
})
