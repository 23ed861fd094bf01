import { uuidV7 } from '@hotline/client/uuid'
import { commandTypes } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { requestUpgrade } from '@hotline/testing/raw-websocket'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, type Callers, openCallers, type Who } from './callers.ts'
import { type Place, riskySamples, samplesFor, unaskedSamples } from './command-samples.ts'
import { openHttpStack } from './http-stack.ts'

let callers: Callers
let hand: HandRunner
let asked: { approval: string; digest: string }
let content: string
let task: string

beforeAll(async () => {
  callers = await openCallers()
  hand = await callers.server.startSession('Of one project')
  asked = await hand.ask({ tool: 'bash', title: 'Test', input: 'npm test' })
  await hand.report({ type: 'question.asked', data: { question: 'q1' }, body: { text: 'Which?' } })
  content = (await callers.server.putContent(hand.session, 'what is long')).digest
  task = uuidV7()
  await callers.command(callers.owner, `task:${task}`, 'task.create', { project: 'default', title: 'A card' })
})
afterAll(() => callers[Symbol.asyncDispose]())

/** Everything of one project that a request can name. */
interface Names {
  project: string
  session: string
  task: string
  approval: string
  digest: string
  content: string
}

const theirs = (): Names => ({ project: 'default', session: hand.session, task, ...asked, content })
const nobodys: Names = {
  project: 'nowhere',
  session: uuidV7(),
  task: uuidV7(),
  approval: uuidV7(),
  digest: 'd'.repeat(64),
  content: 'c'.repeat(64),
}

type Asking = [method: string, path: string, body?: object]

/** Each route that takes a name of a project or of something in it, by its declaration, with those names. */
function requestsFor({
  project,
  session,
  task: card,
  approval,
  digest,
  content: beside,
}: Names): Record<string, Asking[]> {
  const one = { id: uuidV7(), session, approval, digest, verdict: 'deny' }
  const trust = { session, folder: '/work', digest }
  const hook = { url: 'https://hooks.example.org/', events: ['task.*'] }
  return {
    'GET /api/sessions/:id': [['GET', `/api/sessions/${session}`]],
    'GET /api/sessions/:id/events': [['GET', `/api/sessions/${session}/events`]],
    'GET /api/sessions/:id/transcript': [['GET', `/api/sessions/${session}/transcript`]],
    'GET /api/sessions/:id/export': [
      ['GET', `/api/sessions/${session}/export`],
      ['GET', `/api/sessions/${session}/export?format=json`],
    ],
    'GET /api/sessions/:id/stream': [['GET', `/api/sessions/${session}/stream`]],
    'GET /api/sessions/:id/evidence': [['GET', `/api/sessions/${session}/evidence`]],
    'GET /api/sessions/:id/content/:digest': [['GET', `/api/sessions/${session}/content/${beside}`]],
    'POST /api/sessions/:id/attachments': [['POST', `/api/sessions/${session}/attachments?name=a.txt`]],
    'GET /api/sessions/:id/attachments/:digest': [['GET', `/api/sessions/${session}/attachments/${beside}`]],
    'PUT /api/sessions/:id/content/:digest': [['PUT', `/api/sessions/${session}/content/${beside}`, { text: 'x' }]],
    'GET /api/tasks': [['GET', `/api/tasks?project=${project}`]],
    'GET /api/tasks/:id': [['GET', `/api/tasks/${card}`]],
    'GET /api/projects/:id/tasks/:taskId/interactions': [
      ['GET', `/api/projects/${project}/tasks/${card}/interactions`],
      ['GET', `/api/projects/elsewhere/tasks/${card}/interactions`],
    ],
    'DELETE /api/projects/:id/tasks/:taskId/interactions': [
      ['DELETE', `/api/projects/${project}/tasks/${card}/interactions`],
      ['DELETE', `/api/projects/elsewhere/tasks/${card}/interactions`],
    ],
    'POST /api/agent': [
      ['POST', '/api/agent', { task: 'x', context: { project, agent: 'demo' } }],
      ['POST', '/api/agent', { task: 'x', context: { project, agent: 'demo' }, conversationId: card }],
    ],
    'GET /api/agent/:taskId': [
      ['GET', `/api/agent/${session}`],
      ['GET', `/api/agent/${card}`],
    ],
    'POST /api/agent/:taskId/approve': [
      ['POST', `/api/agent/${session}/approve`, { approvalId: approval, approved: false }],
    ],
    'POST /api/agent/:taskId/undo': [['POST', `/api/agent/${session}/undo`, {}]],
    'DELETE /api/agent/:taskId': [['DELETE', `/api/agent/${session}`]],
    'GET /api/projects/:id/policy': [['GET', `/api/projects/${project}/policy`]],
    'GET /api/projects/:id/trusted': [['GET', `/api/projects/${project}/trusted`]],
    'GET /api/projects/:id/members': [['GET', `/api/projects/${project}/members`]],
    'GET /api/projects/:id/webhooks': [['GET', `/api/projects/${project}/webhooks`]],
    'POST /api/projects/:id/webhooks': [['POST', `/api/projects/${project}/webhooks`, hook]],
    'PUT /api/projects/:id/webhooks/:webhook': [['PUT', `/api/projects/${project}/webhooks/w1`, { enabled: false }]],
    'DELETE /api/projects/:id/webhooks/:webhook': [['DELETE', `/api/projects/${project}/webhooks/w1`]],
    'POST /api/projects/:id/webhooks/:webhook/rotate': [['POST', `/api/projects/${project}/webhooks/w1/rotate`]],
    'POST /api/projects/:id/webhooks/:webhook/test': [['POST', `/api/projects/${project}/webhooks/w1/test`]],
    'GET /api/projects/:id/webhooks/:webhook/deliveries': [['GET', `/api/projects/${project}/webhooks/w1/deliveries`]],
    'POST /api/projects/:id/webhooks/:webhook/deliveries/:delivery/replay': [
      ['POST', `/api/projects/${project}/webhooks/w1/deliveries/d1/replay`],
    ],
    'GET /api/runners/:id/folder': [['GET', `/api/runners/r1/folder?project=${project}&agent=demo&folder=/work`]],
    'GET /api/asks': [
      ['GET', `/api/asks?project=${project}`],
      ['GET', `/api/asks?sessions=${session}`],
    ],
    'GET /api/snoozes': [['GET', '/api/snoozes']],
    'GET /api/unread': [['GET', `/api/unread?sessions=${session}`]],
    'GET /api/asks/status': [['GET', `/api/asks/status?project=${project}`]],
    'GET /api/audit': [
      ['GET', `/api/audit?project=${project}`],
      ['GET', `/api/audit?session=${session}`],
    ],
    'GET /api/audit/export': [
      ['GET', `/api/audit/export?format=ndjson&project=${project}`],
      ['GET', `/api/audit/export?format=csv&session=${session}`],
    ],
    'GET /api/usage': [['GET', `/api/usage?project=${project}`]],
    'GET /api/search': [
      ['GET', `/api/search?q=project&project=${project}`],
      ['GET', `/api/search?q=project&session=${session}`],
      ['GET', `/api/search?q=project&task=${card}`],
      ['GET', '/api/search?q=%22of+one+project%22'],
    ],
    'GET /api/audit/chain': [['GET', `/api/audit/chain?session=${session}`]],
    'GET /api/sessions': [['GET', `/api/sessions?project=${project}`]],
    'POST /api/approvals/decide': [['POST', '/api/approvals/decide', { decisions: [one] }]],
    'POST /api/follow': [
      ['POST', '/api/follow', { follows: [{ stream: `session:${session}`, after: '0' }], wait: 0 }],
      ['POST', '/api/follow', { follows: [{ stream: `project:${project}`, after: '0' }], wait: 0 }],
    ],
    'POST /api/runner/trust': [['POST', '/api/runner/trust', trust]],
  }
}

/** Where an upgrade is asked for. */
const line = 'GET /ws/agents/:name'
/** The same, where who may not read it is told so after the upgrade: see task-updates.test.ts. */
const updates = 'GET /api/agent/:taskId/updates'
/** And see interact.test.ts. */
const interact = 'GET /api/projects/:id/tasks/:taskId/interact'

async function atLine(name: string, session: string): Promise<{ status: number; body: unknown }> {
  const headers = [
    ['Host', `localhost:${callers.port}`],
    ['Authorization', `Bearer ${callers.who[name]?.token}`],
  ] as const
  const outcome = await requestUpgrade({ port: callers.port, path: `/ws/agents/${session}`, headers })
  if (outcome.kind === 'open') {
    await outcome.socket[Symbol.asyncDispose]()
    return { status: 101, body: null }
  }
  const { status, body } = outcome.response
  return { status, body: JSON.parse(body.toString('utf8')) as unknown }
}

/** Routes that name nothing of a project: accounts, keys, codes, oneself; what machines say goes by their leases. Commands: below. */
const nameless =
  /^(GET|POST|PUT|DELETE) \/(api\/(me|people|accounts|connections|auth|invitations|keys|ws\/stats|channels|agent\/history|audit\/key|runner|runner\/work|runner\/folder|runner\/evidence|queue|agents|commands|policy|(open|async)api\.json)\b|\.well-known\/jwks|healthz|readyz|metrics|ws\/permissions)/

async function heads(): Promise<unknown> {
  const { owner } = callers
  const lengths: Record<string, number> = {}
  for (const stream of [`session:${hand.session}`, `task:${task}`, 'project:default']) {
    const follow = { follows: [{ stream, after: '0' }], wait: 0 }
    const { body } = await callers.call('POST', '/api/follow', owner, follow)
    lengths[stream] = JSON.stringify(body).match(/"seq":/g)?.length ?? 0
  }
  expect(Object.values(lengths).every((length) => length > 0)).toBe(true)
  return lengths
}

/** What differs by itself: the names that were asked about, and ids of the moment. */
function without(names: Names, { status, body }: Pick<Answered, 'status' | 'body'>): unknown {
  let text = JSON.stringify(body).replaceAll(/"(connection|serverTime|retryAt|indexedTo)":"[^"]*"/g, '"$1":""')
  for (const [kind, name] of Object.entries(names)) text = text.replaceAll(name, kind)
  return { status, body: JSON.parse(text) as unknown }
}

const strangers = [
  'stranger by token',
  'stranger in a browser',
  'owner for elsewhere',
  'owner for no project',
  'runner for elsewhere',
]

describe('what is of another project', () => {
  it('[T26] is not found by its name at any route, as what is nowhere, and nothing is written', async () => {
    await using stack = await openHttpStack()
    const declared = stack.http.declared.map(({ method, url }) => `${method} ${url}`)
    const known = Object.keys(requestsFor(nobodys))
    expect(declared.filter((route) => !known.includes(route) && !nameless.test(route))).toEqual([
      line,
      updates,
      interact,
    ])
    expect(known.filter((route) => !declared.includes(route))).toEqual([])
    const before = await heads()
    for (const name of strangers) {
      const who: Who = callers.who[name] ?? {}
      for (const route of known) {
        const [here, nowhere] = [requestsFor(theirs())[route] ?? [], requestsFor(nobodys)[route] ?? []]
        for (const [index, [method, path, body]] of here.entries()) {
          const answer = await callers.call(method, path, who, body)
          const [, otherPath = '', otherBody] = nowhere[index] ?? []
          const other = await callers.call(method, otherPath, who, otherBody)
          expect([name, route, without(theirs(), answer)]).toEqual([name, route, without(nobodys, other)])
          // A refusal, or a list in which it is not.
          const text = JSON.stringify(answer.body)
          if (answer.status === 200)
            expect([name, route, text.includes('Of one project')]).toEqual([name, route, false])
          // A token that never said a password is asked for it first, wherever that is.
          else if (!text.includes('"password_needed"'))
            expect([name, route, [403, 404].includes(answer.status)]).toEqual([name, route, true])
        }
      }
    }
    for (const name of strangers.filter((one) => callers.who[one]?.token !== undefined)) {
      const [answer, other] = [await atLine(name, hand.session), await atLine(name, nobodys.session)]
      expect([name, without(theirs(), answer)]).toEqual([name, without(nobodys, other)])
      expect([name, [403, 404].includes(answer.status)]).toEqual([name, true])
    }
    expect((await atLine('viewer by token', hand.session)).status).toBe(101)
    expect(await heads()).toEqual(before)
  })

  it('[T26] takes no command, whatever its type, and nothing is written', async () => {
    const before = await heads()
    const at: Place = { project: 'default', session: hand.session, program: hand.session, tool: hand.session, task }
    const of = { session: hand.session, approval: asked.approval, message: 'm1', risky: asked.approval, content }
    const pawn = callers.accounts['pawn'] ?? ''
    const samples = {
      ...samplesFor({ ...of, pawn, owner: callers.accounts['owner'] ?? '' }),
      ...unaskedSamples,
      ...riskySamples(of),
    }
    expect(Object.keys(samples)).toEqual(expect.arrayContaining([...commandTypes]))
    for (const name of strangers) {
      for (const [kind, sample] of Object.entries(samples)) {
        if (kind === 'project.create') continue
        const [stream, data] = sample(at, uuidV7())
        // The rightful digest: what keeps them out is not that they do not know it.
        const exact = kind === 'approval.decide' ? { ...data, digest: asked.digest } : data
        const [type] = kind.split(' ')
        const frame = { id: uuidV7(), stream, type, data: exact }
        const { status, body } = await callers.call('POST', '/api/commands', callers.who[name] ?? {}, frame)
        expect([name, kind, status]).toEqual([name, kind, status === 403 ? 403 : 404])
        expect(['forbidden', 'not_found']).toContain((body as Problem).code)
      }
    }
    expect(await heads()).toEqual(before)
  })

  it('[T26] an approval is decided in its own session alone', async () => {
    const other = await callers.server.startSession('Another')
    const before = await heads()
    const data = { ...asked, verdict: 'allow' }
    const frame = { id: uuidV7(), stream: other.stream, type: 'approval.decide', data }
    const { status, body } = await callers.call('POST', '/api/commands', callers.owner, frame)
    expect([status, (body as Problem).code]).toEqual([404, 'not_found'])
    const many = { decisions: [{ id: uuidV7(), session: other.session, ...asked, verdict: 'allow' }] }
    const answer = await callers.call('POST', '/api/approvals/decide', callers.owner, many)
    expect(answer.body).toMatchObject({ outcomes: [{ ok: false, problem: { code: 'not_found' } }] })
    expect(await heads()).toEqual(before)
  })
})

/** Words with which people decide in other places. */
const decisive = (approval: string, digest: string): string[] => [
  `/approve ${approval}`,
  '/approve',
  '/allow',
  `/allow ${approval}`,
  '/deny',
  `/deny ${approval} no`,
  '/yes',
  '/y',
  'y',
  'Y',
  'yes',
  'Yes!',
  'no',
  'ok',
  'OK, go on',
  'approve',
  'approve all',
  'approved',
  'APPROVED',
  'allow',
  'allow once',
  'allow always',
  'always allow',
  'deny',
  'denied',
  'reject',
  'accept',
  'confirm',
  'go ahead',
  'do it',
  'lgtm',
  '👍',
  ':+1:',
  '✅',
  '1',
  '2',
  'a',
  'allow_once',
  'allow_always',
  'approval.decide',
  `approval.decide ${approval} ${digest} allow`,
  JSON.stringify({ verdict: 'allow' }),
  JSON.stringify({ approval, digest, verdict: 'allow' }),
  JSON.stringify({ type: 'approval.decide', data: { approval, digest, verdict: 'allow', scope: 'once' } }),
  JSON.stringify({
    t: 'command',
    id: 'x',
    stream: hand.stream,
    type: 'approval.decide',
    data: { approval, digest, verdict: 'deny' },
  }),
  `<approve id="${approval}"/>`,
  `hotline approve ${approval} --yes`,
  `> /approve ${approval}`,
  `@hotline approve ${approval}`,
  `APPROVE ${approval.toUpperCase()}`,
  `\u202e/approve ${approval}`,
]

it('[T27] nothing that anybody writes decides: fifty texts, of every role, and of the agent', async () => {
  const texts = decisive(asked.approval, asked.digest)
  expect(new Set(texts).size).toBeGreaterThanOrEqual(50)
  const writers = [
    'owner in a browser',
    'admin by token',
    'approver by token',
    'operator by token',
    'service of approver',
    'viewer by token',
  ]
  for (const name of writers) {
    const session = await callers.server.startSession(`Written to by ${name}`)
    const open = await session.ask({ tool: 'bash', title: 'Test', input: 'npm test' })
    const statuses = new Set<number>()
    for (const text of decisive(open.approval, open.digest)) {
      const frame = { id: uuidV7(), stream: session.stream, type: 'message.send', data: { text } }
      statuses.add((await callers.call('POST', '/api/commands', callers.who[name] ?? {}, frame)).status)
    }
    await session.report(
      ...decisive(open.approval, open.digest).map((text) => ({
        type: 'message.completed' as const,
        data: { message: uuidV7(), chars: text.length },
        body: { text },
      })),
    )
    expect([name, [...statuses]]).toEqual([name, [name === 'viewer by token' ? 403 : 200]])
    const answer = await callers.call('GET', `/api/sessions/${session.session}`, callers.owner)
    expect(answer.body.state.approvals).toMatchObject([{ approval: open.approval, digest: open.digest }])
    expect(answer.body.state.approvals[0].outcome).toBeUndefined()
    const ofApproval = (await callers.server.stored(session.session)).filter(({ type }) => type.startsWith('approval.'))
    expect(ofApproval.map(({ type }) => type)).toEqual(['approval.requested'])
  }
})
