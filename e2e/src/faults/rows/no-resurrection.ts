import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import { openDatabase } from '@hotline/server/log/open-database'
import { systemClock } from '@hotline/server/machine/clock'
import { systemIds } from '@hotline/server/machine/ids'
import { guardChildren } from '@hotline/testing/child-guard'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { readAll } from '@hotline/testing/log-bench'
import { waitFor } from '@hotline/testing/wait-for'
import type { EraseOrder } from '../children/erase.ts'
import { type Done, expectNothing, FaultFound, type FaultRow, type Ground } from '../fault-row.ts'
import { type ServerProcess, startServerProcess } from '../server-process.ts'

const eraser = fileURLToPath(new URL('../children/erase.ts', import.meta.url))

/** Does something for good and answers once it is acknowledged; `stays` says afterwards what has come back. */
interface Farewell {
  name: string
  prepare(): Promise<void>
  act(): Promise<boolean>
  stays(): Promise<string | undefined>
}

/** Row 5: what was ended, taken back, revoked or erased, and acknowledged, stays so when the server dies at that moment. */
export const noResurrection: FaultRow = {
  row: 5,
  name: 'a crash right after the answer to an end, a withdrawal, a refusal, a revocation, a removal or an erasure',
  stores: ['sqlite', 'postgres'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount } = ground
    const place = await ground.openStore()
    const found: string[] = []
    const counts = { farewells: 0, crashes: 0, erasures: 0 }
    await using server = await startServerProcess(place)
    const earlier: Farewell[] = []
    for (let round = 0; round < (amount === 'some' ? 1 : 4); round += 1) {
      for (const farewell of random.shuffle(farewells(server))) {
        await farewell.prepare()
        if (!(await farewell.act())) throw new FaultFound(`${farewell.name} was refused`)
        await server.kill()
        await server.start()
        counts.crashes += 1
        counts.farewells += 1
        earlier.push(farewell)
        // Everything of earlier lives stays gone too.
        for (const one of earlier) {
          const back = await one.stays()
          if (back !== undefined) found.push(`${one.name}: ${back}`)
        }
      }
    }
    await server.kill()
    for (let round = 0; round < (amount === 'some' ? 2 : 8); round += 1) {
      found.push(...(await eraseAndDie(ground, place.databaseUrl, `session:erased-${round}`)))
      counts.erasures += 1
    }
    expectNothing(found)
    return { counts }
  },
}

function farewells(server: ServerProcess): Farewell[] {
  return [
    abortion(server),
    completion(server),
    withdrawal(server),
    refusal(server),
    revocation(server),
    removal(server),
  ]
}

async function newSession(server: ServerProcess): Promise<string> {
  const session = uuidV7()
  const data = { project: 'default', agent: 'nobody', prompt: 'Hello.' }
  const started = await server.post(`session:${session}`, 'session.start', data)
  if (!started.ok) throw new Error(started.problem.detail)
  return session
}

/** Nobody holds it, so the word of a person takes effect at once. */
function abortion(server: ServerProcess): Farewell {
  let session = ''
  return {
    name: 'session.abort',
    prepare: async () => void (session = await newSession(server)),
    act: async () => (await server.post(`session:${session}`, 'session.abort', {})).ok,
    stays: async () => {
      const { status } = await server.state(session)
      if (status !== 'aborted') return `it is ${status} again`
      const key = { kind: 'token', token: server.tokenOf('runner') } as const
      const work = await httpRequest<{ work: { session: string }[] }>(server.url, key, 'GET', '/api/runner/work')
      if (work.ok && work.value.work.some((one) => one.session === session)) return 'a runner is told to take it'
      return undefined
    },
  }
}

/** A runner holds it, and ends the agent once it was asked to: neither the wish nor the end is forgotten. */
function completion(server: ServerProcess): Farewell {
  let runner: HandRunner | undefined
  let isOver = false
  return {
    name: 'session.complete',
    prepare: async () => void (runner = await server.startSession(server.link('runner'))),
    act: async () => (await server.post(runner?.stream ?? '', 'session.complete', {})).ok,
    stays: async () => {
      const state = await server.state(runner?.session ?? '')
      if (isOver) return state.status === 'completed' ? undefined : `it is ${state.status} again`
      if (state.ending !== 'completed') return 'nobody knows any more that it was to end'
      const data = { from: 'active', to: 'interrupted', reason: 'agent_exited' }
      await runner?.report({ type: 'session.state_changed', data, body: {} })
      isOver = true
      return undefined
    },
  }
}

function withdrawal(server: ServerProcess): Farewell {
  const message = uuidV7()
  let session = ''
  return {
    name: 'message.withdraw',
    prepare: async () => {
      session = await newSession(server)
      await server.post(`session:${session}`, 'message.send', { text: 'Better not.' }, message)
    },
    act: async () => (await server.post(`session:${session}`, 'message.withdraw', { message })).ok,
    stays: async () =>
      (await server.state(session)).queue.some((waiting) => waiting.message === message) ? 'it waits again' : undefined,
  }
}

function refusal(server: ServerProcess): Farewell {
  let session = ''
  let asked = { approval: '', digest: '' }
  return {
    name: 'approval.decide (deny)',
    prepare: async () => {
      const runner = await server.startSession(server.link('runner'))
      session = runner.session
      asked = await runner.ask({ tool: 'run', title: 'Run rm', input: 'rm -r .' })
    },
    act: async () => (await server.post(`session:${session}`, 'approval.decide', { ...asked, verdict: 'deny' })).ok,
    stays: async () => {
      const pending = (await server.state(session)).approvals.find(({ approval }) => approval === asked.approval)
      if (pending?.outcome !== 'denied') return `it is ${pending?.outcome ?? 'gone'}`
      const again = await server.post(`session:${session}`, 'approval.decide', { ...asked, verdict: 'allow' })
      return again.ok ? 'it can be allowed now' : undefined
    },
  }
}

function revocation(server: ServerProcess): Farewell {
  let key = ''
  let token = ''
  const me = () => httpRequest(server.url, { kind: 'token', token }, 'GET', '/api/me')
  return {
    name: 'revoking a key',
    prepare: async () => {
      const confirmed = await server.request('POST', '/api/auth/confirm', { password: server.owner.password })
      if (!confirmed.ok) throw new Error(confirmed.problem.detail)
      const body = { kind: 'pat', name: 'short-lived' }
      const made = await server.request<{ key: string; token: string }>('POST', '/api/keys', body)
      if (!made.ok) throw new Error(made.problem.detail)
      key = made.value.key
      token = made.value.token
      if (!(await me()).ok) throw new Error('a fresh token is not taken')
    },
    act: async () => (await server.request('DELETE', `/api/keys/${key}`)).ok,
    stays: async () => ((await me()).ok ? 'the token works again' : undefined),
  }
}

function removal(server: ServerProcess): Farewell {
  const stream = `task:${uuidV7()}` as const
  return {
    name: 'task.remove',
    prepare: async () => {
      const made = await server.post(stream, 'task.create', { project: 'default', title: 'To go' })
      if (!made.ok) throw new Error(made.problem.detail)
    },
    act: async () => (await server.post(stream, 'task.remove', {})).ok,
    stays: async () => {
      const again = await server.post(stream, 'task.move', { to: 'done' })
      return again.ok ? 'it can be moved again' : undefined
    },
  }
}

/** Dies in the middle of an erasure, or right after its answer; answers what is still there. */
async function eraseAndDie(ground: Ground, databaseUrl: string | undefined, stream: string): Promise<string[]> {
  const { random } = ground
  const dir = join(ground.dir, 'data')
  const secret = `words-that-go-${random.int(0, 1e9)}`
  const place = databaseUrl === undefined ? { kind: 'sqlite', dir } : { kind: 'postgres', url: databaseUrl }
  const order = { place, stream, secret, work: 'write', events: 600 } as EraseOrder
  await using guard = guardChildren()
  const run = async (work: EraseOrder['work'], until: RegExp): Promise<void> => {
    await using child = await guard.startChild({
      command: process.execPath,
      args: [eraser, JSON.stringify({ ...order, work })],
    })
    const said = (): boolean => until.test(child.stdout)
    await waitFor(() => said() || child.exit !== undefined, {
      what: String(until),
      deadlineMs: 30_000,
      everyMs: random.int(1, 6),
    })
    if (!said()) throw new FaultFound(`erasing failed: ${child.stderr}`)
    child.kill('SIGKILL')
    await child.exited
  }
  if (random.chance(0.5)) {
    await run('write', /begins/)
    await run('erase', /erased/)
  } else await run('write', /erased/)

  const database = await openDatabase(place as EraseOrder['place'], {
    clock: systemClock,
    ids: systemIds(() => systemClock.wallMs()),
  })
  try {
    const found: string[] = []
    const events = (await readAll(database.store, stream)).map(({ bytes }) => Buffer.from(bytes).toString())
    if (events.some((event) => event.includes(secret))) found.push('erased words are read again')
    if (events.filter((event) => event.includes('harmless')).length !== order.events / 2) found.push('others went too')
    if (events.length !== order.events) found.push(`${events.length} events instead of ${order.events}`)
    const broken = await database.store.verify(stream)
    if (broken) found.push(`event ${broken.seq} does not hold: ${broken.reason}`)
    if (place.kind === 'sqlite') {
      for (const name of readdirSync(dir).filter((one) => one.startsWith('hotline.db'))) {
        if (readFileSync(join(dir, name)).includes(secret)) found.push(`erased words are in ${name}`)
      }
    }
    return found.map((what) => `erasing: ${what}`)
  } finally {
    await database[Symbol.asyncDispose]()
  }
}
