import type { Accepted } from '@hotline/protocol/command-answer'
import { localProblem } from '@hotline/protocol/error'
import type { ServerFrame } from '@hotline/protocol/server-frame'
import { type Clock, systemClock } from './clock.ts'
import { CommandQueue } from './command-queue.ts'
import { type Transport, transports as allTransports, type WebSocketConstructor, type SentFrame } from './carrier.ts'
import { type FrameCodec, jsonFrames } from './frame-codec.ts'
import { Connector } from './connector.ts'
import { type Credential, httpRequest } from './http-request.ts'
import type { Ephemeral, Link } from './link.ts'
import { memoryOutbox, type Outbox } from './outbox.ts'
import { StreamFollow } from './stream-follow.ts'
import { openTransportMemory, type TransportMemory } from './transport-memory.ts'
import { uuidV7 } from './uuid.ts'

/** Where to connect and as whom; the rest has sensible values. */
export interface LinkOptions {
  /** Of the server, for example `http://localhost:4680`. */
  url: string
  /** A token is said in the first frame; with a cookie a one-use ticket is fetched before each connect. */
  credential: Credential
  /** Name and version of the program, for the list of connections; `sdk` when absent. */
  client?: string
  /** Of a runner: names this life of it, so that the server can tell a new connection of it from another runner. */
  instance?: string
  /**
   * The account that it is for, where the credential is a cookie: if somebody else has signed in meanwhile it ends, and
   * sends nothing in their name.
   */
  account?: string
  /**
   * `output`: events come without the bodies of what agents print and say, where the server can leave them out. For who
   * has reported it.
   */
  without?: 'output'
  /** In memory when absent. */
  outbox?: Outbox
  /** The runtime's own when absent. */
  webSocket?: WebSocketConstructor
  /** How frames are written on a WebSocket; JSON when absent. */
  frames?: FrameCodec
  /** Those that may be used, the best first; all when absent. */
  transports?: readonly Transport[]
  /** Where it is kept what served last; for the life of the link when absent. */
  transportMemory?: TransportMemory
  clock?: Clock
  /** No wait before a try to connect is longer, but where the server wishes it; as `backoff` says when absent. */
  longestWaitMs?: number
  /** 0 to 1, for jitter. */
  random?: () => number
}

/**
 * Connects and stays connected. Follows go on after each reconnect from where they were; commands wait in the outbox and
 * are sent again with their ids until they are answered, in the order in which they were given. Throws a TypeError where
 * `url` is none.
 */
export function openLink(options: LinkOptions): Link {
  const { url, credential, client = 'sdk', random = Math.random, clock = systemClock } = options
  const { outbox = memoryOutbox(), webSocket = WebSocket, frames = jsonFrames } = options
  const { transports = allTransports, transportMemory: memory = openTransportMemory() } = options
  const streams = new Map<string, StreamFollow>()
  let leavesOut = false
  const without = (): 'output' | undefined => (leavesOut ? options.without : undefined)
  const ephemeralEars = new Set<(frame: Ephemeral) => void>()

  const connector = new Connector(
    {
      url,
      credential,
      client,
      instance: options.instance,
      account: options.account,
      random,
      longestWaitMs: options.longestWaitMs,
      clock,
      webSocket,
      frames,
      transports,
      memory,
    },
    {
      opened: ({ principal, without: offered = [] }, way) => {
        leavesOut = options.without !== undefined && offered.includes(options.without)
        for (const followed of streams.values()) followed.ask()
        commands.opened(principal.kind === 'runner' ? 'unpaced' : 'paced', way)
      },
      frame: receive,
      unreadable,
      lost: () => {
        for (const followed of streams.values()) followed.lost()
        commands.lost()
      },
    },
  )
  const send = (frame: SentFrame): boolean => connector.send(frame)
  const commands = new CommandQueue({
    outbox,
    send,
    post: (command) => httpRequest<Accepted>(url, credential, 'POST', '/api/commands', command),
    clock,
    random,
  })
  const left = (stream: string): void => {
    if (streams.delete(stream)) send({ t: 'unfollow', stream })
  }

  function receive(frame: ServerFrame, sizeChars: number): void {
    switch (frame.t) {
      case 'events':
        return streams.get(frame.stream)?.events(frame, sizeChars)
      case 'caught_up':
        return streams.get(frame.stream)?.caughtUp(frame)
      case 'reset':
        return streams.get(frame.stream)?.reset(frame)
      case 'urgent':
        return streams.get(frame.stream)?.urgent(frame.event)
      case 'unfollowed':
        return streams.get(frame.stream)?.ended(frame.problem)
      case 'accepted': {
        const { t: _, ...accepted } = frame
        return commands.accepted(accepted)
      }
      case 'refused':
        return commands.refused(frame.id, frame.problem)
      case 'ephemeral':
        for (const hear of ephemeralEars) hear(ephemeralOf(frame))
        return
      case 'heads':
        for (const [stream, cursor] of Object.entries(frame.heads)) streams.get(stream)?.head(cursor)
        return
      case 'welcome':
      case 'pong':
      case 'problem':
      case 'goodbye':
        // The connector's own.
        return
    }
  }

  /** Kinds that we do not know are passed over. Events that cannot be read would be asked for again for ever. */
  function unreadable(frame: unknown): void {
    const { t, stream } = (frame ?? {}) as { t?: unknown; stream?: unknown }
    if (t !== 'events' || typeof stream !== 'string') return
    const detail = 'The server sent events that this version cannot read. Reload the page, or update.'
    streams.get(stream)?.ended(localProblem('invalid_frame', detail))
  }

  void commands.restore()
  connector.start()

  return {
    connection: connector.state,
    outbox: commands.waiting,
    follow: (stream, after, follower) => {
      let followed = streams.get(stream)
      if (!followed) {
        followed = new StreamFollow(stream, { send, without, clock, left })
        streams.set(stream, followed)
      }
      return followed.add(after, follower)
    },
    command: (stream, type, data, { id = uuidV7(clock.wallMs()), signal } = {}) =>
      commands.give({ id, stream, type, data }, signal),
    takeBack: (id) => Promise.resolve(commands.takeBack(id)),
    recall: () => void commands.recall(),
    reconnect: () => connector.reconnect(),
    wake: () => connector.wake(),
    request: (method, path, body) => httpRequest(url, credential, method, path, body),
    typing: (stream) => void send({ t: 'typing', stream }),
    ephemeral: (hear) => {
      ephemeralEars.add(hear)
      return () => ephemeralEars.delete(hear)
    },
    [Symbol.asyncDispose]: () => {
      commands.close()
      for (const followed of streams.values()) followed.lost()
      streams.clear()
      return connector.close()
    },
  }
}

/** Facts that it does not know, or that are not what they should be, are left out. */
function ephemeralOf(frame: Extract<ServerFrame, { t: 'ephemeral' }>): Ephemeral {
  const { kind, stream, by, people, doings, streams, evidence, ask, agent, folder, queue } = frame
  return {
    kind,
    ...(stream === undefined ? {} : { stream }),
    ...(typeof by === 'string' ? { by } : {}),
    ...(doings === undefined ? {} : { doings }),
    ...(streams === undefined ? {} : { streams }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(ask === undefined ? {} : { ask }),
    ...(agent === undefined ? {} : { agent }),
    ...(folder === undefined ? {} : { folder }),
    ...(queue === undefined ? {} : { queue }),
    ...(Array.isArray(people) ? { people: people.filter((one): one is string => typeof one === 'string') } : {}),
  }
}
