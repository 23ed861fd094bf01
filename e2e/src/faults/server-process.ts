import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Answer, httpRequest, type Method } from '@hotline/client/http-request'
import type { Link } from '@hotline/client/link'
import { type LinkOptions, openLink } from '@hotline/client/open-link'
import { uuidV7 } from '@hotline/client/uuid'
import type { SessionState } from '@hotline/core/session/state'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Accepted } from '@hotline/protocol/command-answer'
import type { Envelope } from '@hotline/protocol/event'
import type { DatabasePlace } from '@hotline/server/log/open-database'
import { type FaultProxy, startFaultProxy } from '@hotline/testing/fault-proxy'
import { freePort } from '@hotline/testing/free-port'
import { type HandRunner, type Sender, takeByHand } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'

const owner = { name: 'dana', password: 'a long walk over the wet meadow' } as const

const main = fileURLToPath(import.meta.resolve('@hotline/server/main'))

/** On two busy cores; a server that needs longer is stuck. */
const readyDeadlineMs = 30_000
/** A link that was sent away comes back after this, whatever its own patience: outages here are short. */
const comeBackMs = 60

/** Who holds a credential: the first account, or the built-in runner. */
type Who = 'person' | 'runner'

export interface ServerProcessOptions {
  /** An empty directory of the test's own. */
  dir: string
  /** PostgreSQL; absent: SQLite in the directory. */
  databaseUrl?: string | undefined
  /** Settings of every life. */
  env?: Readonly<Record<string, string>>
}

/** The server alone as a process of its own, with its first account: what a fault row kills, starves and starts again. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly dataDir: string
  /** How to open its log once it has ended. */
  readonly place: DatabasePlace
  /** A network in front of it that can be made bad, and the address behind which it is. */
  readonly proxy: FaultProxy
  readonly proxyUrl: string
  /** The first account. */
  readonly owner: { readonly name: string; readonly password: string }
  /** Of the present life, or the last one. */
  readonly pid: number
  /** How many lives it had. */
  readonly lives: number
  /** What all lives wrote to standard error, at most the last 64 KiB. */
  readonly complaints: string
  /** The token of the first account, or the key of the runner. */
  tokenOf(who: Who): string
  /** Another life; answers whether it was ready, or ended (as at a failpoint) before that. */
  start(env?: Readonly<Record<string, string>>): Promise<'ready' | 'ended'>
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>
  /** Asks it to end, and waits. */
  end(): Promise<void>
  /** Resolves when the present life has ended by itself. */
  ended(): Promise<void>
  /** A connection that is never tired of coming back. Closed with the server. */
  link(who?: Who, more?: Partial<LinkOptions>): Link
  request<R>(method: Method, path: string, body?: unknown): Promise<Answer<R>>
  /** As the first account, over HTTP, once. */
  post<T extends CommandType>(stream: string, type: T, data: CommandInput<T>, id?: string): Promise<Answer<Accepted>>
  /** Starts a session that the test leads by hand. `sender` speaks for the runner. */
  startSession(sender: Sender, title?: string): Promise<HandRunner>
  state(session: string): Promise<SessionState>
  /** Everything that is stored of a session, page by page. */
  stored(session: string): Promise<Envelope[]>
}

/** Starts it for the first time and makes the first account. Throws with its complaints where it does not start. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const dataDir = join(options.dir, 'data')
  const port = await freePort()
  const url = `http://localhost:${port}`
  const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port }, seed: 1 })
  const proxyUrl = `http://localhost:${proxy.port}`
  const links: (() => Promise<void>)[] = []
  let child: ChildProcess | undefined
  let gone: Promise<void> = Promise.resolve()
  let complaints = ''
  let lives = 0
  let bootstrap: string | undefined

  async function start(env: Readonly<Record<string, string>> = {}): Promise<'ready' | 'ended'> {
    const born = spawn(process.execPath, [main], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        HOTLINE_DATA_DIR: dataDir,
        HOTLINE_PORT: String(port),
        HOTLINE_LISTEN: '127.0.0.1',
        // It answers to no name that it was not told.
        HOTLINE_PUBLIC_URL: proxyUrl,
        HOTLINE_LIMIT_SOCKETS_PER_ACCOUNT: '10000',
        HOTLINE_LIMIT_SOCKETS_PER_ADDRESS: '10000',
        HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '10000000',
        HOTLINE_LIMIT_REQUESTS_PER_NETWORK: '10000000',
        ...(options.databaseUrl === undefined ? {} : { HOTLINE_DATABASE_URL: options.databaseUrl }),
        ...options.env,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = born
    lives += 1
    let isGone = false
    gone = new Promise((resolve) => {
      born.once('exit', () => {
        isGone = true
        resolve()
      })
    })
    let said = ''
    born.stdout.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-64 * 1024)))
    born.stderr.on('data', (bytes: Buffer) => (complaints = (complaints + bytes.toString()).slice(-64 * 1024)))
    await waitFor(() => isGone || said.includes('"ready":true'), {
      what: `the server to be ready; it said: ${complaints}`,
      deadlineMs: readyDeadlineMs,
    })
    bootstrap ??= /#bootstrap=([^"]+)/.exec(said)?.[1]
    return isGone ? 'ended' : 'ready'
  }
  async function signal(name: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    child?.kill(name)
    await gone
  }
  const tokenOf = (who: Who): string =>
    readFileSync(join(dataDir, who === 'person' ? 'cli-token' : 'runner-key'), 'utf8').trim()
  const request: ServerProcess['request'] = (method, path, body) =>
    httpRequest(url, { kind: 'token', token: tokenOf('person') }, method, path, body)

  async function must<R>(method: Method, path: string, body?: unknown): Promise<R> {
    const answer = await request<R>(method, path, body)
    if (answer.ok) return answer.value
    throw new Error(`${method} ${path}: ${answer.problem.code}: ${answer.problem.detail}`)
  }

  async function dispose(): Promise<void> {
    for (const close of links.splice(0)) await close()
    await proxy[Symbol.asyncDispose]()
    await signal('SIGKILL')
  }
  try {
    if ((await start()) === 'ended') throw new Error(`the server did not start: ${complaints}`)
    const first = await fetch(new URL('/api/auth/bootstrap', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({
        code: decodeURIComponent(bootstrap ?? ''),
        ...owner,
      }),
    })
    if (!first.ok)
      throw new Error(`the first account could not be made: ${first.status} ${await first.text()}\n${complaints}`)
    await waitFor(() => tokenOf('person') && tokenOf('runner'), { what: 'the keys of this machine' })
  } catch (error) {
    await dispose()
    throw error
  }

  const server: ServerProcess = {
    url,
    port,
    dataDir,
    place:
      options.databaseUrl === undefined
        ? { kind: 'sqlite', dir: dataDir }
        : { kind: 'postgres', url: options.databaseUrl },
    proxy,
    proxyUrl,
    owner,
    get pid() {
      return child?.pid ?? 0
    },
    get lives() {
      return lives
    },
    get complaints() {
      return complaints
    },
    tokenOf,
    start,
    kill: () => signal('SIGKILL'),
    end: () => signal('SIGTERM'),
    ended: () => gone,
    link: (who = 'person', more = {}) => {
      const link = openLink({ url, credential: { kind: 'token', token: tokenOf(who) }, random: () => 0, ...more })
      const stop = neverTired(link)
      links.push(async () => {
        stop()
        await link[Symbol.asyncDispose]()
      })
      return link
    },
    request,
    post: (stream, type, data, id = uuidV7()) => request('POST', '/api/commands', { id, stream, type, data }),
    startSession: async (sender, title = 'A session') => {
      const session = uuidV7()
      const data = { project: 'default', agent: 'demo', title }
      await must('POST', '/api/commands', { id: uuidV7(), stream: `session:${session}`, type: 'session.start', data })
      return takeByHand(session, sender)
    },
    state: async (session) => (await must<{ state: SessionState }>('GET', `/api/sessions/${session}`)).state,
    stored: async (session) => {
      const all: Envelope[] = []
      for (let after = '0'; ;) {
        const path = `/api/sessions/${session}/events?after=${after}`
        const page = await must<{ events: Envelope[]; next: string }>('GET', path)
        if (page.events.length === 0) return all
        all.push(...page.events)
        after = page.next
      }
    },
    [Symbol.asyncDispose]: dispose,
  }
  return server
}

/** The SDK waits half a minute after five failures in a row; a test that kills the server every second cannot. */
function neverTired(link: Link): () => void {
  let timer: NodeJS.Timeout | undefined
  const leave = link.connection.watch(({ status }) => {
    if (status === 'waiting') timer ??= setTimeout(again, comeBackMs)
  })
  function again(): void {
    timer = undefined
    if (link.connection.value.status === 'waiting') link.reconnect()
  }
  return () => {
    leave()
    clearTimeout(timer)
  }
}
