import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { httpRequest } from '@hotline/client/http-request'
import type { CommandOutcome, Link } from '@hotline/client/link'
import { openLink } from '@hotline/client/open-link'
import { uuidV7 } from '@hotline/client/uuid'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Accepted } from '@hotline/protocol/command-answer'
import { type FaultProxy, startFaultProxy } from '@hotline/testing/fault-proxy'
import { freePort } from '@hotline/testing/free-port'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { openTempDir } from '@hotline/testing/temp-dir'
import { readConfig } from '../../src/config/read-config.ts'
import type { LogStore } from '../../src/log/log-store.ts'
import { openDatabase } from '../../src/log/open-database.ts'
import { type RunningServer, startServer } from '../../src/start-server.ts'
import { owner } from '../http/http-stack.ts'

/** Somebody who may decide. What they say is said again with its id until there is an answer, whatever happens between. */
export interface Approver {
  readonly name: string
  /** Of the account. */
  readonly id: string
  say<T extends CommandType>(id: string, stream: string, type: T, data: CommandInput<T>): Promise<CommandOutcome>
}

/** A whole server whose clock a test moves, that crashes and comes back on the same data, with two people who may decide. */
export interface Stage extends AsyncDisposable {
  /** To be read, and set; who lets time pass says so to `advance`. */
  readonly clock: HandClock
  /**
   * The server's clock goes on, once those who are to be connected are: what takes a moment would otherwise have taken all
   * of it, and who says hello so late is sent away.
   */
  advance(ms: number): Promise<void>
  /** Asked before time passes: whether the machine is connected, or not to be. */
  isMachineReady: () => boolean
  /** An owner, over HTTP. */
  readonly dana: Approver
  /** An approver, over a socket. */
  readonly eli: Approver
  /** Where the machine's line begins, and the network on its way. */
  readonly url: string
  readonly machineNetwork: FaultProxy
  /** Whether there is a way for the machine. */
  machineLine(is: 'whole' | 'broken'): void
  readonly isMachineAway: boolean
  readonly runnerKey: string
  /** As dana, again and again until there is an answer; throws what is refused. */
  request<R>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<R>
  /** While it is set, each commit waits for it, before it is made and again before anybody hears that it was. */
  turn: ((what: string) => Promise<unknown>) | undefined
  /** Every line breaks in one moment, and the server is gone for so long by the wall; then it is there again. */
  crash(downMs: number): Promise<void>
  /** When the server last noted that it is awake, by its clock. */
  awakeMs(): number
  /** What is wrong with the chain of a stream; undefined where it holds. */
  verify(stream: string): Promise<{ seq: number; reason: string } | undefined>
}

/** Approvals of a session that are open at once: few, so that histories have others behind them. */
export const openMax = 3

const password = 'nine slow barges under the bridge'
const plenty = '1000000'
/** Answers that are none: the same is said again. */
const notNow = ['unreachable', 'draining', 'storage_unavailable', 'rate_limited']
const sayAgainMs = 10

/** `databaseUrl`: of an empty PostgreSQL database; SQLite in a folder of its own when absent. */
export async function openStage(databaseUrl?: string): Promise<Stage> {
  const dir = await openTempDir('hotline-stage-')
  const dataDir = join(dir.path, 'data')
  const port = await freePort()
  const target = { host: '127.0.0.1', port }
  const network = await startFaultProxy({ target, seed: 1 })
  const machineNetwork = await startFaultProxy({ target, seed: 2 })
  const url = `http://localhost:${network.port}`
  const config = readConfig({
    HOTLINE_DATA_DIR: dataDir,
    HOTLINE_PORT: String(port),
    HOTLINE_LISTEN: '127.0.0.1',
    HOTLINE_PUBLIC_URL: url,
    HOTLINE_LIMIT_OPEN_APPROVALS: String(openMax),
    HOTLINE_LIMIT_REQUESTS_PER_NETWORK: plenty,
    HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: plenty,
    ...(databaseUrl === undefined ? {} : { HOTLINE_DATABASE_URL: databaseUrl }),
  })
  const clock = handClock()
  let store: LogStore | undefined
  let turn: Stage['turn']
  const start = (): Promise<RunningServer> =>
    startServer(
      config,
      join(dir.path, 'no-page'),
      async (place, means) => {
        const database = await openDatabase(place, means)
        store = inTurns(database.store, async (what) => turn?.(what))
        return { ...database, store }
      },
      clock,
    )
  let server = await start()

  async function post(path: string, body: object, token?: string, cookie?: string): Promise<Response> {
    const response = await fetch(new URL(path, url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: url,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(cookie === undefined ? {} : { cookie }),
      },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }
  const cookieOf = (response: Response): string => response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''

  const code = decodeURIComponent(server.bootstrap?.split('#bootstrap=')[1] ?? '')
  await post('/api/auth/bootstrap', { code, ...owner })
  const first = cookieOf(await post('/api/auth/sign-in', owner))
  const made = await post('/api/accounts', { name: 'eli', password }, undefined, first)
  const { account } = (await made.json()) as { account: string }
  const second = cookieOf(await post('/api/auth/sign-in', { name: 'eli', password }))
  const tokenOf = async (cookie: string): Promise<string> => {
    const key = await post('/api/keys', { kind: 'pat', name: 'model' }, undefined, cookie)
    return ((await key.json()) as { token: string }).token
  }
  const [danaToken, eliToken] = [await tokenOf(first), await tokenOf(second)]
  const runnerKey = readFileSync(join(dataDir, 'runner-key'), 'utf8').trim()

  async function request<R>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<R> {
    for (;;) {
      const answer = await httpRequest<R>(url, { kind: 'token', token: danaToken }, method, path, body)
      if (answer.ok) return answer.value
      if (!notNow.includes(answer.problem.code)) {
        throw new Error(`${method} ${path}: ${answer.problem.detail}`, { cause: answer.problem })
      }
      await pause(sayAgainMs)
    }
  }

  const me = await request<{ id: string }>('GET', '/api/me')
  const eliLink: Link = openLink({
    url,
    credential: { kind: 'token', token: eliToken },
    longestWaitMs: sayAgainMs,
    random: () => 0,
  })
  const dana: Approver = {
    name: 'dana',
    id: me.id,
    say: async (id, stream, type, data) => {
      for (;;) {
        const credential = { kind: 'token', token: danaToken } as const
        const answer = await httpRequest<Accepted>(url, credential, 'POST', '/api/commands', { id, stream, type, data })
        if (answer.ok) return { ok: true, accepted: answer.value }
        if (!notNow.includes(answer.problem.code)) return { ok: false, problem: answer.problem }
        await pause(sayAgainMs)
      }
    },
  }
  const eli: Approver = {
    name: 'eli',
    id: account,
    say: (id, stream, type, data) => eliLink.command(stream, type, data, { id }),
  }
  const member = { account, role: 'approver' } as const
  const added = await dana.say(uuidV7(), 'project:default', 'member.add', member)
  if (!added.ok && added.problem.code === 'password_needed') {
    await post('/api/auth/confirm', { password: owner.password }, danaToken)
    const again = await dana.say(uuidV7(), 'project:default', 'member.add', member)
    if (!again.ok) throw new Error(again.problem.detail)
  } else if (!added.ok) throw new Error(added.problem.detail)

  let isMachineAway = false
  const stage: Stage = {
    clock,
    isMachineReady: () => true,
    advance: async (ms) => {
      const isReady = (): boolean =>
        eliLink.connection.value.status === 'open' && (isMachineAway || stage.isMachineReady())
      while (!isReady()) await pause(1)
      clock.advance(ms)
    },
    dana,
    eli,
    url: `http://localhost:${port}`,
    machineNetwork,
    get isMachineAway() {
      return isMachineAway
    },
    machineLine: (is) => {
      isMachineAway = is === 'broken'
      if (isMachineAway) breakLine(machineNetwork)
      else machineNetwork.restore()
    },
    runnerKey,
    request,
    get turn() {
      return turn
    },
    set turn(next) {
      turn = next
    },
    crash: async (downMs) => {
      for (const one of [network, machineNetwork]) breakLine(one)
      await server[Symbol.asyncDispose]()
      clock.setBack(-downMs)
      server = await start()
      for (const one of isMachineAway ? [network] : [network, machineNetwork]) one.restore()
    },
    awakeMs: () => Number(readFileSync(join(dataDir, 'awake'), 'utf8')),
    verify: async (stream) => store?.verify(stream),
    [Symbol.asyncDispose]: async () => {
      await eliLink[Symbol.asyncDispose]()
      for (const one of [network, machineNetwork]) await one.stop()
      await server[Symbol.asyncDispose]()
      await dir.remove()
    },
  }
  return stage
}

/** The same log, of which each commit waits until it is let on. */
function inTurns(store: LogStore, turn: (what: string) => Promise<unknown>): LogStore {
  const append: LogStore['append'] = async (group) => {
    const what = group.map(({ stream }) => stream).join(' ')
    await turn(`before a commit to ${what}`)
    const result = await store.append(group)
    await turn(`after a commit to ${what}`)
    return result
  }
  return new Proxy(store, {
    get: (of, name) => {
      if (name === 'append') return append
      const member: unknown = Reflect.get(of, name)
      return typeof member === 'function' ? member.bind(of) : member
    },
  })
}

function breakLine(network: FaultProxy): void {
  network.refuse()
  network.cut()
}
