import { uuidV7 } from '@hotline/client/uuid'
import type { CommandType } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import type { RawWebSocket } from '@hotline/testing/raw-websocket'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds, type Place, type Sample, riskySamples, samplesFor, unaskedSamples } from './command-samples.ts'
import { type Callers, openCallers, openSockets, type Who } from './callers.ts'
import { table } from './decision-table.ts'
import { heard, say } from '@hotline/testing/raw-conversation'

let callers: Callers
/** A session in `default` that a runner holds, with an open approval and a question. */
let live: { session: string; approval: string; message: string; risky: string; content: string }

beforeAll(async () => {
  callers = await openCallers()
  const runner = await callers.server.startSession()
  const { approval } = await runner.ask({ tool: 'bash', title: 'List', input: 'ls' })
  const risky = await runner.ask({ tool: 'bash', title: 'Remove', input: 'rm -rf x' })
  const message = 'm1'
  await runner.report({ type: 'message.completed', data: { message, chars: 2 }, body: { text: 'Hi' } })
  await runner.report({ type: 'question.asked', data: { question: 'q1' }, body: { text: 'Which?' } })
  const { digest } = await callers.server.putContent(runner.session, 'long')
  live = { session: runner.session, approval, message, risky: risky.approval, content: digest }
})
afterAll(() => callers[Symbol.asyncDispose]())

type Frame = { id: string; stream: string; type: string; data: unknown }

function sampleOf(kind: string, at: Place): Frame {
  const sample = (
    {
      ...samplesFor({ ...live, pawn: callers.accounts['pawn'] ?? '', owner: callers.accounts['owner'] ?? '' }),
      ...unaskedSamples,
      ...riskySamples(live),
    } as Record<string, Sample<CommandType>>
  )[kind]
  if (!sample) throw new Error(`${kind} has no sample here`)
  const [stream, data] = sample(at, uuidV7())
  const [type = ''] = kind.split(' ')
  return { id: uuidV7(), stream, type, data }
}
type Outcome = { ok: true; accepted: unknown } | { ok: false; problem: Problem }

async function overHttp(who: Who, frame: Frame): Promise<Outcome> {
  const { status, body } = await callers.call('POST', '/api/commands', who, frame)
  if (status === 200) return { ok: true, accepted: body }
  expect((body as Problem).status).toBe(status)
  return { ok: false, problem: body as Problem }
}

async function overSocket(socket: RawWebSocket, frame: Frame): Promise<Outcome> {
  await say(socket, { t: 'command', ...frame })
  const { t, problem, ...accepted } = await heard(socket, (said) => said['id'] === frame.id)
  return t === 'accepted' ? { ok: true, accepted } : { ok: false, problem: problem as Problem }
}

/** What is known of rights from an outcome; a refusal by the rules comes after them. */
function decisionOf(outcome: Outcome): 'allowed' | 'forbidden' | 'not_found' | 'password_needed' {
  if (outcome.ok) return 'allowed'
  const { code } = outcome.problem
  return code === 'forbidden' || code === 'not_found' || code === 'password_needed' ? code : 'allowed'
}

/** Everything that a credential does, at all of its doors. */
async function eachCaller(what: (name: string, who: Who, sockets: RawWebSocket[]) => Promise<void>): Promise<void> {
  for (const [name, who] of Object.entries(callers.who)) {
    const sockets = await openSockets(callers, who)
    try {
      await what(name, who, sockets)
    } finally {
      for (const socket of sockets) await socket[Symbol.asyncDispose]()
    }
  }
}

/** A session and a card that nobody has touched. */
async function freshPlace(project: string): Promise<Place> {
  const [session, program, tool, task] = [uuidV7(), uuidV7(), uuidV7(), uuidV7()]
  await callers.command(callers.owner, `session:${session}`, 'session.start', { project, agent: 'demo' })
  const line = { project, agent: 'command', command: ['cat'] }
  await callers.command(callers.owner, `session:${program}`, 'session.start', line)
  const known = { project, agent: 'tail', unasked: true } as const
  await callers.command(callers.owner, `session:${tool}`, 'session.start', known)
  await callers.command(callers.owner, `task:${task}`, 'task.create', { project, title: 'A card' })
  return { project, session, program, tool, task }
}
const nowhere: Place = { project: 'nowhere', session: 'nowhere', program: 'nowhere', tool: 'nowhere', task: 'nowhere' }

describe('one decision', () => {
  it('[T16] [X4] [X5] [X8] [AP12] a command is decided in the same way at every door, whatever its type and whoever sends it', async () => {
    const decisions = new Map<string, string[]>(kinds.map((kind) => [kind, []]))
    let turn = 0
    /** The same command by each door, in changing order: accepted by one, the others give the same answer. */
    const decide = async (who: Who, sockets: RawWebSocket[], frame: Frame): Promise<Outcome> => {
      const doors = [() => overHttp(who, frame), ...sockets.map((socket) => () => overSocket(socket, frame))]
      turn += 1
      const order = doors.map((_, at) => doors[(at + turn) % doors.length])
      const outcomes: Outcome[] = []
      for (const door of order) if (door) outcomes.push(await door())
      const [first] = outcomes
      if (!first) throw new Error('no door')
      expect(outcomes).toEqual(outcomes.map(() => first))
      return first
    }
    await eachCaller(async (name, who, sockets) => {
      const here = await freshPlace('default')
      const far = await freshPlace('elsewhere')
      for (const type of kinds) {
        const decision = decisionOf(await decide(who, sockets, sampleOf(type, here)))
        if (decision !== 'forbidden') decisions.get(type)?.push(decision === 'allowed' ? name : `${name}: ${decision}`)
        const there = await decide(who, sockets, sampleOf(type, far))
        if (type === 'project.create' || /^owner|^service with|^runner/.test(name)) continue
        // Nothing tells those who are not in that project that it is there.
        expect([name, type, there]).toEqual([name, type, await decide(who, sockets, sampleOf(type, nowhere))])
      }
    })
    expect(table(decisions)).toMatchInlineSnapshot(`
      "session.start, session.pause, session.resume, session.interrupt, session.abort, session.complete, session.rename, message.send, message.edit, message.withdraw, message.hurry, message.react, message.reorder, question.answer, terminal.resize, undo.plan, undo.apply, undo.drop, draft.make, draft.review, task.create, task.change, task.move:
        owner in a browser
        admin in a browser
        admin by token
        service of admin
        approver in a browser
        approver by token
        service of approver
        operator in a browser
        operator by token
        service of operator
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token
        owner by the token of this machine
        owner with scope write
        service for default
        owner for elsewhere: not_found
        owner for no project: not_found
        service of approver, signed
        owner by token, with the password said
      session.take_over, session.set_budget, session.set_mode, approval.decide, approval.extend, approval.recall, input.send, terminal.take, terminal.release, folder.distrust, policy.set_rule, policy.revoke_rule, policy.set_mode, policy.set_rule of what allows one thing, approval.decide that denies what is of high risk:
        owner in a browser
        admin in a browser
        admin by token
        service of admin
        approver in a browser
        approver by token
        service of approver
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token
        owner by the token of this machine
        owner with scope decide
        owner with scopes decide and decide_high
        service for default
        owner for elsewhere: not_found
        owner for no project: not_found
        service of approver, signed
        owner by token, with the password said
      session.erase, member.add, member.change, member.remove, webhook.add:
        owner in a browser
        admin in a browser
        admin by token: password_needed
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token: password_needed
        owner by the token of this machine: password_needed
        owner with scope admin: password_needed
        owner for elsewhere: not_found
        owner for no project: not_found
        owner by token, with the password said
      session.erase_output, folder.trust, task.observe, approval.expire, approval.judge, policy.end_mode, contact.lose, contact.restore, webhook.disable, policy.set_rule of a server that is none:
        nobody
      project.create:
        owner in a browser
        owner by token
        owner by the token of this machine
        owner by token, with the password said
      project.rename, project.limit_sessions, task.remove, policy.set_timeout:
        owner in a browser
        admin in a browser
        admin by token
        service of admin
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token
        owner by the token of this machine
        owner with scope admin
        service for default
        owner for elsewhere: not_found
        owner for no project: not_found
        owner by token, with the password said
      policy.move_rule, policy.set_rule of what allows more, policy.set_rule in the place of another, policy.revoke_rule of what denies:
        owner in a browser
        admin in a browser
        admin by token: password_needed
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token: password_needed
        owner by the token of this machine: password_needed
        owner for elsewhere: not_found
        owner for no project: not_found
        owner by token, with the password said
      lease.take, agent.report, agent.recover:
        runner
        runner for elsewhere: not_found
        runner of this machine
      account.begin, ask.snooze, ask.unsnooze, read.mark:
        owner in a browser: not_found
        admin in a browser: not_found
        admin by token: not_found
        approver in a browser: not_found
        approver by token: not_found
        operator in a browser: not_found
        operator by token: not_found
        viewer in a browser: not_found
        viewer by token: not_found
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token: not_found
        owner by the token of this machine: not_found
        owner with scope read: not_found
        owner for elsewhere: not_found
        owner for no project: not_found
        owner by token, with the password said: not_found
      webhook.change, webhook.rotate:
        owner in a browser: not_found
        admin in a browser: not_found
        admin by token: password_needed
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token: password_needed
        owner by the token of this machine: password_needed
        owner with scope admin: password_needed
        owner for elsewhere: not_found
        owner for no project: not_found
        owner by token, with the password said: not_found
      webhook.remove:
        owner in a browser: not_found
        admin in a browser: not_found
        admin by token: not_found
        service of admin: not_found
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token: not_found
        owner by the token of this machine: not_found
        owner with scope admin: not_found
        service for default: not_found
        owner for elsewhere: not_found
        owner for no project: not_found
        owner by token, with the password said: not_found
      policy.set_rule of the server, policy.revoke_rule of the server, policy.move_rule of the server:
        owner in a browser
        owner by token: password_needed
        owner by the token of this machine: password_needed
        owner by token, with the password said
      policy.set_timeout of the server:
        owner in a browser
        owner by token: password_needed
        owner by the token of this machine: password_needed
        owner with scope admin: password_needed
        owner by token, with the password said
      session.start in a mode, session.start without a fence, session.start with free edits, session.start of a command line, session.start of a program with a profile, message.send to a program with a profile, message.send to a program:
        owner in a browser
        admin in a browser
        admin by token
        service of admin
        approver in a browser
        approver by token
        service of approver
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token
        owner by the token of this machine
        service for default
        owner for elsewhere: not_found
        owner for no project: not_found
        service of approver, signed
        owner by token, with the password said
      approval.decide that allows what is of high risk, policy.set_rule of what is of high risk:
        owner in a browser
        admin in a browser
        admin by token
        stranger in a browser: not_found
        stranger by token: not_found
        owner by token
        owner by the token of this machine
        owner with scopes decide and decide_high
        owner for elsewhere: not_found
        owner for no project: not_found
        owner by token, with the password said"
    `)
  })

  it('[T16] [X4] [X5] a stream is followed by those who may read it over HTTP, and by nobody else', async () => {
    const here = await freshPlace('default')
    const far = await freshPlace('elsewhere')
    const readable: [name: string, row: string[]][] = []
    const follow = async (socket: RawWebSocket, stream: string): Promise<Problem | 'read'> => {
      await say(socket, { t: 'follow', stream, after: 'now' })
      const said = await heard(
        socket,
        ({ t, stream: of }) => of === stream && (t === 'caught_up' || t === 'unfollowed'),
      )
      return said.t === 'caught_up' ? 'read' : (said['problem'] as Problem)
    }
    await eachCaller(async (name, who, sockets) => {
      const get = (path: string) => callers.call('GET', path, who)
      const streams: string[] = []
      // What is not theirs and what is not there must look the same.
      const refusals = { http: new Set<string>(), follow: new Set<string>() }
      for (const [place, at] of Object.entries({ default: here, elsewhere: far, nowhere })) {
        const followed: Record<string, string> = {}
        for (const kind of ['session', 'task', 'project'] as const) {
          for (const socket of sockets) {
            const answer = await follow(socket, `${kind}:${at[kind]}`)
            const code = answer === 'read' ? answer : answer.code
            if (answer !== 'read') refusals.follow.add(JSON.stringify(answer))
            expect([name, kind, (followed[kind] ??= code)]).toEqual([name, kind, code])
          }
        }
        // One right for a project, whatever of it is read.
        expect([name, place, new Set(Object.values(followed)).size]).toEqual([name, place, 1])
        const code = followed['session'] ?? ''
        expect(['read', 'not_found']).toContain(code)
        const status = code === 'read' ? 200 : 404
        for (const path of ['', '/events', '/transcript']) {
          const answer = await get(`/api/sessions/${at.session}${path}`)
          expect([name, place, path, answer.status]).toEqual([name, place, path, status])
          if (answer.status === 404) refusals.http.add(JSON.stringify(answer.body))
        }
        // A key that may not read at all is told so; for all others a list has what they may follow.
        const list = await get('/api/sessions?limit=500')
        const listed = ((list.body.sessions ?? []) as { session: string }[]).some(
          ({ session }) => session === at.session,
        )
        expect([name, place, listed]).toEqual([name, place, code === 'read'])
        if (code === 'read') streams.push(place)
      }
      expect([name, refusals.http.size, refusals.follow.size]).toEqual([name, 1, 1])
      const content = await get(`/api/sessions/${live.session}/content/${live.content}`)
      expect([name, content.status]).toEqual([name, streams.includes('default') ? 200 : 404])
      for (const socket of sockets) if ((await follow(socket, 'server:main')) === 'read') streams.push('audit')
      readable.push([name, [...new Set(streams)]])
    })
    expect(table(readable)).toMatchInlineSnapshot(`
      "owner in a browser, owner by token, owner by the token of this machine, owner by token, with the password said:
        default
        elsewhere
        audit
      admin in a browser, admin by token, service of admin, approver in a browser, approver by token, service of approver, operator in a browser, operator by token, service of operator, viewer in a browser, viewer by token, service of viewer, service for default, service of approver, signed:
        default
      stranger in a browser, stranger by token, owner with scope write, owner with scope decide, owner with scope decide_high, owner with scopes decide and decide_high, owner for no project:
        nobody
      owner with scope read, service with scope read, runner, runner of this machine:
        default
        elsewhere
      owner with scope admin:
        audit
      owner for elsewhere, runner for elsewhere:
        elsewhere"
    `)
  })
})
