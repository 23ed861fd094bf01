import type { EventOf } from '@hotline/protocol/events'
import { isLive } from '@hotline/protocol/session-status'
import { serverStream } from '@hotline/protocol/stream'
import type { Bus } from '../log/bus.ts'
import type { Lists } from '../log/lists.ts'
import type { Appended, LogStore } from '../log/log-store.ts'
import { type Clock, repeat, timestamp } from '../machine/clock.ts'
import type { HeadKeys } from './head-key.ts'
import { HeadSender, type SendHeads } from './head-sender.ts'
import { signHead } from './signed-head.ts'

/** What keeping heads needs. */
export interface HeadKeeperPorts {
  store: Pick<LogStore, 'readChain'>
  lists: Pick<Lists, 'projects' | 'sessions'>
  bus: Pick<Bus, 'subscribe'>
  clock: Clock
  keys: Pick<HeadKeys, 'current' | 'changes' | 'onReplaced'>
  places: readonly SendHeads[]
  /** A stream's head is signed after so many events, and after so much time where it has moved. */
  every: { events: number; ms: number }
  fault: (error: unknown) => void
}

/** Sessions that may have moved before a server died; their heads are signed at the next start. */
const recentSessions = 200

/**
 * Signs the heads of streams that move and sends them to places outside: after so many events, after some time, when a session
 * is over, and when the server goes down. It hears of commits and holds none of them up.
 */
export class HeadKeeper implements AsyncDisposable {
  readonly #ports: HeadKeeperPorts
  readonly #senders: readonly HeadSender[]
  /** Streams that have moved since they were signed: where they stood when heard of last, and by how many events. */
  readonly #moved = new Map<string, { head: number; events: number }>()
  readonly #stop: readonly (() => void)[]
  #work: Promise<void>

  constructor(ports: HeadKeeperPorts) {
    this.#ports = ports
    this.#senders = ports.places.map((send) => new HeadSender(send, ports))
    this.#stop = [
      ports.bus.subscribe((appended) => this.#hear(appended)),
      repeat(ports.clock, ports.every.ms, () => this.#later(() => this.#signMoved())),
      ports.keys.onReplaced(() => this.#tellKeys()),
    ]
    this.#tellKeys()
    this.#work = this.#begin().catch(ports.fault)
  }

  /** Signs what has moved, and tries once more to send it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stop) stop()
    this.#later(() => this.#signMoved())
    await this.#work
    await Promise.all(this.#senders.map((sender) => sender[Symbol.asyncDispose]()))
  }

  /** All of them each time: a place may be new, and without one of them nobody gets from key to key. */
  #tellKeys(): void {
    for (const change of this.#ports.keys.changes) for (const sender of this.#senders) sender.add(change)
  }

  async #begin(): Promise<void> {
    const { lists } = this.#ports
    const projects = (await lists.projects()).map(({ project }) => project)
    const { sessions } = await lists.sessions({ projects, limit: recentSessions })
    const streams = [...projects.map((id) => `project:${id}`), ...sessions.map(({ session }) => `session:${session}`)]
    for (const stream of [serverStream, ...streams]) {
      if (!this.#moved.has(stream)) this.#moved.set(stream, { head: 0, events: 0 })
    }
    await this.#signMoved()
  }

  #hear({ stream, head, events }: Appended): void {
    const moved = { head, events: (this.#moved.get(stream)?.events ?? 0) + events.length }
    this.#moved.set(stream, moved)
    if (moved.events >= this.#ports.every.events || events.some(isEnd)) this.#later(() => this.#sign(stream))
  }

  /** One after the other, so that heads of a stream go out in their order. */
  #later(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch(this.#ports.fault)
  }

  async #signMoved(): Promise<void> {
    // Those of now: others may move for ever while they are signed.
    const moved = Array.from(this.#moved.keys())
    for (const stream of moved) await this.#sign(stream)
  }

  async #sign(stream: string): Promise<void> {
    const moved = this.#moved.get(stream)
    if (!moved) return
    this.#moved.delete(stream)
    const { store, clock, keys } = this.#ports
    try {
      const end = await store.readChain(stream, moved.head, 1)
      if (!end || end.head === 0) return
      const hash = Buffer.from(end.hash).toString('hex')
      const head = signHead({ stream, epoch: end.epoch, seq: end.head, hash, at: timestamp(clock) }, keys.current)
      for (const sender of this.#senders) sender.add(head)
    } catch (error) {
      // The next look takes it up again.
      if (!this.#moved.has(stream)) this.#moved.set(stream, moved)
      throw error
    }
  }
}

function isEnd({ type, bytes }: Appended['events'][number]): boolean {
  if (type !== 'session.state_changed') return false
  const { data } = JSON.parse(Buffer.from(bytes).toString()) as EventOf<'session.state_changed'>
  return !isLive(data.to)
}
