import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import type { FakeCodexOptions, FakeStep } from './fake-codex.ts'
import { command, openCodex } from './open-codex.ts'

const added = { path: '/w/a.txt', kind: { type: 'add' }, diff: 'hello\n' }

test('[R60] codex is put into a mode that asks, and only a person who may chooses another', async () => {
  await using codex = await openCodex()
  await codex.until('active')
  expect(codex.world.state(codex.session)).toMatchObject({ mode: 'workspace-write', model: 'fake-1' })
  await using free = await openCodex({}, { mode: 'full-access' })
  await free.until('active')
  expect(free.world.state(free.session)).toMatchObject({ mode: 'full-access' })
})

test.each<[string, FakeCodexOptions, string]>([
  ['a model answers', { settings: { approvalsReviewer: 'auto_review' } }, 'answered by "auto_review"'],
  ['it never asks', { settings: { approvalPolicy: 'never' } }, 'approvals "never"'],
  ['another sandbox', { settings: { sandbox: { type: 'dangerFullAccess' } } }, 'sandbox "dangerFullAccess"'],
  ['nobody is signed in', { signedOut: true }, 'Sign in there with: codex login'],
  ['it refuses', { refuse: 'thread/start' }, 'I like it as it is'],
  ['it dies', { dieAtStart: true }, 'the config file is broken'],
])('[R60] codex is not started where %s', async (_, options, why) => {
  await using codex = await openCodex(options)
  await codex.until('failed')
  expect(codex.note()).toContain(why)
})

test('[R60] a mode that codex leaves by itself is put back', async () => {
  await using codex = await openCodex()
  await codex.until('active')
  const threadSettings = { approvalPolicy: 'never', approvalsReviewer: 'user', sandboxPolicy: { type: 'readOnly' } }
  codex.send({ do: 'news', method: 'thread/settings/updated', params: { threadSettings } })
  await codex.turns(1)
  const modes = (): unknown[] =>
    codex.world.events(codex.session, 'session.profile_changed').flatMap(({ data }) => data.mode ?? [])
  await waitFor(() => modes().at(-1) === 'workspace-write' && modes().length >= 2, { what: 'the mode is back' })
})

test('[R60] codex is ended when it lets a model answer', async () => {
  await using codex = await openCodex()
  await codex.until('active')
  codex.send({ do: 'news', method: 'item/autoApprovalReview/started', params: { reviewId: 'r' } }, { do: 'hang' })
  await codex.until('failed')
  expect(codex.note()).toContain('lets a model answer in place of a person')
})

test('[R60] another mode is taken between turns, and read back', async () => {
  await using codex = await openCodex()
  await codex.until('active')
  const { world, session } = codex
  world.send(session, 'session.set_mode', { mode: 'read-only' })
  await world.until(session, 'the mode', ({ mode }) => mode === 'read-only')
  codex.send({ do: 'hang' })
  await world.until(session, 'a turn', ({ turn }) => turn)
  world.send(session, 'session.set_mode', { mode: 'full-access' })
  await waitFor(() => world.events(session, 'control.failed').length === 1, { what: 'a refusal' })
  expect(world.events(session, 'control.failed')[0]?.body?.reason).toContain('between its turns')
  expect(world.state(session).mode).toBe('read-only')
})

test('[R61] a command is allowed once or for the session, and never by a rule that codex would keep', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const rule = { acceptWithExecpolicyAmendment: { execpolicy_amendment: ['touch'] } }
  codex.send(command('c1', { ask: { availableDecisions: ['accept', rule, 'cancel'] } }), command('c2'))
  const ask = await world.ask(session)
  expect(ask.data).toMatchObject({ verdicts: ['allow', 'deny'], scopes: ['once', 'session'] })
  expect(ask.body).toMatchObject({ title: 'touch c1', input: "/bin/bash -lc 'touch c1'", reason: 'May I?' })
  world.send(session, 'approval.decide', {
    approval: ask.data.approval,
    digest: ask.data.digest,
    verdict: 'allow',
    scope: 'session',
  })
  await codex.asks(2)
  world.decide(session, await world.ask(session), 'allow')
  await codex.turns(1)
  expect(world.said(session)).toBe('c1 acceptForSession\n\nc2 accept\n')
})

test('[R61] what is asked for besides the command is shown with it, and allowed once', async () => {
  await using codex = await openCodex()
  codex.send(command('c1', { ask: { additionalPermissions: { network: { enabled: true } }, cwd: '/elsewhere' } }))
  const { data, body } = await codex.world.ask(codex.session)
  expect(data.scopes).toEqual(['once'])
  expect(body?.input).toContain('"enabled": true')
  expect(body?.input).toContain('/elsewhere')
})

test('[R61] after a no the turn goes on, and codex hears the reason before it hears the no', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  codex.send(command('c1'), { do: 'listen' }, { do: 'say', text: 'went on' })
  world.decide(session, await world.ask(session), 'deny', 'it is Friday')
  await codex.turns(1)
  expect(world.said(session)).toContain('c1 decline')
  expect(world.said(session)).toContain('heard: [Hotline] "touch c1" was refused. The person says: it is Friday')
  expect(world.said(session)).toContain('went on')
  const [step] = world.events(session, 'step.finished')
  expect(step?.data.outcome).toBe('denied')
  expect(world.state(session).counts.turns).toBe(1)
})

test('[AQ9] codex hears that nobody answered before it hears the no', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  codex.send(command('c1'), { do: 'listen' })
  const { approval } = (await world.ask(session)).data
  world.forge(session, 'approval.timed_out', `approval:${approval}`, { approval })
  await codex.turns(1)
  expect(world.said(session)).toContain('c1 decline')
  expect(world.said(session)).toContain(
    'heard: [Hotline] "touch c1" was refused. Nobody answered in time. No person has refused it.',
  )
})
test('[R61] what a person says in allowing is heard with the yes', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  codex.send(command('c1'), { do: 'listen' })
  world.decide(session, await world.ask(session), 'allow', 'but only today')
  await codex.turns(1)
  expect(world.said(session)).toContain('c1 accept')
  expect(world.said(session)).toContain('heard: [Hotline] "touch c1" was allowed. The person says: but only today')
})

test('[R61] a reason that codex does not take into the turn is its next prompt', async () => {
  await using codex = await openCodex({ refuse: 'turn/steer' })
  const { world, session } = codex
  codex.send(command('c1'))
  world.decide(session, await world.ask(session), 'deny', 'it is Friday')
  await codex.turns(2)
  expect(world.said(session)).toContain('was refused. The person says: it is Friday')
  expect(world.events(session, 'approval.dispatched')).toHaveLength(1)
})

test('[R62] a patch is asked for with its changes and with what it takes away', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const edited = { path: '/w/b.txt', kind: { type: 'update', move_path: null }, diff: '@@ -1,2 +1,2 @@\n a\n-b\n+c\n' }
  codex.send({ do: 'patch', item: 'p1', changes: [added, edited] })
  const ask = await world.ask(session)
  expect(ask.data.scopes).toEqual(['once', 'session'])
  expect(ask.body?.title).toBe('Change 2 files')
  expect(ask.body?.input).toBe(
    '--- /dev/null\n+++ /w/a.txt\n+hello\n--- /w/b.txt\n+++ /w/b.txt\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n',
  )
  expect(ask.body?.changes).toEqual([
    { path: '/w/a.txt', oldText: null, newText: 'hello\n' },
    { path: '/w/b.txt', oldText: 'a\nb\n', newText: 'a\nc\n', partial: true },
  ])
  world.decide(session, ask, 'allow')
  await codex.turns(1)
  expect(world.said(session)).toBe('p1 accept\n')
  const [step] = world.events(session, 'step.started')
  expect(step).toMatchObject({ data: { kind: 'edit' }, body: { locations: ['/w/a.txt', '/w/b.txt'] } })
})

test('[R62] a file that goes, and one that moves, are shown as that', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const gone = { path: '/w/a.txt', kind: { type: 'delete' }, diff: 'one\ntwo' }
  const diff = '@@ -1 +1 @@\n-y\n+z\n@@ -9 +9 @@\n p\n-q\n+r\n\n\nMoved to: /w/c.txt'
  const moved = { path: '/w/b.txt', kind: { type: 'update', move_path: '/w/c.txt' }, diff }
  codex.send({ do: 'patch', item: 'p1', changes: [gone, moved] })
  const { body } = await world.ask(session)
  expect(body?.changes).toEqual([
    { path: '/w/a.txt', oldText: 'one\ntwo', newText: '' },
    { path: '/w/b.txt', oldText: 'y\n⋯\np\nq\n', newText: '', partial: true },
    { path: '/w/c.txt', oldText: null, newText: 'z\n⋯\np\nr\n', partial: true },
  ])
  expect(body?.input).toBe(
    '--- /w/a.txt\n+++ /dev/null\n-one\n-two\n\\ No newline at end of file\n' +
      '--- /w/b.txt\n+++ /w/c.txt\n@@ -1 +1 @@\n-y\n+z\n@@ -9 +9 @@\n p\n-q\n+r\n',
  )
})

test('[R62] a patch whose changes were not shown can only be denied', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  codex.send({ do: 'patch', item: 'p1' })
  const ask = await world.ask(session)
  expect(ask.data).toMatchObject({ verdicts: ['deny'], scopes: [] })
  world.decide(session, ask, 'deny')
  await codex.turns(1)
  expect(world.said(session)).toBe('p1 decline\n')
})

test('[R63] asks at the same time are answered each by its own answer', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  codex.send({ do: 'together', steps: [command('c1'), command('c2'), { do: 'patch', item: 'p1', changes: [added] }] })
  await codex.asks(3)
  const asked = world.events(session, 'approval.requested')
  for (const ask of asked.toReversed()) world.decide(session, ask, ask.body?.title === 'touch c1' ? 'deny' : 'allow')
  await codex.turns(1)
  for (const said of ['c1 decline', 'c2 accept', 'p1 accept']) expect(world.said(session)).toContain(said)
})

test('[R63] more permissions are given for the turn or for the session, or not at all', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const permissions = { network: { enabled: true }, fileSystem: null }
  const request = (itemId: string): FakeStep => ({
    do: 'request',
    method: 'item/permissions/requestApproval',
    params: { itemId, cwd: '/w', reason: 'to fetch', permissions },
  })
  codex.send(request('r1'), request('r2'))
  world.decide(session, await world.ask(session), 'allow')
  await codex.asks(2)
  world.decide(session, await world.ask(session), 'deny')
  await codex.turns(1)
  expect(world.said(session)).toContain('{"permissions":{"network":{"enabled":true}},"scope":"turn"}')
  expect(world.said(session)).toContain('{"permissions":{},"scope":"turn"}')
  const outcomes = world.events(session, 'step.finished').map(({ data }) => data.outcome)
  expect(outcomes).toEqual(['done', 'denied'])
})

test('[R63] questions of codex and of its MCP servers are forms, and their answers come back in its words', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const options = [{ label: 'Blue', description: 'like the sky' }, { label: 'Red' }]
  const colour = { id: 'q1', header: 'Colour', question: 'Which one?', isOther: true, options }
  const requestedSchema = { type: 'object', properties: { name: { type: 'string' } } }
  codex.send(
    { do: 'request', method: 'item/tool/requestUserInput', params: { itemId: 'i', questions: [colour] } },
    {
      do: 'request',
      method: 'mcpServer/elicitation/request',
      params: { serverName: 'hub', mode: 'form', message: 'Who?', requestedSchema },
    },
  )
  const question = async (text: string): Promise<string> => {
    const asked = () => world.events(session, 'question.asked').find(({ body }) => body?.text === text)
    return (await waitFor(asked, { what: text })).data.question
  }
  const first = await question('Which one?')
  world.send(session, 'question.answer', {
    question: first,
    action: 'accept',
    content: { q1: 'Blue', 'q1 (other)': 'x' },
  })
  const second = await question('Who? (hub)')
  world.send(session, 'question.answer', { question: second, action: 'accept', content: { name: 'Dana' } })
  await codex.turns(1)
  expect(world.said(session)).toContain('{"answers":{"q1":{"answers":["Blue","x"]}}}')
  expect(world.said(session)).toContain('{"action":"accept","content":{"name":"Dana"},"_meta":null}')
})

test('[R63] what cannot be asked here and what is not known is answered at once', async () => {
  await using codex = await openCodex()
  const secret = { id: 'q1', header: 'Key', question: 'Your key?', isSecret: true }
  codex.send(
    { do: 'request', method: 'item/tool/requestUserInput', params: { itemId: 'i', questions: [secret] } },
    { do: 'request', method: 'mcpServer/elicitation/request', params: { mode: 'openai/userVerification' } },
    { do: 'request', method: 'item/commandExecution/requestApproval', params: { itemId: 7 } },
    { do: 'request', method: 'account/chatgptAuthTokens/refresh' },
    { do: 'request', method: 'never/heard' },
  )
  await codex.turns(1)
  const said = codex.world.said(codex.session)
  expect(said).toContain('item/tool/requestUserInput {"answers":{}}')
  expect(said).toContain('"action":"decline"')
  expect(said).toContain('item/commandExecution/requestApproval {"code":-32602')
  expect(said).toContain('account/chatgptAuthTokens/refresh {"code":-32601')
  expect(said).toContain('never/heard {"code":-32601')
  expect(codex.world.state(codex.session).status).toBe('active')
})

test('[R63] a request that codex takes back is closed, and an answer to it has no effect', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const withdrawn = { itemId: 'c9', command: 'x', commandActions: [] }
  codex.send({
    do: 'together',
    steps: [
      { do: 'request', method: 'item/commandExecution/requestApproval', params: withdrawn, withdraw: true },
      { do: 'say', text: 'on' },
    ],
  })
  await waitFor(() => world.events(session, 'approval.cancelled').length === 1, { what: 'a closed ask' })
  expect(world.events(session, 'approval.cancelled')[0]?.data.reason).toBe('agent_withdrew')
})

test('[R63] two requests of one id: the first is asked, the second is passed over', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const request = (id: number): string =>
    JSON.stringify({
      id,
      method: 'item/commandExecution/requestApproval',
      params: { threadId: '$THREAD', turnId: '$TURN', itemId: 'c1', command: 'x' },
    })
  codex.send({ do: 'raw', lines: ['{"half": ', request(77), request(77), '{"id": 5, "result": {}}', 'Hello'] })
  await codex.turns(1)
  expect(world.events(session, 'approval.requested')).toHaveLength(1)
  expect(world.state(session).status).toBe('active')
})

test('[R17] [T54] codex that says too much that cannot be used is ended, and what is asked meanwhile is closed', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const random = seededRandom(randomSeed('codex nonsense'))
  const odd = [null, 7, 'x', [], {}, { item: null }, { item: { type: 'commandExecution' } }, { threadId: 5 }]
  const methods = ['item/started', 'turn/completed', 'item/agentMessage/delta', 'serverRequest/resolved', 'no/such']
  const kinds: (() => string)[] = [
    () => JSON.stringify({ method: random.pick(methods), params: random.pick(odd) }),
    () => JSON.stringify({ id: random.int(0, 99), result: random.pick(odd) }),
    () => JSON.stringify({ id: { a: 1 }, method: 'item/fileChange/requestApproval', params: random.pick(odd) }),
    () => JSON.stringify({ id: random.int(0, 99), method: 'item/tool/requestUserInput', params: random.pick(odd) }),
    () => '{"id": 1, "method": "item/commandExec',
    () => '['.repeat(random.int(40, 80)),
  ]
  const lines = Array.from({ length: 16 }, () => random.pick(kinds)())
  codex.send({ do: 'together', steps: [command('c1'), { do: 'raw', lines, times: 200 }] })
  await codex.until('failed')
  const change = world.events(session, 'session.state_changed').at(-1)
  expect(change?.data.reason).toBe('adapter_error')
  expect(codex.note()).toMatch(/^The agent speaks what cannot be understood: /)
  expect(world.state(session)).toMatchObject({ turn: undefined, approvals: [] })
})

test('[R64] stopping the turn closes what is asked and ends what its commands left running', async () => {
  await using codex = await openCodex({}, { unfenced: true })
  const { world, session, bench } = codex
  codex.send({ do: 'terminal', item: 't1', command: 'serve' }, command('c1'))
  await codex.asks(1)
  const pid = Number(readFileSync(join(bench.cwd, 't1.pid'), 'utf8'))
  expect(existsSync(`/proc/${pid}`)).toBe(true)
  world.send(session, 'session.interrupt', {})
  await codex.turns(1)
  await waitFor(() => !bench.guard.findSurvivors().some((process) => process.pid === pid), { what: 'its end' })
  expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['cancelled'])
  expect(world.events(session, 'approval.cancelled')).toHaveLength(1)
  expect(world.events(session, 'step.finished').map(({ data }) => data.outcome)).toEqual(['cancelled', 'cancelled'])
  codex.send({ do: 'say', text: 'here again' })
  await codex.turns(2)
  expect(world.said(session)).toContain('here again')
})

test('[R63] [R64] what an agent of codex asks is asked here, and it is stopped with the turn', async () => {
  await using codex = await openCodex()
  const { world, session, bench } = codex
  const child = { threadId: 'child-1' }
  const started = { type: 'subAgentActivity', id: 's1', kind: 'started', agentPath: '/root/helper' }
  codex.send(
    { do: 'news', method: 'item/completed', params: { item: started } },
    { do: 'news', method: 'turn/started', params: { ...child, turn: { id: 'ct1', status: 'inProgress' } } },
    { do: 'news', method: 'item/agentMessage/delta', params: { ...child, itemId: 'm', delta: 'among ourselves' } },
    {
      do: 'request',
      method: 'item/commandExecution/requestApproval',
      params: { ...child, itemId: 'x1', command: 'touch x', commandActions: [] },
    },
    { do: 'think', text: 'hm' },
    { do: 'hang' },
  )
  world.decide(session, await world.ask(session), 'allow')
  await waitFor(() => world.said(session).includes('"decision":"accept"'), { what: 'the answer' })
  expect(world.said(session)).not.toContain('among ourselves')
  expect(world.printed(session, 'log')).toContain('/root/helper')
  world.send(session, 'session.interrupt', {})
  await codex.turns(1)
  expect(existsSync(join(bench.cwd, 'stopped-child-1-ct1'))).toBe(true)
})

test('[R64] a command that codex leaves running behind its turn goes on, and its step with it', async () => {
  await using codex = await openCodex({}, { unfenced: true })
  const { world, session, bench } = codex
  codex.send({ do: 'terminal', item: 't1', command: 'serve' })
  await codex.turns(1)
  expect(world.events(session, 'step.finished')).toEqual([])
  process.kill(Number(readFileSync(join(bench.cwd, 't1.pid'), 'utf8')))
  await waitFor(() => world.events(session, 'step.finished').length === 1, { what: 'the end of the step' })
  expect(world.events(session, 'step.finished')[0]).toMatchObject({
    data: { outcome: 'failed' },
    body: { output: 'hi\n' },
  })
})
