import type { Accepted, CommandInput, CommandType } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import { ServerFrame } from '@hotline/protocol/frame'
import { limits } from '@hotline/protocol/limits'
import { subprotocol } from '@hotline/protocol/version'
import { waitBefore } from './backoff.ts'
import { FollowedStream } from './followed-stream.ts'
import { type Credential, httpRequest } from './http-request.ts'
import type { CommandOutcome, ConnectionState, Follow, Link } from './link.ts'
import { memoryOutbox, type Outbox, type WaitingCommand } from './outbox.ts'
import { watchable } from './readable.ts'
import { uuidV7 } from './uuid.ts'

/** Commands that may wait for the server at once. */
const outboxMax = 1_000
/** Commands larger than this go over HTTP: a frame has a smaller limit than a body. */
const frameBytesMax = limits.inboundFrameBytes - 4 * 1024
/** A try to connect that has not led to a welcome after this is given up. */
const connectTimeoutMs = 10_000
/** After the machine woke up or the network came back, silence for this long means that the connection is dead. */
const probeTimeoutMs = 3_000

export interface LinkOptions {
  /** Of the server, for example `http://localhost:4680`. */
  url: string
  credential: Credential
  /** Name and version of the program. */
  client?: string
  outbox?: Outbox
  /** 0 to 1, for jitter. */
  random?: () => number
}

/** What a browser has and other runtimes may lack. */
interface PageEvents {
  addEventListener?: (type: string, listener: () => void) => void
  removeEventListener?: (type: string, listener: () => void) => void
  document?: { visibilityState: string }
}

interface Pending {
  command: WaitingCommand
  sent: boolean
  answer: (outcome: CommandOutcome) => void
}

/**
 * Connects and stays connected. Follows go on after each reconnect from where they were; commands wait in the outbox and
 * are sent again with their ids until they are answered, in the order in which they were given.
 */
export function openLink(options: LinkOptions): Link {
  const { url, credential, random = Math.random, outbox = memoryOutbox() } = options
  const connection = watchable<ConnectionState>({ status: 'connecting', attempt: 0 })
  const streams = new Map<string, FollowedStream>()
  const commands = new Map<string, Pending>()
  const ephemeralEars = new Set<(frame: { kind: string; stream?: string }) => void>()
  let socket: WebSocket | undefined
  let attempt = 0
  let closed = false
  let heardAt = Date.now()
  let heartbeatMs: number = limits.heartbeatMs
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let lifeTimer: ReturnType<typeof setInterval> | undefined

  const isOpen = (): boolean => connection.value.status === 'open'
  const send = (frame: object): void => {
    if (isOpen() && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame))
  }

  async function connect(): Promise<void> {
    if (closed) return
    clearTimeout(retryTimer)
    connection.set({ status: 'connecting', attempt })
    const hello: Record<string, string> = { t: 'hello', client: options.client ?? 'sdk' }
    if (credential.kind === 'token') hello['token'] = credential.token
    else {
      const ticket = await httpRequest<{ ticket: string }>(url, credential, 'POST', '/api/auth/ticket')
      if (!ticket.ok) return lost(ticket.problem)
      hello['ticket'] = ticket.value.ticket
    }
    if (closed) return
    const target = new URL('/api/ws', url)
    target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:'
    const mine = new WebSocket(target, subprotocol)
    socket = mine
    let farewell: Problem | undefined
    const giveUp = setTimeout(() => mine.close(), connectTimeoutMs)
    mine.addEventListener('open', () => mine.send(JSON.stringify(hello)))
    mine.addEventListener('message', ({ data }) => {
      if (socket !== mine || typeof data !== 'string') return
      heardAt = Date.now()
      const parsed = ServerFrame.safeParse(JSON.parse(data))
      // Frames of a later version are passed over.
      if (!parsed.success) return
      if (parsed.data.t === 'welcome') {
        clearTimeout(giveUp)
        heartbeatMs = parsed.data.heartbeatMs
        opened()
      } else if (parsed.data.t === 'problem') farewell = parsed.data.problem
      else if (parsed.data.t === 'goodbye') {
        const { retryAfterMs } = parsed.data
        farewell = problem(
          'draining',
          'The server is going down and comes back.',
          retryAfterMs === undefined ? {} : { retryAfterMs },
        )
      } else receive(parsed.data)
    })
    mine.addEventListener('close', ({ code }) => {
      clearTimeout(giveUp)
      if (socket !== mine) return
      socket = undefined
      lost(farewell ?? byCloseCode(code))
    })
  }

  function opened(): void {
    attempt = 0
    connection.set({ status: 'open', since: Date.now() })
    clearInterval(lifeTimer)
    lifeTimer = setInterval(() => {
      if (Date.now() - heardAt > heartbeatMs * 2.5) drop()
      else send({ t: 'ping' })
    }, heartbeatMs)
    for (const followed of streams.values()) followed.ask()
    for (const pending of commands.values()) transmit(pending)
  }

  /** The socket may be half open: forget it at once instead of waiting for its close. */
  function drop(): void {
    const old = socket
    socket = undefined
    old?.close()
    lost(problem('unreachable', 'The server has not been heard from.'))
  }

  function lost(why: Problem): void {
    clearInterval(lifeTimer)
    if (closed) return
    if (why.code === 'unauthenticated' || why.code === 'ticket_invalid' || why.code === 'version_not_spoken') {
      if (why.code !== 'ticket_invalid') return connection.set({ status: 'closed', problem: why })
    }
    attempt += 1
    const wait = waitBefore(attempt, random)
    const waitMs = why.retryAfterMs === undefined ? wait.waitMs : why.retryAfterMs * (0.5 + random())
    connection.set({ status: 'waiting', attempt, retryAt: Date.now() + waitMs, problem: why, slow: wait.slow })
    retryTimer = setTimeout(() => void connect(), waitMs)
  }

  function receive(frame: ServerFrame): void {
    switch (frame.t) {
      case 'events':
        return streams.get(frame.stream)?.events(frame)
      case 'caught_up':
        return streams.get(frame.stream)?.caughtUp(frame)
      case 'reset':
        return streams.get(frame.stream)?.reset(frame)
      case 'urgent':
        return streams.get(frame.stream)?.urgent(frame.event)
      case 'unfollowed': {
        const followed = streams.get(frame.stream)
        streams.delete(frame.stream)
        return followed?.ended(frame.problem)
      }
      case 'accepted': {
        const { t: _, ...accepted } = frame
        return settle(frame.id, { ok: true, accepted })
      }
      case 'refused':
        // What could not be done just now is sent again by itself; everything else is an answer.
        if (frame.problem.code === 'storage_unavailable' || frame.problem.code === 'draining')
          return retryLater(frame.id)
        return settle(frame.id, { ok: false, problem: frame.problem })
      case 'ephemeral':
        for (const hear of ephemeralEars) {
          hear({ kind: frame.kind, ...(frame.stream === undefined ? {} : { stream: frame.stream }) })
        }
        return
      case 'heads':
        for (const [stream, cursor] of Object.entries(frame.heads)) streams.get(stream)?.head(cursor)
        return
      case 'welcome':
      case 'pong':
      case 'problem':
      case 'goodbye':
        return
    }
  }

  function transmit(pending: Pending): void {
    if (!isOpen()) return
    pending.sent = true
    const text = JSON.stringify({ t: 'command', ...pending.command })
    if (text.length * 3 < frameBytesMax || new TextEncoder().encode(text).length < frameBytesMax) {
      socket?.send(text)
      return
    }
    void httpRequest<Accepted>(url, credential, 'POST', '/api/commands', pending.command).then((answer) => {
      if (answer.ok) settle(pending.command.id, { ok: true, accepted: answer.value })
      else if (answer.problem.status >= 500) retryLater(pending.command.id)
      else settle(pending.command.id, { ok: false, problem: answer.problem })
    })
  }

  function retryLater(id: string): void {
    setTimeout(
      () => {
        const pending = commands.get(id)
        if (pending) transmit(pending)
      },
      500 + random() * 1_000,
    )
  }

  function settle(id: string, outcome: CommandOutcome): void {
    const pending = commands.get(id)
    if (!pending) return
    commands.delete(id)
    void outbox.remove(id)
    pending.answer(outcome)
  }

  /** The machine woke up, or the network is back. */
  function wake(): void {
    if (connection.value.status === 'waiting') void connect()
    else if (isOpen()) {
      const askedAt = Date.now()
      send({ t: 'ping' })
      setTimeout(() => {
        if (isOpen() && heardAt < askedAt) drop()
      }, probeTimeoutMs)
    }
  }
  const page = globalThis as unknown as PageEvents
  const onVisible = (): void => {
    if (page.document?.visibilityState !== 'hidden') wake()
  }
  page.addEventListener?.('online', wake)
  page.addEventListener?.('visibilitychange', onVisible)

  void outbox.all().then((waiting) => {
    for (const command of waiting) {
      if (!commands.has(command.id)) commands.set(command.id, { command, sent: false, answer: () => undefined })
    }
    return connect()
  })

  return {
    connection,
    follow: (stream, after, follower): Follow => {
      const followed = new FollowedStream(stream, after, follower, send)
      streams.set(stream, followed)
      if (isOpen()) followed.ask()
      return {
        get cursor() {
          return followed.cursor
        },
        close: () => {
          if (streams.get(stream) !== followed) return
          streams.delete(stream)
          send({ t: 'unfollow', stream })
        },
      }
    },
    command: <T extends CommandType>(
      stream: string,
      type: T,
      data: CommandInput<T>,
      { id = uuidV7(), signal }: { id?: string; signal?: AbortSignal } = {},
    ): Promise<CommandOutcome> => {
      if (commands.size >= outboxMax) {
        const full = problem('queue_full', `${outboxMax} commands wait for the server already.`)
        return Promise.resolve({ ok: false, problem: full })
      }
      return new Promise((answer) => {
        const pending: Pending = { command: { id, stream, type, data }, sent: false, answer }
        commands.set(id, pending)
        signal?.addEventListener('abort', () => {
          const detail = pending.sent
            ? 'Waiting for the answer was given up; the command may have been carried out.'
            : 'The command was taken back before it was sent.'
          settle(id, { ok: false, problem: problem('unreachable', detail) })
        })
        void outbox.put(pending.command).then(() => commands.has(id) && transmit(pending))
      })
    },
    reconnect: () => {
      if (closed || isOpen()) return
      attempt = 0
      clearTimeout(retryTimer)
      const old = socket
      socket = undefined
      old?.close()
      void connect()
    },
    request: (method, path, body) => httpRequest(url, credential, method, path, body),
    ephemeral: (hear) => {
      ephemeralEars.add(hear)
      return () => ephemeralEars.delete(hear)
    },
    [Symbol.asyncDispose]: () => {
      closed = true
      clearTimeout(retryTimer)
      clearInterval(lifeTimer)
      page.removeEventListener?.('online', wake)
      page.removeEventListener?.('visibilitychange', onVisible)
      const old = socket
      socket = undefined
      connection.set({ status: 'closed' })
      for (const id of commands.keys()) {
        settleSilently(id)
      }
      if (!old || old.readyState === WebSocket.CLOSED) return Promise.resolve()
      return new Promise((resolve) => {
        old.addEventListener('close', () => resolve())
        old.close()
      })
    },
  }

  /** Closing answers whoever waits; what is in a lasting outbox stays there for the next link. */
  function settleSilently(id: string): void {
    const pending = commands.get(id)
    commands.delete(id)
    pending?.answer({ ok: false, problem: problem('unreachable', 'The connection was closed before an answer came.') })
  }
}

function byCloseCode(code: number): Problem {
  if (code === 4401) return problem('unauthenticated', 'The credential is not valid. Sign in again.')
  if (code === 4426) return problem('version_not_spoken', 'This server speaks another version. Reload, or update.')
  if (code === 4429) return problem('rate_limited', 'Too much at once; slowing down.')
  if (code === 4408) return problem('too_slow', 'The connection was too slow; going on from the last event.')
  return problem('unreachable', 'The connection was lost.')
}
