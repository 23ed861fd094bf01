import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { fairWeather, Flow } from './fault-flow.ts'
import type { Faults } from './fault-flow.ts'
import { randomSeed, seededRandom } from './seed.ts'

/** Where bytes go: from the client to the target, or back. */
export type Direction = 'toTarget' | 'toClient'

/** Which flows a fault hits; everything that is absent means all. */
export interface FaultScope {
  direction?: Direction | 'both'
  /** `all` (also those open now) or `new` (only connections accepted from now on). */
  connections?: 'all' | 'new'
}

/** A TCP address. */
export interface Address {
  host: string
  port: number
}

/** Where the proxy leads, and the seed of its jitter (chosen and printed when absent). */
export interface FaultProxyOptions {
  target: Address
  seed?: number
}

/** A TCP proxy on 127.0.0.1 whose network can be made bad at run time. Faults add up until `restore`. */
export interface FaultProxy extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** Connections that are open now; one that is half dead counts. */
  readonly connections: number
  /** Connections that came in since the start, refused ones included. */
  readonly accepted: number
  /** Connections that the proxy reset since the start: by `cut`, `cutAfterBytes`, `dropAnswer` or `restore`. */
  readonly cuts: number
  /** Bytes that were written on, since the start. */
  readonly forwarded: Readonly<Record<Direction, number>>
  /** Bytes that were read and dropped, since the start. */
  readonly swallowed: Readonly<Record<Direction, number>>
  /** Holds each chunk back `delayMs`, and up to `jitterMs` longer. The order stays. */
  delay(delayMs: number, options?: FaultScope & { jitterMs?: number }): void
  /** Lets so many bytes a second through; 0 stops the flow, so that its sender meets back-pressure. */
  bandwidth(bytesPerSecond: number, scope?: FaultScope): void
  /** Reads and drops all bytes, FINs and RSTs: one side may be gone and the other does not learn of it. */
  halfOpen(scope?: FaultScope): void
  /** Resets (RST) all open connections at once. New ones are served. */
  cut(): void
  /** Accepts new connections and resets them. Open ones go on. */
  refuse(): void
  /** Resets each connection when so many more bytes have gone that way; with 0, when the first byte would. */
  cutAfterBytes(sizeBytes: number, direction: Direction, options?: Pick<FaultScope, 'connections'>): void
  /** Writes in pieces of this size, with a turn of the event loop between them. */
  sliceEvery(sizeBytes: number, scope?: FaultScope): void
  /**
   * Lets requests through and drops what comes back after them: `afterMs` (0 when absent) after the first dropped
   * byte of the answer the connection is reset. What is still to come for earlier requests passes.
   */
  dropAnswer(options?: Pick<FaultScope, 'connections'> & { afterMs?: number }): void
  /**
   * Ends all faults. A connection that lost something is reset, for TCP delivers no stream with a hole; the others
   * go on, and what was held back is delivered.
   */
  restore(): void
  /** Leads new connections elsewhere, as after a restart of the server on another port. */
  setTarget(target: Address): void
  /** Stops listening and resets what is open; a second call does nothing. */
  stop(): Promise<void>
}

interface Connection {
  readonly flows: Record<Direction, Flow>
  /** Resets both sides. */
  cut(): void
}

function requireAmount(amount: number, smallest: number): void {
  if (!(amount >= smallest)) throw new RangeError(`expected a number from ${smallest} up, got ${amount}`)
}

const bothDirections: readonly Direction[] = ['toTarget', 'toClient']

/** Starts a proxy on a free port of 127.0.0.1. Throws what listening throws. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const random = seededRandom(options.seed ?? randomSeed('fault proxy'))
  const connections = new Set<Connection>()
  const forwarded = { toTarget: 0, toClient: 0 }
  const swallowed = { toTarget: 0, toClient: 0 }
  let target = options.target
  let current: Record<Direction, Faults> = { toTarget: fairWeather, toClient: fairWeather }
  let refusing = false
  let accepted = 0
  let cuts = 0

  const open = (client: Socket): void => {
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true })
    let openSockets = 2
    const cut = (): void => {
      if (!connections.has(connection)) return
      cuts += 1
      forget()
      client.resetAndDestroy()
      // Before it is connected there is nothing to reset, and resetting would wait for that.
      if (upstream.connecting) upstream.destroy()
      else upstream.resetAndDestroy()
    }
    const flow = (direction: Direction, source: Socket, sink: Socket): Flow =>
      new Flow({
        source,
        sink,
        faults: current[direction],
        random: random.fork(`${direction} ${accepted}`),
        cut,
        onForwarded: (sizeBytes) => {
          forwarded[direction] += sizeBytes
          if (direction === 'toTarget') connection.flows.toClient.arm()
        },
        onSwallowed: (sizeBytes) => {
          swallowed[direction] += sizeBytes
        },
      })
    const connection: Connection = {
      flows: { toTarget: flow('toTarget', client, upstream), toClient: flow('toClient', upstream, client) },
      cut,
    }
    const forget = (): void => {
      connections.delete(connection)
      for (const direction of bothDirections) connection.flows[direction].close()
    }
    const onClose = (outgoing: Flow) => (): void => {
      openSockets -= 1
      outgoing.sourceClosed()
      if (openSockets === 0) forget()
    }
    connections.add(connection)
    for (const [socket, outgoing] of [
      [client, connection.flows.toTarget],
      [upstream, connection.flows.toClient],
    ] as const) {
      // A reset or a refused connection shows in `close`, which follows every error.
      socket.on('error', () => undefined)
      socket.on('close', onClose(outgoing))
    }
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    accepted += 1
    if (refusing) {
      client.on('error', () => undefined)
      client.resetAndDestroy()
    } else {
      open(client)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo

  const change = (scope: FaultScope, faults: Partial<Faults>): void => {
    for (const direction of bothDirections) {
      if (scope.direction !== undefined && scope.direction !== 'both' && scope.direction !== direction) continue
      current = { ...current, [direction]: { ...current[direction], ...faults } }
      if (scope.connections === 'new') continue
      for (const { flows } of connections) flows[direction].change(faults)
    }
  }
  const cutAll = (): void => {
    for (const connection of connections) connection.cut()
  }
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= new Promise<void>((resolve) => {
      server.close(() => resolve())
      cutAll()
    })
    return stopped
  }

  return {
    host: '127.0.0.1',
    port,
    get connections() {
      return connections.size
    },
    get accepted() {
      return accepted
    },
    get cuts() {
      return cuts
    },
    forwarded,
    swallowed,
    delay(delayMs, { jitterMs = 0, ...scope } = {}) {
      requireAmount(delayMs, 0)
      requireAmount(jitterMs, 0)
      change(scope, { delayMs, jitterMs })
    },
    bandwidth(bytesPerSecond, scope = {}) {
      requireAmount(bytesPerSecond, 0)
      change(scope, { bytesPerSecond })
    },
    halfOpen(scope = {}) {
      change(scope, { passage: 'swallow' })
    },
    cut: cutAll,
    refuse() {
      refusing = true
    },
    cutAfterBytes(sizeBytes, direction, scope = {}) {
      requireAmount(sizeBytes, 0)
      change({ ...scope, direction }, { cutAfterBytes: sizeBytes })
    },
    sliceEvery(sizeBytes, scope = {}) {
      requireAmount(sizeBytes, 1)
      change(scope, { sliceBytes: sizeBytes })
    },
    dropAnswer({ afterMs = 0, ...scope } = {}) {
      change({ ...scope, direction: 'toClient' }, { passage: 'drop-answer', dropAnswerAfterMs: afterMs })
    },
    restore() {
      refusing = false
      current = { toTarget: fairWeather, toClient: fairWeather }
      for (const connection of connections) {
        const { toTarget, toClient } = connection.flows
        if (toTarget.lost || toClient.lost) {
          connection.cut()
          continue
        }
        toTarget.change(fairWeather)
        toClient.change(fairWeather)
      }
    },
    setTarget(next) {
      target = next
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
