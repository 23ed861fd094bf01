import { isAccount } from '../../src/access/is-account.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RawResponse, sendRawRequest } from '@hotline/testing/raw-http'
import { AccessLog } from '../../src/access/access-log.ts'
import { HeadKeys } from '../../src/audit/head-key.ts'
import { HeadKeyDesk } from '../../src/audit/head-key-desk.ts'
import type { Access } from '../../src/access/open-access.ts'
import { openAccess } from '../../src/access/open-access.ts'
import type { PasswordCost } from '../../src/access/passwords.ts'
import { Owners } from '../../src/access/owners.ts'
import { Proofs } from '../../src/access/proofs.ts'
import { type Config, type Environment, readConfig } from '../../src/config/read-config.ts'
import { composeHttp, type Http } from '../../src/http/compose.ts'
import type { HttpTimeouts } from '../../src/http/fastify-app.ts'
import type { Listening } from '../../src/http/listen.ts'
import { type RegisterRoutes, registerRoutes } from '../../src/http/register-routes.ts'
import { AgentLines } from '../../src/http/agent-line/agent-lines.ts'
import { openFileBlobStore } from '../../src/blob/file-blob-store.ts'
import { Feeds } from '../../src/feed/feeds.ts'
import { Connections } from '../../src/gate/connections.ts'
import { openReception } from '../../src/gate/open-reception.ts'
import { Doings } from '../../src/gate/doings.ts'
import { EvidenceDesk } from '../../src/gate/evidence-desk.ts'
import { FolderDesk } from '../../src/gate/folder-desk.ts'
import { Watchers } from '../../src/gate/watchers.ts'
import { newTraffic } from '../../src/machine/traffic.ts'
import { openSessionQueue, type SessionQueue } from '../../src/scheduler/session-queue.ts'
import { Eraser } from '../../src/scheduler/eraser.ts'
import { watchRunners } from '../../src/scheduler/runners.ts'
import { noFailpoints } from '../../src/log/failpoints.ts'
import type { Bus } from '../../src/log/bus.ts'
import type { Lists } from '../../src/log/lists.ts'
import type { LogStore } from '../../src/log/log-store.ts'
import { openMemoryBus } from '../../src/log/memory-bus.ts'
import { openDatabase } from '../../src/log/open-database.ts'
import { type Clock, systemClock, timestamp } from '../../src/machine/clock.ts'
import { systemIds } from '../../src/machine/ids.ts'
import { openLogger } from '../../src/machine/logger.ts'
import { type Metrics, openMetrics } from '../../src/machine/metrics.ts'
import { openSearch } from '../../src/search/open-search.ts'
import { Attachments } from '../../src/session/attachments.ts'
import { Exchange } from '../../src/session/exchange.ts'
import { joinOver } from '../../src/session/join-project.ts'

/** Cheap enough for tests, and still the same way through the code. */
export const cheapPasswords: PasswordCost = { memoryKiB: 256, passes: 1 }

export const owner = { name: 'dana', password: 'a long walk over the wet meadow' }

/** The HTTP side with access and a real database in a folder of its own, listening on a port of its own. */
export interface HttpStack extends AsyncDisposable {
  readonly dir: string
  readonly port: number
  readonly origin: string
  readonly listening: Listening
  readonly access: Access
  readonly http: Http
  readonly lists: Lists
  readonly store: LogStore
  readonly bus: Bus
  readonly metrics: Metrics
  /** Lines of the log. */
  readonly logged: string[]
  /** Every header, in order, is the caller's; `Host` and the length of the body are added where they are missing. */
  send(request: RawRequest): Promise<RawResponse>
  /** The same with a JSON body or none, parsed. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** Claims the fresh server; answers the owner's cookie. */
  claim(): Promise<string>
  /** Says the owner's password for a credential, so that it may make keys and accounts. */
  confirm(who: CallOptions, password?: string): Promise<void>
}

export interface RawRequest {
  method?: string
  target?: string
  headers?: readonly (readonly [string, string])[]
  body?: string | Uint8Array
}

export interface CallOptions {
  cookie?: string
  token?: string
  /** The own origin when absent and there is a cookie; `none` sends none. */
  origin?: string
  body?: unknown
  headers?: readonly (readonly [string, string])[]
}

export interface Answer {
  status: number
  headers: RawResponse['headers']
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of any form
  body: any
  /** The session in Set-Cookie, as `name=value`. */
  cookie: string | undefined
}

export interface StackOptions {
  env?: Environment
  clock?: Clock
  timeouts?: HttpTimeouts
  passwordCost?: PasswordCost
  pageDir?: string
  dir?: string
  /** `fails`: the first project cannot be made. */
  firstProject?: 'fails'
  /** Routes beside those of the server. */
  register?: RegisterRoutes
}

export async function openHttpStack(options: StackOptions = {}): Promise<HttpStack> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'hotline-http-'))
  const config: Config = readConfig({
    HOTLINE_DATA_DIR: dir,
    HOTLINE_PORT: '0',
    HOTLINE_LISTEN: '127.0.0.1',
    ...options.env,
  })
  const clock = options.clock ?? systemClock
  const ids = systemIds(() => clock.wallMs())
  const logged: string[] = []
  const logger = openLogger({ debugAreas: ['*'], destination: { write: (line) => void logged.push(line) } })
  const metrics = openMetrics()
  const database = await openDatabase({ kind: 'sqlite', dir }, { clock, ids })
  const { store, lists } = database
  const bus = openMemoryBus()
  const proofs = new Proofs(clock)
  const owners = new Owners(lists)
  const late: { queue?: SessionQueue } = {}
  const exchange = new Exchange(
    {
      store,
      lists,
      bus,
      failpoints: noFailpoints,
      fault: (error) => logger.error('exchange', { error }),
      now: () => timestamp(clock),
      isAccount: (account) => isAccount(lists, account),
      turnToBegin: async (runner, session) =>
        late.queue?.turnToBegin(runner, session) ?? { refusal: undefined, leave: () => undefined },
    },
    {
      roleOf: (project, account) => lists.roleOf(project, account),
      proofMissing: (principal) => proofs.missing(principal),
      owners,
    },
  )
  const access = await openAccess({
    dataDir: dir,
    store,
    lists,
    bus,
    clock,
    ids,
    logger,
    metrics,
    limits: config.limits,
    proofs,
    owners,
    passwordCost: options.passwordCost ?? cheapPasswords,
    joinProject: joinOver(exchange),
    createFirstProject: async (account) => {
      if (options.firstProject === 'fails') throw new Error('the first project fails on purpose')
      const principal = {
        kind: 'person',
        id: account,
        name: '',
        account,
        key: '',
        admin: true,
        scopes: ['write'],
        accessVersion: 0,
        channel: 'web:first',
      } as const
      const data = { name: 'My project' }
      const command = { id: 'first', stream: 'project:default', type: 'project.create', data } as const
      const outcome = await exchange.command(principal, command)
      if (!outcome.ok) throw new Error(outcome.problem.detail)
    },
  })
  await access.finishFirstAccount()
  const blobs = await openFileBlobStore(join(dir, 'blobs'))
  const fault = (error: unknown): void => logger.error('fault', { error })
  const connections = new Connections()
  const runners = watchRunners({ exchange, lists, bus, clock, ids, fault, connections, announced: () => undefined })
  const queue = openSessionQueue({
    exchange,
    lists,
    connections,
    machines: () => runners.machines(),
    bus,
    clock,
    fault,
  })
  late.queue = queue
  const search = await openSearch({ kind: 'sqlite', dir }, { store, bus, clock, fault })
  const feeds = new Feeds(store, bus)
  const files = await openFileBlobStore(join(dir, 'attachments'))
  const attachments = new Attachments({ blobs: files, store, lists, clock, fault })
  const eraser = new Eraser({ store, lists, blobs, attachments, feeds, clock, bus, fault })
  const watchers = new Watchers(clock)
  const doings = new Doings({ bus, projectOf: (stream) => exchange.projectOf(stream), clock, fault })
  const evidence = new EvidenceDesk({ exchange, connections, watchers, clock, fault })
  const folders = new FolderDesk({ connections, clock })
  const { socketsPerAccount } = config.limits
  const served = {
    exchange,
    feeds,
    access,
    connections,
    watchers,
    audiences: [doings, queue],
    lists,
    clock,
    ids,
    metrics,
    socketsPerAccount,
    fault,
  }
  const reception = openReception({ ...served, traffic: newTraffic() })
  const { pageDir = join(dir, 'no-page'), timeouts } = options
  const http = await composeHttp(
    {
      config,
      access,
      ids,
      exchange,
      store,
      lists,
      blobs,
      attachments,
      runners,
      queue,
      eraser,
      logger,
      metrics,
      pageDir,
      timeouts,
      reception,
      lines: new AgentLines(),
      channels: { rows: () => Promise.resolve([]) },
      evidence,
      folders,
      search,
      webhooks: {
        hooks: {
          deliveries: () => Promise.resolve([]),
          replay: () => Promise.resolve(undefined),
          test: () => Promise.resolve('taken'),
        },
        secretOf: () => 'whsec_none',
        targets: [],
      },
      headKeys: new HeadKeyDesk(HeadKeys.open(dir), { log: new AccessLog({ store, bus, clock }), clock }),
    },
    (route, ports, declared) => {
      registerRoutes(route, ports, declared)
      options.register?.(route, ports, declared)
    },
  )
  const listening = await http.listen()
  const { port } = listening
  // Under a public name a test still speaks to the port itself, by its loopback name.
  const origin = `http://localhost:${port}`

  const send = (request: RawRequest): Promise<RawResponse> =>
    sendRawRequest({ port }, rawBytes(request, port), { method: request.method ?? 'GET' })
  const call = async (method: string, path: string, more: CallOptions = {}): Promise<Answer> => {
    const headers: (readonly [string, string])[] = [...(more.headers ?? [])]
    if (more.cookie !== undefined) headers.push(['Cookie', more.cookie])
    if (more.token !== undefined) headers.push(['Authorization', `Bearer ${more.token}`])
    const from = more.origin ?? (more.cookie === undefined ? 'none' : origin)
    if (from !== 'none') headers.push(['Origin', from])
    const body = more.body === undefined ? undefined : JSON.stringify(more.body)
    if (body !== undefined) headers.push(['Content-Type', 'application/json'])
    const response = await send({ method, target: path, headers, ...(body === undefined ? {} : { body }) })
    return answerOf(response)
  }
  return {
    dir,
    port,
    origin,
    listening,
    access,
    http,
    lists,
    store,
    bus,
    metrics,
    logged,
    send,
    call,
    claim: async () => {
      const code = access.bootstrap.link('')?.split('=')[1] ?? ''
      const answer = await call('POST', '/api/auth/bootstrap', { body: { code, ...owner } })
      if (answer.status !== 200 || answer.cookie === undefined) throw new Error(JSON.stringify(answer.body))
      return answer.cookie
    },
    confirm: async (who, password = owner.password) => {
      const { status, body } = await call('POST', '/api/auth/confirm', { ...who, body: { password } })
      if (status !== 204) throw new Error(JSON.stringify(body))
    },
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]()
      await eraser[Symbol.asyncDispose]()
      feeds[Symbol.dispose]()
      evidence[Symbol.dispose]()
      folders[Symbol.dispose]()
      watchers[Symbol.dispose]()
      queue[Symbol.dispose]()
      doings[Symbol.dispose]()
      runners[Symbol.dispose]()
      await attachments[Symbol.asyncDispose]()
      await files[Symbol.asyncDispose]()
      await blobs[Symbol.asyncDispose]()
      await access[Symbol.asyncDispose]()
      await search[Symbol.asyncDispose]()
      await bus[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The bytes of a request; nothing is checked, doubled or left out. */
export function rawBytes(
  { method = 'GET', target = '/healthz', headers = [], body }: RawRequest,
  port: number,
): Uint8Array {
  const has = (name: string): boolean => headers.some(([own]) => own.toLowerCase() === name)
  const payload = typeof body === 'string' ? Buffer.from(body) : (body ?? Buffer.alloc(0))
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  if (!has('host')) lines.unshift(`Host: localhost:${port}`)
  if (body !== undefined && !has('content-length') && !has('transfer-encoding')) {
    lines.push(`Content-Length: ${payload.length}`)
  }
  return Buffer.concat([
    Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
    payload,
  ])
}

/** The answer with its body parsed and its cookie found. */
export function answerOf(response: RawResponse): Answer {
  const text = response.body.toString('utf8')
  const type = response.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  const set = response.headers.find(([name]) => name.toLowerCase() === 'set-cookie')?.[1]
  return {
    status: response.status,
    headers: response.headers,
    // An answer to HEAD says its type and has no body.
    body: type.includes('json') && text !== '' ? (JSON.parse(text) as unknown) : text,
    cookie: set?.split(';', 1)[0],
  }
}
