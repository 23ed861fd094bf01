import { randomUUID } from 'node:crypto'
import type { CommandOutcome, ConnectionState, Ephemeral, Follow, Follower } from '@hotline/client/link'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import { EvidenceBody } from '@hotline/protocol/evidence'
import type { AnnounceBody } from '@hotline/protocol/http'
import { TrustQuestion } from '@hotline/protocol/place'
import type { FileTransfer } from '../src/file-transfer.ts'
import type { ServerLink } from '../src/server-link.ts'
import type { World } from './world.ts'

/** A link whose connection a test cuts and mends, and whose answers it loses. */
export interface TestLink extends ServerLink, AsyncDisposable {
  cut(): void
  mend(): void
  /** The next answers are lost: what was asked is carried out, and the connection goes away. */
  loseAnswers(count: number): void
  /** Commands wait on their way to the server. */
  holdCommands(): void
  releaseCommands(): void
  /** What waits on its way, as text. */
  readonly held: readonly string[]
  /** Where follows began. */
  readonly begun: readonly string[]
  /** Tells all followers that the log has another life. */
  resetFollowers(): void
  /** Is done once, while a request for the path is on its way. */
  meanwhile(path: string, act: () => void): void
  /** Events reach the runner changed. */
  forge(change: (event: Envelope) => Envelope): void
}

interface Following {
  stream: string
  seq: number
  isCaughtUp: boolean
  follower: Follower
}

interface Waiting {
  stream: string
  type: string
  data: unknown
  id: string
  answer: (outcome: CommandOutcome) => void
}

/** A link to a world in this process: commands one by one, events in order, nothing while the connection is cut. */
export function linkOverCore(world: World): TestLink {
  let state: ConnectionState = { status: 'open', since: 0, transport: 'websocket' }
  const watchers = new Set<(state: ConnectionState) => void>()
  const followings = new Set<Following>()
  const waiting = new Map<string, Waiting>()
  const ears = new Set<(frame: Ephemeral) => void>()
  let lose = 0
  let isHolding = false
  const begun: string[] = []
  let forge = (event: Envelope): Envelope => event
  const isOpen = (): boolean => state.status === 'open'
  const change = (next: ConnectionState): void => {
    state = next
    for (const changed of watchers) changed(next)
  }

  const pump = (following: Following): void => {
    if (!isOpen() || !followings.has(following)) return
    const { events } = world.stream(following.stream)
    const batch = events.slice(following.seq)
    following.seq = events.length
    if (batch.length > 0) following.follower.events(batch.map(forge), world.epoch)
    if (following.isCaughtUp) return
    following.isCaughtUp = true
    following.follower.caughtUp?.(`${world.epoch}.${following.seq}`)
  }
  const pumpSoon = (following: Following): void => void setImmediate(() => pump(following))

  const transmit = (command: Waiting): void => {
    setImmediate(() => {
      if (!isOpen() || isHolding || !waiting.has(command.id)) return
      const outcome = world.command(command.stream, command.type, command.data, command.id)
      if (lose > 0) {
        lose -= 1
        link.cut()
        return
      }
      setImmediate(() => {
        if (!isOpen() || !waiting.delete(command.id)) return
        command.answer(outcome)
      })
    })
  }

  const acts = new Map<string, () => void>()
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the port says so
  const request = <R>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ ok: true; value: R } | { ok: false; problem: Problem }> => {
    acts.get(path)?.()
    acts.delete(path)
    return Promise.resolve(
      isOpen()
        ? { ok: true, value: serve(world, method, path, body) as R }
        : { ok: false, problem: problem('unreachable', 'Cut.') },
    )
  }

  const link: TestLink = {
    connection: {
      get value() {
        return state
      },
      watch: (changed) => {
        watchers.add(changed)
        return () => watchers.delete(changed)
      },
    },
    follow: (stream, after, follower): Follow => {
      begun.push(after)
      const following: Following = {
        stream,
        seq: after === '0' ? 0 : Number(after.split('.')[1]),
        isCaughtUp: false,
        follower,
      }
      followings.add(following)
      const hear = (): void => pumpSoon(following)
      world.stream(stream).heard.add(hear)
      pumpSoon(following)
      return {
        get cursor() {
          return `${world.epoch}.${following.seq}`
        },
        close: () => {
          followings.delete(following)
          world.stream(stream).heard.delete(hear)
        },
      }
    },
    command: <T extends CommandType>(
      stream: string,
      type: T,
      data: CommandInput<T>,
      { id = randomUUID(), signal }: { id?: string; signal?: AbortSignal } = {},
    ): Promise<CommandOutcome> =>
      new Promise((answer) => {
        const command: Waiting = { stream, type, data, id, answer }
        waiting.set(id, command)
        const giveUp = (): void => {
          if (waiting.delete(id)) answer({ ok: false, problem: problem('unreachable', 'Given up.') })
        }
        if (signal?.aborted) return giveUp()
        signal?.addEventListener('abort', giveUp, { once: true })
        transmit(command)
      }),
    request,
    ephemeral: (hear) => {
      ears.add(hear)
      return () => ears.delete(hear)
    },
    cut: () =>
      change({ status: 'waiting', attempt: 1, retryAt: 0, problem: problem('unreachable', 'Cut.'), slow: false }),
    mend: () => {
      if (isOpen()) return
      for (const following of followings) following.isCaughtUp = false
      change({ status: 'open', since: Date.now(), transport: 'websocket' })
      for (const following of followings) pumpSoon(following)
      for (const command of waiting.values()) transmit(command)
    },
    meanwhile: (path, act) => void acts.set(path, act),
    loseAnswers: (count) => {
      lose = count
    },
    holdCommands: () => {
      isHolding = true
    },
    releaseCommands: () => {
      isHolding = false
      for (const command of waiting.values()) transmit(command)
    },
    get held() {
      return isHolding ? [...waiting.values()].map(({ data }) => JSON.stringify(data)) : []
    },
    begun,
    resetFollowers: () => {
      const all = [...followings]
      followings.clear()
      for (const following of all) {
        following.follower.reset?.(`${world.epoch}.${world.stream(following.stream).events.length}`)
      }
    },
    forge: (changed) => {
      forge = changed
    },
    [Symbol.asyncDispose]: () => {
      change({ status: 'closed' })
      for (const { answer } of waiting.values()) answer({ ok: false, problem: problem('unreachable', 'Closed.') })
      waiting.clear()
      return Promise.resolve()
    },
  }
  world.look = (streams) => {
    for (const hear of ears) hear({ kind: 'look', streams })
  }
  world.hint = () => {
    if (isOpen()) for (const hear of ears) hear({ kind: 'work' })
  }
  return link
}

/** Files of that world; not while the link is cut. */
export function filesOver(world: World, { connection }: Pick<TestLink, 'connection'>): FileTransfer {
  const away = { ok: false, problem: problem('unreachable', 'Cut.') } as const
  const isOpen = (): boolean => connection.value.status === 'open'
  return {
    open: (_session, { digest }) => {
      if (!isOpen()) return Promise.resolve(away)
      const content = world.files.get(digest)
      const missing = { ok: false, problem: problem('not_found', 'There is nothing here.') } as const
      return Promise.resolve(content ? { ok: true, value: new Response(content) } : missing)
    },
    put: async (session, { name, content }) => {
      if (!isOpen()) return away
      const { by: _, ...kept } = await world.upload(session, name, { content }, world.runner)
      return { ok: true, value: { ...kept, type: 'application/octet-stream' } }
    },
  }
}

/** The few requests that a runner makes. */
export function serve(world: World, method: string, path: string, body: unknown): unknown {
  if (method === 'PUT' && path === '/api/runner') {
    world.announced.push(body as AnnounceBody)
    return { runner: world.runner.id }
  }
  if (path === '/api/runner/evidence') {
    const { sessions } = EvidenceBody.parse(JSON.parse(JSON.stringify(body)))
    world.seen.push(...sessions)
    return { taken: sessions.length }
  }
  if (path === '/api/runner/trust') return { trusted: world.isTrusted(TrustQuestion.parse(body)) }
  if (path === '/api/runner/work') {
    const states = [...world.streams.values()].flatMap(({ state }) => (state ? [state] : []))
    const waiting = states.filter(
      ({ status, undo }) =>
        ['queued', 'starting', 'interrupted'].includes(status) || (undo !== undefined && undo.phase !== 'planned'),
    )
    return { work: waiting.map(({ session, status, runner }) => ({ session, status, runner: runner ?? null })) }
  }
  const read = /^\/api\/sessions\/([^/]+)\/transcript/.exec(path)?.[1]
  if (read !== undefined) {
    const { stream, events } = world.stream(read)
    const to = events.length
    return { stream, epoch: world.epoch, head: to, from: 1, to, events, later: [], before: null }
  }
  const content = /\/content\/([0-9a-f]{64})$/.exec(path)?.[1]
  if (method === 'PUT' && content !== undefined) {
    world.content.set(content, (body as { text: string }).text)
    return undefined
  }
  return { state: world.state(path.slice(path.lastIndexOf('/') + 1)) }
}
