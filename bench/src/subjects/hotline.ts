import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Line, numberOf, textOf } from '../child.ts'
import { type Dialect, eventBytes, hotlineDialect } from '../dialects.ts'
import { nodeChild } from '../sample.ts'
import type { ApprovalSubject, Bench, HttpSubject, RunningSubject, Subject } from '../subject.ts'
import { startChildServer } from './child-server.ts'

/** A server with a first account, a session, and a runner that holds its lease. */
interface Prepared extends Omit<RunningSubject, 'dialect'> {
  /** The account's: a person who follows. */
  token: string
  runnerToken: string
  stream: string
  fence: number
}

async function prepare(bench: Bench, ...more: readonly string[]): Promise<Prepared> {
  const dir = join(bench.scratch, 'data')
  const server = await startChildServer(
    nodeChild(new URL('../peers/hotline.ts', import.meta.url), [dir, ...more], bench),
  )
  try {
    const origin = `http://localhost:${server.port}`
    const post = async (path: string, token: string, body: object): Promise<Readonly<Record<string, unknown>>> => {
      const headers = { 'content-type': 'application/json', origin, authorization: `Bearer ${token}` }
      if (token === '') Reflect.deleteProperty(headers, 'authorization')
      const response = await fetch(new URL(path, origin), { method: 'POST', headers, body: JSON.stringify(body) })
      const text = await response.text()
      if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${text}`)
      return JSON.parse(text) as Readonly<Record<string, unknown>>
    }
    const code = textOf(server.said, 'bootstrap')
    await post('/api/auth/bootstrap', '', { code, name: 'bench', password: 'what is measured is not secret' })
    const [token, runnerToken] = await Promise.all(
      ['cli-token', 'runner-key'].map(async (name) => (await readFile(join(dir, name), 'utf8')).trim()),
    )
    if (token === undefined || runnerToken === undefined) throw new Error('the server made no tokens')
    const stream = `session:${randomUUID()}`
    const command = (key: string, type: string, data: object): Promise<Readonly<Record<string, unknown>>> =>
      post('/api/commands', key, { id: randomUUID(), stream, type, data })
    await command(token, 'session.start', { project: 'default', agent: 'bench', title: 'What is measured' })
    const fence = numberOf(await command(runnerToken, 'lease.take', {}), 'fence')
    const active = { from: 'starting', to: 'active', reason: 'agent_ready' }
    const events = [{ type: 'session.state_changed', data: active, body: {} }]
    await command(runnerToken, 'agent.report', { fence, events })
    return { ...server, token, runnerToken, stream, fence }
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}

function subject(name: string, batch: number, ...more: readonly string[]): Subject {
  return {
    name,
    async start(bench) {
      const prepared = await prepare(bench, ...more)
      const dialect: Dialect = hotlineDialect({ ...prepared, followerToken: prepared.token, batch })
      return { ...prepared, dialect }
    },
  }
}

/** Every event is a report of its own: decided, hashed, committed, sent. */
export const hotline: Subject = subject('hotline', 1)
/** The same server, whose one transaction never ends. */
export const hotlineCommitOff: Subject = subject('hotline, commit off', 1, '--commit-off')
/** As a runner sends what an agent floods: up to sixteen events in a report. */
export const hotlineReports: Subject = subject('hotline, reports of 16', 16)

/** Reading one's own name and projects, signed in. */
export const hotlineRead: HttpSubject = {
  name: 'hotline',
  async start(bench) {
    const { token, ...server } = await prepare(bench)
    const headers = [`Authorization: Bearer ${token}`]
    return { ...server, request: { method: 'GET', path: '/api/me', headers, body: '' }, stored: undefined }
  },
}

/** One event of the usual size by a command of its own, answered when it is durable. */
export const hotlineAppend: HttpSubject = {
  name: 'hotline',
  async start(bench) {
    const { token, runnerToken, stream, fence, ...server } = await prepare(bench)
    const events = `http://localhost:${server.port}/api/sessions/${stream.slice('session:'.length)}/events?limit=1`
    const readHead = async (): Promise<number> => {
      const response = await fetch(events, { headers: { authorization: `Bearer ${token}` } })
      const page: unknown = await response.json()
      return numberOf(page as Line, 'head')
    }
    const before = await readHead()
    const headers = [`Authorization: Bearer ${runnerToken}`]
    const data = { source: 'stdout', encoding: 'utf8', bytes: eventBytes }
    const bare = { type: 'output.appended', data, body: { text: '' } }
    const text = 'x'.repeat(eventBytes - JSON.stringify(bare).length)
    const report = { fence, events: [{ ...bare, body: { text } }] }
    const body = JSON.stringify({ id: '{id}', stream, type: 'agent.report', data: report })
    const request = { method: 'POST', path: '/api/commands', headers, body }
    return { ...server, request, stored: async () => (await readHead()) - before }
  },
}

/** A person who may decide, and the runner of the session. */
export const hotlineApproval: ApprovalSubject = {
  name: 'hotline',
  async start(bench) {
    const { token: person, runnerToken: runner, stream, fence, ...server } = await prepare(bench)
    return { ...server, session: { person, runner, stream, fence } }
  },
}
