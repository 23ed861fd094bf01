import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import type { Link } from '@hotline/client/link'
import { type LinkOptions, openLink } from '@hotline/client/open-link'
import { uuidV7 } from '@hotline/client/uuid'
import type { Accepted } from '@hotline/protocol/command-answer'
import type { Envelope } from '@hotline/protocol/event'
import { type Environment, readConfig } from '@hotline/server/config/read-config'
import type { Clock } from '@hotline/server/machine/clock'
import { type RunningServer, startServer } from '@hotline/server/start-server'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { freePort } from './free-port.ts'
import { type HandRunner, takeByHand } from './hand-runner.ts'
import { sha256 } from './sha256.ts'
import { openTempDir } from './temp-dir.ts'
import { waitFor } from './wait-for.ts'

/** A whole server in this process, on a port of its own, with a first account and its project `default`. */
export interface LiveServer extends AsyncDisposable {
  readonly url: string
  /** A bad network in front of it, once it is told to be bad, and the address behind which it is. */
  readonly proxy: FaultProxy
  readonly proxyUrl: string
  readonly dataDir: string
  /** The first account's, as the command line on this machine has it. */
  readonly token: string
  link(more?: Partial<LinkOptions>): Link
  /** Ends the server and starts another one on the same data and the same port. */
  restart(): Promise<void>
  /** Takes a session that somebody has started, with a hand-led runner: what its agent does, the test says. */
  take(session: string): Promise<HandRunner>
  /** Starts one and takes it. */
  startSession(title?: string, more?: { task?: string; agent?: string }): Promise<HandRunner>
  /** Puts text beside a session's events, as its runner would; answers how an event names it. */
  putContent(session: string, text: string): Promise<{ digest: string; bytes: number }>
  /** Everything that is stored of a stream of kind session. */
  stored(session: string): Promise<Envelope[]>
}

/** What a live server is started with beside what every such server has. */
interface LiveOptions {
  /** The built page; without it there is none. */
  pageDir?: string
  env?: Environment
  /** Whose time it goes by; the machine's own when absent. */
  clock?: Clock
}

/** A server with an account, on a port of its own. */
export async function startLiveServer(options: LiveOptions = {}): Promise<LiveServer> {
  const dir = await openTempDir('hotline-live-')
  const dataDir = join(dir.path, '.hotline')
  const port = await freePort()
  const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port } })
  const url = `http://localhost:${port}`
  const proxyUrl = `http://localhost:${proxy.port}`
  const config = readConfig({
    HOTLINE_DATA_DIR: dataDir,
    HOTLINE_PORT: String(port),
    HOTLINE_LISTEN: '127.0.0.1',
    // The server answers to no name that it was not told.
    HOTLINE_PUBLIC_URL: proxyUrl,
    ...options.env,
  })
  const begin = (): Promise<RunningServer> =>
    startServer(config, options.pageDir ?? join(dir.path, 'no-page'), undefined, options.clock)
  let server = await begin()
  const code = server.bootstrap?.split('#bootstrap=')[1] ?? ''
  const first = await fetch(new URL('/api/auth/bootstrap', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ code: decodeURIComponent(code), name: 'dana', password: 'a long walk over the wet meadow' }),
  })
  if (!first.ok) throw new Error(`the first account could not be made: ${first.status} ${await first.text()}`)
  const keyIn = (file: string): Promise<string> =>
    waitFor(() => readFileSync(join(dataDir, file), 'utf8').trim(), { what: `the key in ${file}` })
  const token = await keyIn('cli-token')
  const runnerKey = await keyIn('runner-key')
  const links: Link[] = []
  const link = (more: Partial<LinkOptions> = {}): Link => {
    const opened = openLink({ url, credential: { kind: 'token', token }, random: () => 0, ...more })
    links.push(opened)
    return opened
  }
  let machine: Link | undefined

  function take(session: string): Promise<HandRunner> {
    machine ??= link({ credential: { kind: 'token', token: runnerKey }, client: 'hand' })
    return takeByHand(session, machine)
  }

  async function startSession(title = 'A session', more = {}): Promise<HandRunner> {
    const session = uuidV7()
    const stream = `session:${session}`
    const data = { project: 'default', agent: 'demo', title, ...more }
    const start = { id: uuidV7(), stream, type: 'session.start', data }
    const started = await httpRequest<Accepted>(url, { kind: 'token', token }, 'POST', '/api/commands', start)
    if (!started.ok) throw new Error(`session.start: ${started.problem.detail}`)
    return take(session)
  }

  return {
    url,
    proxy,
    proxyUrl,
    dataDir,
    token,
    link,
    restart: async () => {
      await server[Symbol.asyncDispose]()
      server = await begin()
    },
    take,
    startSession,
    putContent: async (session, text) => {
      const digest = sha256(text)
      const path = `/api/sessions/${session}/content/${digest}`
      const put = await httpRequest(url, { kind: 'token', token: runnerKey }, 'PUT', path, { text })
      if (!put.ok) throw new Error(`content: ${put.problem.detail}`)
      return { digest, bytes: Buffer.byteLength(text) }
    },
    stored: async (session) => {
      const all: Envelope[] = []
      for (let after = '0'; ;) {
        const page = await httpRequest<{ events: Envelope[]; next: string }>(
          url,
          { kind: 'token', token },
          'GET',
          `/api/sessions/${session}/events?after=${after}`,
        )
        if (!page.ok) throw new Error(page.problem.detail)
        if (page.value.events.length === 0) return all
        all.push(...page.value.events)
        after = page.value.next
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const opened of links) await opened[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await dir.remove()
    },
  }
}
