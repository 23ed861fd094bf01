import type { Doing } from '@hotline/protocol/doing'
import type { Envelope } from '@hotline/protocol/event'
import type { Clock } from '../clock.ts'
import type { Ephemeral, Follow, Link } from '../link.ts'
import type { WaitingCommand } from '../outbox.ts'
import type { Told, ToLeader, ToTab, WantedFollow } from './messages.ts'

/** So much may lie unread before one tab; what is more waits for it on the server. */
const unreadMax = 4 * 1024 * 1024
/** A tab that was not heard from for so long is forgotten; browsers let the timers of a hidden one run once in a minute. */
const forgetAfterMs = 200_000
const sweepEveryMs = 60_000
/** A tab that goes may have kept a last command, and told nobody: it has this long to be kept whole. */
const recallAfterMs = 1_000
/** What waits in the outbox is told whole, and so not after each of many changes. */
const outboxEveryMs = 100

/** One tab, as its leader knows it. */
interface Attached {
  attachment: string
  follows: Map<number, { stream: string; follow: Follow }>
  aborts: Map<string, AbortController>
  /** Sizes of all that it was told, and of what it has read of that. */
  told: number
  taken: number
}

/** The way to one tab. */
export interface TabPort {
  post(message: ToTab): void
  close(): void
  /** For the leader's own: nothing lies between the two. */
  readonly direct: boolean
}

interface Tab {
  port: TabPort
  heardAt: number
  attached?: Attached
}

/** What is true for a moment in one stream, for tabs that begin to follow it later. */
interface Moment {
  watching?: Ephemeral
  doings: Map<string, Doing>
}

/**
 * What the leading tab does for all tabs, its own included: follows for them over the one link, each from its own cursor,
 * and gives their commands. It keeps nothing for a tab that does not read but the place where it attaches again.
 */
export class Hub {
  readonly #leader: string
  readonly #link: Link
  readonly #clock: Clock
  readonly #tabs = new Map<string, Tab>()
  readonly #moments = new Map<string, Moment>()
  readonly #ends: (() => void)[]
  /** How long events are as text: counted once, however many tabs get them. */
  readonly #sizes = new WeakMap<Envelope, number>()
  #cancelSweep: () => void
  #cancelOutbox: (() => void) | undefined
  #cancelRecall: (() => void) | undefined
  #closed = false

  constructor(leader: string, link: Link, clock: Clock) {
    this.#leader = leader
    this.#link = link
    this.#clock = clock
    this.#ends = [
      link.connection.watch((state) => {
        if (state.status !== 'open') this.#moments.clear()
        this.#tellAll({ t: 'connection', state })
      }),
      link.outbox.watch(() => {
        this.#cancelOutbox ??= clock.after(outboxEveryMs, () => this.#tellOutbox())
      }),
      link.ephemeral((frame) => this.#hearEphemeral(frame)),
    ]
    this.#cancelSweep = clock.after(sweepEveryMs, () => this.#sweep())
  }

  /** A tab looks for its leader; `open` makes the way to it where there is none yet. */
  join(name: string, attachment: string | undefined, open: () => TabPort): void {
    const known = this.#tabs.get(name)
    if (known) known.heardAt = this.#clock.wallMs()
    else this.#tabs.set(name, { port: open(), heardAt: this.#clock.wallMs() })
    if (known?.attached?.attachment === attachment && known?.attached) this.#tell(known, { t: 'pong' })
    else this.#tabs.get(name)?.port.post({ t: 'offer', leader: this.#leader })
  }

  receive(name: string, message: ToLeader): void {
    const tab = this.#tabs.get(name)
    if (!tab || this.#closed) return
    tab.heardAt = this.#clock.wallMs()
    if (message.t === 'attach') {
      if (message.leader === this.#leader) this.#attach(tab, message)
      return
    }
    const { attached } = tab
    if (attached?.attachment !== message.attachment) return
    switch (message.t) {
      case 'detach':
        this.#detach(tab)
        return this.#recallLater()
      case 'follow':
        return this.#follow(tab, attached, message.follow)
      case 'unfollow':
        return this.#unfollow(attached, message.key)
      case 'command':
        return this.#give(tab, attached, message.command)
      case 'abort':
        return attached.aborts.get(message.id)?.abort()
      case 'take-back':
        return this.#takeBack(tab, attached, message.id)
      case 'typing':
        return this.#link.typing(message.stream)
      case 'wake':
        return this.#link.wake()
      case 'reconnect':
        return this.#link.reconnect()
      case 'ping': {
        attached.taken = message.taken
        // The timers of a hidden leader are late; those of the tab that asks may not be.
        const { value: state } = this.#link.connection
        if (state.status === 'waiting' && state.retryAt <= this.#clock.wallMs()) this.#link.wake()
        return this.#tell(tab, { t: 'pong' })
      }
    }
  }

  /** Lets go of all tabs, and of the link. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelSweep()
    this.#cancelOutbox?.()
    this.#cancelRecall?.()
    for (const end of this.#ends) end()
    for (const { port } of this.#tabs.values()) {
      port.post({ t: 'gone', leader: this.#leader })
      port.close()
    }
    this.#tabs.clear()
    await this.#link[Symbol.asyncDispose]()
  }

  #attach(tab: Tab, { attachment, follows: wanted, commands }: Extract<ToLeader, { t: 'attach' }>): void {
    this.#detach(tab)
    const attached: Attached = { attachment, follows: new Map(), aborts: new Map(), told: 0, taken: 0 }
    tab.attached = attached
    // Somebody is here again: a link that was refused may have been let in since.
    if (this.#link.connection.value.status === 'closed') this.#link.reconnect()
    this.#tell(tab, { t: 'connection', state: this.#link.connection.value })
    this.#tell(tab, { t: 'outbox', all: this.#link.outbox.value }, sizeOfCommands(this.#link.outbox.value))
    for (const follow of wanted) this.#follow(tab, attached, follow)
    for (const command of commands) this.#give(tab, attached, command)
  }

  #follow(tab: Tab, attached: Attached, { key, stream, after }: WantedFollow): void {
    this.#unfollow(attached, key)
    const tell = (told: Told, sizeChars = 0): void => {
      if (tab.attached === attached && attached.follows.has(key)) this.#tell(tab, told, sizeChars)
    }
    const over = (told: Told): void => {
      tell(told)
      attached.follows.delete(key)
    }
    const follow = this.#link.follow(stream, after, {
      events: (events, epoch) => {
        tell({ t: 'events', key, epoch, events }, tab.port.direct ? 0 : this.#sizeOf(events))
      },
      caughtUp: (cursor) => tell({ t: 'caught-up', key, cursor }),
      urgent: (event) => tell({ t: 'urgent', key, event }, tab.port.direct ? 0 : this.#sizeOf([event])),
      reset: (head) => over({ t: 'reset', key, head }),
      ended: (problem) => over({ t: 'ended', key, problem }),
    })
    attached.follows.set(key, { stream, follow })
    this.#tellMoment(tab, stream)
  }

  #unfollow(attached: Attached, key: number): void {
    const followed = attached.follows.get(key)
    if (!followed) return
    attached.follows.delete(key)
    followed.follow.close()
    if (!this.#isFollowed(followed.stream)) this.#moments.delete(followed.stream)
  }

  #give(tab: Tab, attached: Attached, { id, stream, type, data }: WaitingCommand): void {
    const abort = new AbortController()
    attached.aborts.set(id, abort)
    // What it is was checked where it was given.
    const given = this.#link.command(stream, type as never, data as never, { id, signal: abort.signal })
    void given.then((outcome) => {
      attached.aborts.delete(id)
      if (!this.#closed && tab.attached === attached) this.#tell(tab, { t: 'outcome', id, outcome })
    })
  }

  #takeBack(tab: Tab, attached: Attached, id: string): void {
    void this.#link.takeBack(id).then((done) => {
      if (!this.#closed && tab.attached === attached) this.#tell(tab, { t: 'took-back', id, done })
    })
  }

  #tellAll(told: Told, sizeChars = 0): void {
    for (const tab of this.#tabs.values()) this.#tell(tab, told, sizeChars)
  }

  #tellOutbox(): void {
    this.#cancelOutbox = undefined
    const all = this.#link.outbox.value
    this.#tellAll({ t: 'outbox', all }, sizeOfCommands(all))
  }

  #tell(tab: Tab, told: Told, sizeChars = 0): void {
    const { attached } = tab
    if (!attached) return
    const { attachment } = attached
    const size = tab.port.direct ? 0 : sizeChars + messageSize
    attached.told += size
    if (attached.told - attached.taken <= unreadMax) return tab.port.post({ ...told, attachment, size })
    this.#detach(tab)
    return tab.port.post({ t: 'dropped', attachment, size })
  }

  #hearEphemeral(frame: Ephemeral): void {
    const { stream, kind, doings } = frame
    if (stream !== undefined) {
      const moment = this.#moments.get(stream) ?? { doings: new Map<string, Doing>() }
      if (kind === 'watching') moment.watching = frame
      for (const doing of doings ?? []) {
        if (doing.step ?? doing.usage) moment.doings.set(doing.session, doing)
        else moment.doings.delete(doing.session)
      }
      if (this.#isFollowed(stream)) this.#moments.set(stream, moment)
    }
    for (const tab of this.#tabs.values()) {
      if (stream === undefined || follows(tab, stream)) this.#tell(tab, { t: 'ephemeral', frame })
    }
  }

  /** The server has told it when the first tab began to follow, and does not tell it again. */
  #tellMoment(tab: Tab, stream: string): void {
    const moment = this.#moments.get(stream)
    if (!moment) return
    if (moment.watching) this.#tell(tab, { t: 'ephemeral', frame: moment.watching })
    const doings = [...moment.doings.values()]
    if (doings.length > 0) this.#tell(tab, { t: 'ephemeral', frame: { kind: 'doing', stream, doings } })
  }

  #sizeOf(events: readonly Envelope[]): number {
    let sum = 0
    for (const event of events) {
      const size = this.#sizes.get(event) ?? JSON.stringify(event).length
      this.#sizes.set(event, size)
      sum += size
    }
    return sum
  }

  #isFollowed(stream: string): boolean {
    return [...this.#tabs.values()].some((tab) => follows(tab, stream))
  }

  #sweep(): void {
    this.#cancelSweep = this.#clock.after(sweepEveryMs, () => this.#sweep())
    const nowMs = this.#clock.wallMs()
    this.#link.recall()
    for (const [name, tab] of this.#tabs) if (nowMs - tab.heardAt > forgetAfterMs) this.#forget(name, tab)
  }

  #recallLater(): void {
    this.#cancelRecall ??= this.#clock.after(recallAfterMs, () => {
      this.#cancelRecall = undefined
      this.#link.recall()
    })
  }

  #forget(name: string, tab: Tab): void {
    this.#detach(tab)
    tab.port.close()
    this.#tabs.delete(name)
  }

  /** Its commands stay in the outbox, and go on. */
  #detach(tab: Tab): void {
    const { attached } = tab
    if (!attached) return
    delete tab.attached
    for (const key of attached.follows.keys()) this.#unfollow(attached, key)
  }
}

/** What even an empty message costs. */
const messageSize = 64

function follows({ attached }: Tab, stream: string): boolean {
  if (!attached) return false
  for (const followed of attached.follows.values()) if (followed.stream === stream) return true
  return false
}

function sizeOfCommands(commands: readonly WaitingCommand[]): number {
  return commands.length === 0 ? 0 : JSON.stringify(commands).length
}
