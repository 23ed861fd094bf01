import { localProblem } from '@hotline/protocol/error'
import type { Clock } from '../clock.ts'
import type { ConnectionState, Ephemeral, Follow, Follower, Link } from '../link.ts'
import type { Outbox, WaitingCommand } from '../outbox.ts'
import { unreachable } from '../problem-of.ts'
import { type Watchable, watchable } from '../readable.ts'
import { watchWake } from '../wake.ts'
import { Hub } from './hub.ts'
import { Leadership, type Locks } from './leadership.ts'
import type { Asked, ToAll, ToLeader, ToTab } from './messages.ts'
import {
  type CommonChannel,
  openCommonChannel,
  openDirectPort,
  openOwnChannel,
  openTabPort,
  type OpenChannel,
} from './tab-channels.ts'
import { TabCommands } from './tab-commands.ts'
import { TabFollow } from './tab-follow.ts'
import { watchLife } from './watch-life.ts'

/** The leader is asked this often for a sign of life. Its answer needs no timer: those of a hidden tab are held up. */
const beatMs = 2_000
/** Beats without a word after which the lock is taken from it. A tab that slept itself has one of them at most. */
const silentBeatsMax = 3
/** Read and not said: the leader keeps no more than some megabytes under way. */
const sayTakenChars = 256 * 1024

/** What one tab is made of. */
export interface TabOptions {
  /** Its own, among all tabs. */
  id: string
  /** What the tabs of one account and server share. */
  name: string
  outbox: Outbox
  locks: Locks
  openChannel: OpenChannel
  /** Makes the connection, where this tab leads. */
  openOwn: (outbox: Outbox) => Link
  clock: Clock
  /** The person has signed out here or in another tab. */
  signedOut: () => void
}

/**
 * One of several tabs. Each follows and commands through whoever leads, also the leader itself, over one and the same way:
 *
 *   alone ──(offer)──▶ attached ──(gone, dropped, silence)──▶ alone
 *
 * A tab keeps its own cursors and its own unanswered commands, and says them to every leader that it attaches to. So the
 * end of a leader loses and doubles nothing, in whatever way it ends.
 */
export class Tab {
  readonly connection: Watchable<ConnectionState> = watchable<ConnectionState>({ status: 'connecting', attempt: 0 })
  readonly outbox: Watchable<readonly WaitingCommand[]> = watchable<readonly WaitingCommand[]>([])
  readonly commands: TabCommands
  readonly #options: TabOptions
  readonly #leadership: Leadership
  readonly #common: CommonChannel
  readonly #own: { post: (message: ToLeader) => void; close: () => void }
  readonly #ends: (() => void)[]
  readonly #follows = new Map<number, TabFollow>()
  readonly #ephemeralEars = new Set<(frame: Ephemeral) => void>()
  #hub: Hub | undefined
  /** Names what is said between this tab and its present leader; undefined while it has none. */
  #attachment: string | undefined
  #attachments = 0
  #leader: string | undefined
  /** Since the last beat: one that offers itself twice is attached to once. */
  #offeredBy: string | undefined
  /** What the outboxes of the others hold too. */
  #told: readonly WaitingCommand[] = []
  #lastKey = 0
  #taken = 0
  #takenSaid = 0
  #heard = false
  #silentBeats = 0
  #cancelBeat: () => void = () => undefined
  #asleep = false
  #over = false

  constructor(options: TabOptions) {
    const { id, name, locks, openChannel } = options
    this.#options = options
    this.commands = new TabCommands({
      outbox: options.outbox,
      post: (message) => this.#post(message),
      changed: () => this.#tellOutbox(),
    })
    this.#common = openCommonChannel(openChannel, name, (message) => this.#hearAll(message))
    this.#own = openOwnChannel(openChannel, name, id, (message) => this.#hear(message))
    this.#leadership = new Leadership({
      locks,
      name,
      elected: () => this.#lead(),
      deposed: () => this.#deposed(),
    })
    this.#ends = [
      watchWake(() => this.wake()),
      watchLife(
        () => this.#sleep(),
        () => this.#run(),
      ),
    ]
    this.#run()
  }

  follow(stream: string, after: string, follower: Follower): Follow {
    const follow = new TabFollow((this.#lastKey += 1), stream, after, follower)
    this.#follows.set(follow.key, follow)
    this.#post({ t: 'follow', follow: follow.wanted })
    return {
      get cursor() {
        return follow.cursor
      },
      close: () => {
        if (this.#follows.delete(follow.key)) this.#post({ t: 'unfollow', key: follow.key })
      },
    }
  }

  /** Of commands that others have given and that wait as well. */
  get others(): number {
    return this.outbox.value.length - this.commands.waiting.length
  }

  ephemeral(hear: (frame: Ephemeral) => void): () => void {
    this.#ephemeralEars.add(hear)
    return () => this.#ephemeralEars.delete(hear)
  }

  typing(stream: string): void {
    this.#post({ t: 'typing', stream })
  }

  reconnect(): void {
    this.#post({ t: 'reconnect' })
  }

  wake(): void {
    this.#post({ t: 'wake' })
  }

  /** Everybody hears that the person has signed out; nobody goes on. */
  async signOut(): Promise<void> {
    if (this.#over) return
    this.#common.post({ t: 'signed-out' })
    await this.#end({
      status: 'closed',
      problem: localProblem('unauthenticated', 'You have signed out. Sign in again to go on.'),
    })
  }

  async close(): Promise<void> {
    await this.#end({ status: 'closed' })
  }

  async #end(state: ConnectionState): Promise<void> {
    if (this.#over) return
    this.#over = true
    this.#cancelBeat()
    for (const end of this.#ends) end()
    this.#leave()
    this.#leadership.close()
    const why = 'problem' in state ? state.problem : undefined
    this.commands.close(why ?? unreachable('The connection was closed before an answer came.'))
    this.#follows.clear()
    this.connection.set(state)
    const hub = this.#hub
    this.#hub = undefined
    await hub?.close()
    this.#common.close()
    this.#own.close()
  }

  #run(): void {
    if (this.#over) return
    this.#asleep = false
    this.#silentBeats = 0
    this.#leadership.stand()
    this.#look()
    this.#cancelBeat()
    this.#cancelBeat = this.#options.clock.after(beatMs, () => this.#beat())
  }

  /** Nothing runs here soon: another tab leads, and this one is not told anything. */
  #sleep(): void {
    if (this.#over || this.#asleep) return
    this.#asleep = true
    this.#cancelBeat()
    this.#leave()
    this.#resign()
    this.#leadership.withdraw()
  }

  #leave(): void {
    if (!this.#hub) this.#post({ t: 'detach' })
    this.#attachment = undefined
    this.#offeredBy = undefined
  }

  #resign(): void {
    const hub = this.#hub
    this.#hub = undefined
    void hub?.close()
  }

  #beat(): void {
    if (this.#over) return
    this.#cancelBeat = this.#options.clock.after(beatMs, () => this.#beat())
    this.#silentBeats = this.#heard ? 0 : this.#silentBeats + 1
    this.#heard = false
    this.#offeredBy = undefined
    if (this.#silentBeats >= silentBeatsMax) void this.#leadership.seize()
    // Whoever was forgotten is not answered; then it is told how to attach anew.
    if (this.#silentBeats > 0 || this.#attachment === undefined) this.#look()
    this.#sayTaken()
  }

  #look(): void {
    const { id } = this.#options
    const attachment = this.#attachment
    this.#common.post({ t: 'join', tab: id, attachment })
    this.#hub?.join(id, attachment, () => this.#directPort())
  }

  #directPort(): ReturnType<typeof openDirectPort> {
    return openDirectPort((message) => this.#hear(message))
  }

  #lead(): void {
    if (this.#over) return
    const { id, outbox, openOwn, clock } = this.#options
    // Tabs keep their commands before they give them: this one only takes away what was answered.
    const shared: Outbox = {
      put: () => Promise.resolve(),
      remove: (command) => outbox.remove(command),
      all: () => outbox.all(),
    }
    this.#hub = new Hub(id, openOwn(shared), clock)
    this.#common.post({ t: 'leads' })
    this.#look()
  }

  /** Robbed of the lock, while it slept without knowing: another tab leads. */
  #deposed(): void {
    if (this.#over || this.#asleep) return
    this.#leave()
    this.#resign()
    this.#run()
  }

  #hearAll(message: ToAll): void {
    if (this.#over) return
    switch (message.t) {
      case 'join': {
        const { name, openChannel } = this.#options
        const { tab, attachment } = message
        this.#hub?.join(tab, attachment, () =>
          openTabPort(openChannel, name, tab, (said) => this.#hub?.receive(tab, said)),
        )
        return
      }
      case 'leads':
        this.#leave()
        return this.#look()
      case 'signed-out':
        this.#options.signedOut()
        void this.#end({
          status: 'closed',
          problem: localProblem('unauthenticated', 'You have signed out in another tab. Sign in again to go on.'),
        })
    }
  }

  #hear(message: ToTab): void {
    if (this.#over) return
    if (message.t === 'offer') return this.#attach(message.leader)
    if (message.t === 'gone') return this.#lost(message.leader)
    if (message.attachment !== this.#attachment) return
    this.#heard = true
    this.#taken += message.size
    switch (message.t) {
      case 'connection':
        return this.connection.set(message.state)
      case 'outbox':
        this.#told = message.all
        return this.#tellOutbox()
      case 'events': {
        this.#check(this.#follows.get(message.key)?.events(message.events, message.epoch), message.key)
        if (this.#taken - this.#takenSaid >= sayTakenChars) this.#sayTaken()
        return
      }
      case 'caught-up':
        return this.#check(this.#follows.get(message.key)?.caughtUp(message.cursor), message.key)
      case 'urgent':
        return this.#follows.get(message.key)?.follower.urgent?.(message.event)
      case 'reset':
        return this.#endFollow(message.key)?.reset?.(message.head)
      case 'ended':
        return this.#endFollow(message.key)?.ended?.(message.problem)
      case 'outcome':
        this.#told = this.#told.filter(({ id }) => id !== message.id)
        return this.commands.answered(message.id, message.outcome)
      case 'took-back':
        if (message.done) this.#told = this.#told.filter(({ id }) => id !== message.id)
        this.commands.tookBack(message.id, message.done)
        return this.#tellOutbox()
      case 'ephemeral':
        for (const hear of this.#ephemeralEars) hear(message.frame)
        return
      case 'dropped':
        this.#attachment = undefined
        this.#offeredBy = undefined
        return this.#look()
      case 'pong':
        return
    }
  }

  #attach(leader: string): void {
    // Of an old leader that does not know yet that it is none, or said twice.
    if ((this.#hub && leader !== this.#options.id) || leader === this.#offeredBy) return
    this.#offeredBy = leader
    this.#leader = leader
    this.#attachments += 1
    this.#attachment = `${this.#options.id} ${this.#attachments}`
    this.#taken = 0
    this.#takenSaid = 0
    this.#post({
      t: 'attach',
      leader,
      follows: [...this.#follows.values()].map(({ wanted }) => wanted),
      commands: this.commands.giveAll(),
    })
  }

  /** Something is missing before what came: it is asked for again from the cursor. */
  #check(joins: boolean | undefined, key: number): void {
    const follow = this.#follows.get(key)
    if (follow && joins === false) this.#post({ t: 'follow', follow: follow.wanted })
  }

  #lost(leader: string): void {
    if (leader !== this.#leader) return
    this.#attachment = undefined
    this.#offeredBy = undefined
    this.#look()
  }

  #sayTaken(): void {
    this.#takenSaid = this.#taken
    this.#post({ t: 'ping', taken: this.#taken })
  }

  #endFollow(key: number): Follower | undefined {
    const follow = this.#follows.get(key)
    this.#follows.delete(key)
    return follow?.follower
  }

  #tellOutbox(): void {
    const own = this.commands.waiting
    const ids = new Set(own.map(({ id }) => id))
    this.outbox.set([...this.#told.filter(({ id }) => !ids.has(id)), ...own])
  }

  /** False where there is no leader: it hears all of it when there is one. */
  #post(asked: Asked): boolean {
    const attachment = this.#attachment
    if (attachment === undefined) return false
    const message: ToLeader = { ...asked, attachment }
    const { id } = this.#options
    if (this.#hub) queueMicrotask(() => this.#hub?.receive(id, message))
    else this.#own.post(message)
    return true
  }
}
