import type { ReadPlace } from '@hotline/core/account/read-mark'
import { heldPolicy, type HeldPolicy, type PolicyState } from '@hotline/core/policy/policy-state'
import type { SessionState } from '@hotline/core/session/state'
import { isPermission, needsPassword, type Permission, roleAllows, sendersOf } from '@hotline/core/roles'
import type { Role } from '@hotline/protocol/actor'
import type { Command } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import { formatCursor, serverStream, splitStream } from '@hotline/protocol/stream'
import { type Principal, senderKey } from '../access/principal.ts'
import { type CommandOutcome, nothingHere } from './outcome.ts'
import { type AskedNow, askedNow } from './asked-now.ts'
import { countMessages } from './count-messages.ts'
import type { Submitted } from './decide-batch.ts'
import { type QueuePorts, StreamQueue } from './stream-queue.ts'
import { projectIn, type StreamState } from './state.ts'

/** Queues kept in memory for streams that were used lately. */
const queuesMax = 2_000

/** What the exchange asks about a sender. */
export interface Rights {
  /** The role of an account on a project, from the rows that the log keeps; undefined for strangers. */
  roleOf: (project: string, account: string) => Promise<Role | undefined>
  /** Why a principal may not send a guarded command now; undefined where it may. */
  proofMissing: (principal: Principal) => Problem | undefined
  owners: {
    /** Waits until nobody else may take an owner away; the answer lets the next one. */
    turn: () => Promise<() => void>
    /** Whether the account is the only owner of the project who can sign in. */
    isLast: (project: string, account: string) => Promise<boolean>
  }
}

/** What it needs of the world. */
export interface ExchangePorts extends Omit<QueuePorts, 'policyOf' | 'askOf' | 'placeOf'> {
  /**
   * Resolves when the time is given back in which nobody could answer, because the server was away: before that nobody is
   * told that theirs is over. Absent: nobody keeps such time.
   */
  caughtUp?: () => Promise<void>
  /**
   * Waits until nobody else begins a session that waits, and says why this runner may not begin this one. Absent: they begin
   * as soon as a runner wants them.
   */
  turnToBegin?: (runner: Principal, session: string) => Promise<Turn>
}

/** A turn that is held until what is done in it is done; a refusal says that nothing is. */
export interface Turn {
  refusal: Problem | undefined
  leave: () => void
}

interface Entered extends Turn {
  allowHigh: Submitted['allowHigh']
}

/** Told when a command came; the answer is told what became of it. For the metrics; must not throw. */
export type WatchCommand = (command: Command) => (outcome: CommandOutcome) => void

/** Whether a command was given by itself or as one of many. */
export type Among = 'alone' | 'with others'

const unwatched: WatchCommand = () => () => undefined

/** Streams by their commands: whoever wants something to happen says it here, through whatever door. */
export class Exchange {
  readonly #ports: ExchangePorts
  readonly #rights: Rights
  readonly #watch: WatchCommand
  readonly #queues = new Map<string, StreamQueue>()
  /** The latest command of a stream that waits for its right: the next one enters the queue after it. */
  readonly #entering = new Map<string, Promise<unknown>>()

  constructor(ports: ExchangePorts, rights: Rights, watch: WatchCommand = unwatched) {
    this.#ports = ports
    this.#rights = rights
    this.#watch = watch
  }

  /**
   * Checks the right and carries the command out, after those that came before it to the same stream. Resolves after the
   * commit; never rejects for what a sender did.
   */
  async command(principal: Principal, command: Command, among: Among = 'alone'): Promise<CommandOutcome> {
    const answered = this.#watch(command)
    try {
      const outcome = await this.#carryOut(principal, command, among)
      answered(outcome)
      return outcome
    } catch (error) {
      answered({ ok: false, problem: problem('storage_unavailable', 'The log cannot be read now.') })
      throw error
    }
  }

  async #carryOut(principal: Principal, command: Command, among: Among): Promise<CommandOutcome> {
    const { stream } = command
    // The server itself waits for nobody: others wait for what it gives back (`caughtUp`).
    const isOwn = principal.kind === 'system'
    const entering = this.#enter(principal, command, among, isOwn ? undefined : this.#entering.get(stream))
    if (!isOwn) this.#entering.set(stream, entering)
    let entered: Entered
    try {
      entered = await entering
    } finally {
      if (this.#entering.get(stream) === entering) this.#entering.delete(stream)
    }
    const { refusal, allowHigh, leave } = entered
    try {
      return refusal ? { ok: false, problem: refusal } : await this.#queue(stream).submit(principal, command, allowHigh)
    } finally {
      leave()
    }
  }

  /** Checks what must hold before the queue, after the command `before` has done so; to be left when all is done. */
  async #enter(
    principal: Principal,
    command: Command,
    among: Among,
    before: Promise<unknown> | undefined,
  ): Promise<Entered> {
    // Rights are looked up beside each other, and the answers of a database come in any order.
    const [checked, high] = await Promise.allSettled([
      this.#checkRight(principal, command),
      this.#mayAllowHigh(principal, command, among),
      before,
      principal.kind !== 'system' && hasItsTime(command) ? this.#ports.caughtUp?.() : undefined,
    ])
    if (checked.status === 'rejected') throw checked.reason
    if (high.status === 'rejected') throw high.reason
    const allowHigh = high.value
    if (!checked.value && command.type === 'lease.take')
      return { ...(await this.#turnToBegin(principal, command)), allowHigh }
    if (checked.value || !mayTakeOwner(command)) return { refusal: checked.value, allowHigh, leave: () => undefined }
    const leave = await this.#rights.owners.turn()
    try {
      const isLast = await this.#rights.owners.isLast(splitStream(command.stream).id, command.data.account)
      const refusal = isLast ? problem('last_owner', 'Make somebody else an owner first who can sign in.') : undefined
      return { refusal: await this.#ifNew(principal, command, refusal), allowHigh, leave }
    } catch (error) {
      leave()
      throw error
    }
  }

  /** What was begun already waits for nothing. */
  async #turnToBegin(principal: Principal, command: Command): Promise<Turn> {
    const waits = (await this.#session(command.stream))?.status === 'queued'
    const turn = waits ? await this.#ports.turnToBegin?.(principal, splitStream(command.stream).id) : undefined
    if (!turn) return { refusal: undefined, leave: () => undefined }
    return { ...turn, refusal: await this.#ifNew(principal, command, turn.refusal) }
  }

  /** The state of a stream and the cursor it holds at; undefined where the stream does not exist. */
  async snapshot(stream: string): Promise<{ state: StreamState; cursor: string } | undefined> {
    const { epoch, head, state } = await this.#queue(stream).state()
    return state && epoch ? { state, cursor: formatCursor({ epoch, seq: head }) } : undefined
  }

  /** The project that a session belongs to; undefined where there is no such stream. */
  async projectOf(stream: string): Promise<string | undefined> {
    const { state } = await this.#queue(stream).state()
    return projectIn(state)
  }

  /** Whether the principal may read a stream. A stream that does not exist and one that is not theirs look the same. */
  async mayRead(principal: Principal, stream: string): Promise<boolean> {
    if (principal.kind === 'system') return true
    const { kind, id } = splitStream(stream)
    if (kind === 'server') return principal.admin && principal.scopes.includes('admin')
    if (kind === 'account') {
      return isSelf(principal, id) && principal.projects === undefined && principal.scopes.includes('read')
    }
    const project = kind === 'project' ? id : await this.projectOf(stream)
    if (project === undefined) return false
    if (principal.kind === 'runner') return mayTouch(principal, project)
    const role = await this.#role(principal, project)
    return role !== undefined && roleAllows(role, 'read') && principal.scopes.includes('read')
  }

  /** Why somebody may not do in a project what takes this right; undefined where they may. */
  async refusalIn(principal: Principal, project: string, permission: Permission): Promise<Problem | undefined> {
    if (!principal.scopes.includes(permission)) {
      return problem('forbidden', `This credential does not have the scope "${permission}".`)
    }
    const role = await this.#role(principal, project)
    if (role === undefined) return nothingHere()
    return roleAllows(role, permission)
      ? undefined
      : problem('forbidden', `Your role here is ${role}; this needs the right to ${permission}.`, { role })
  }

  async #checkRight(principal: Principal, command: Command): Promise<Problem | undefined> {
    if (principal.kind === 'system') return undefined
    const senders = sendersOf(command, await this.#session(command.stream))
    if (senders.includes('system')) return problem('forbidden', 'Only the server itself sends this.')
    const project = await this.#target(command)
    if (senders.includes('runner') || principal.kind === 'runner') {
      if (!senders.includes('runner') || principal.kind !== 'runner') {
        return problem('forbidden', `A ${principal.kind} cannot send "${command.type}".`)
      }
      return project !== undefined && mayTouch(principal, project) ? undefined : nothingHere()
    }
    const permissions = senders.filter(isPermission)
    const unscoped = permissions.find((permission) => !principal.scopes.includes(permission))
    if (unscoped) return problem('forbidden', `This credential does not have the scope "${unscoped}".`)
    if (splitStream(command.stream).kind === 'server') {
      if (!isOverAll(principal) || command.stream !== serverStream) {
        return problem('forbidden', 'Only an admin of this server says what counts for all its projects.')
      }
      return this.#ifNew(principal, command, this.#rights.proofMissing(principal))
    }
    if (splitStream(command.stream).kind === 'account') return this.#ownRefusal(principal, command)
    if (command.type === 'project.create') {
      if (isOverAll(principal)) return undefined
      return problem('forbidden', 'Only an admin of this server can create a project: its machines would work for it.')
    }
    const role = project === undefined ? undefined : await this.#role(principal, project)
    if (role === undefined) return nothingHere()
    const lacking = permissions.find((permission) => !roleAllows(role, permission))
    if (lacking) {
      const what = senders.length > 1 ? `"${command.type}" of what is not asked about` : `"${command.type}"`
      return problem('forbidden', `Your role here is ${role}; ${what} needs the right to ${lacking}.`, { role })
    }
    return needsPassword(command) ? this.#ifNew(principal, command, this.#rights.proofMissing(principal)) : undefined
  }

  /** What a person settles for themselves takes no role, and what it is about has to be theirs to read. */
  async #ownRefusal(principal: Principal, command: Command): Promise<Problem | undefined> {
    if (principal.kind !== 'person')
      return problem('forbidden', `Only a person has what is their own; this is a ${principal.kind}.`)
    if (!isSelf(principal, splitStream(command.stream).id)) return nothingHere()
    if (command.type !== 'ask.snooze' && command.type !== 'read.mark') return undefined
    return (await this.mayRead(principal, `session:${command.data.session}`)) ? undefined : nothingHere()
  }

  /** Whether somebody who allows something may allow what is of high risk; undefined where that is not asked. */
  async #mayAllowHigh(principal: Principal, command: Command, among: Among): Promise<true | string | undefined> {
    if (command.type !== 'approval.decide' || command.data.verdict === 'deny') return undefined
    if (among === 'with others') return 'It is never allowed together with others: look at it, and decide it by itself.'
    if (principal.kind === 'service')
      return 'That takes a person: the key of a service cannot allow it. It can deny it.'
    const refusal = await this.refusalIn(principal, (await this.projectOf(command.stream)) ?? '', 'decide_high')
    if (!refusal) return true
    return `${refusal.detail} You can deny it, or ask an admin or owner of the project to allow it.`
  }

  async #session(stream: string): Promise<SessionState | undefined> {
    if (splitStream(stream).kind !== 'session') return undefined
    const { state } = await this.#queue(stream).state()
    return state?.kind === 'session' ? state : undefined
  }

  /** A refusal of what was not carried out yet: what was gets the answer that it got, however late it is sent again. */
  async #ifNew(principal: Principal, command: Command, refusal: Problem | undefined): Promise<Problem | undefined> {
    if (!refusal) return undefined
    const key = { principal: senderKey(principal), id: command.id }
    const [before] = await this.#ports.store.findCommands(command.stream, [key])
    return before ? undefined : refusal
  }

  /** The project that a command concerns: of the stream, or for a new stream the one it names. */
  #target(command: Command): Promise<string | undefined> | string | undefined {
    const { kind, id } = splitStream(command.stream)
    if (kind === 'project') return id
    if (kind === 'session' && command.type === 'session.start') return command.data.project
    if (kind === 'task' && command.type === 'task.create') return command.data.project
    return this.projectOf(command.stream)
  }

  #role(principal: Principal, project: string): Promise<Role | undefined> | undefined {
    if (principal.account === undefined || !mayTouch(principal, project)) return undefined
    return this.#rights.roleOf(project, principal.account)
  }

  /** What is said for all projects, and for this one; both stand in memory after the first time. */
  async policyOf(project: string): Promise<HeldPolicy> {
    return heldPolicy(await this.#said(serverStream), await this.#said(`project:${project}`))
  }

  async #said(stream: string): Promise<PolicyState> {
    const { state } = await this.#queue(stream).state()
    return state?.kind === 'server' || state?.kind === 'project' ? state : {}
  }

  async #askOf(session: string, ask: string): Promise<AskedNow | undefined> {
    const state = await this.#session(`session:${session}`)
    return state && askedNow(state, ask, Date.parse(this.#ports.now()))
  }

  async #placeOf(session: string, seq: number): Promise<ReadPlace | undefined> {
    const stream = `session:${session}`
    const { state, head } = await this.#queue(stream).state()
    if (state?.kind !== 'session') return undefined
    const later = seq < head ? await countMessages(this.#ports.store, stream, seq, head) : 0
    return {
      project: state.project,
      head,
      messages: Math.max(0, state.counts.messages - later),
      createdAt: state.createdAt,
    }
  }

  #queue(stream: string): StreamQueue {
    const known = this.#queues.get(stream)
    if (known) {
      // Moves it to the young end of the map.
      this.#queues.delete(stream)
      this.#queues.set(stream, known)
      return known
    }
    for (const [name, queue] of this.#queues) {
      if (this.#queues.size < queuesMax) break
      if (queue.idle) this.#queues.delete(name)
    }
    const queue = new StreamQueue(stream, {
      ...this.#ports,
      policyOf: (project) => this.policyOf(project),
      askOf: (session, ask) => this.#askOf(session, ask),
      placeOf: (session, seq) => this.#placeOf(session, seq),
    })
    this.#queues.set(stream, queue)
    return queue
  }
}

/** An admin of the server, whose credential is not limited to some projects. */
function isOverAll({ admin, projects }: Principal): boolean {
  return admin && projects === undefined
}

/** The person whose stream it is. */
function isSelf(principal: Principal, account: string): boolean {
  return principal.kind === 'person' && principal.id === account
}

/** True for commands that come too late at some time. */
function hasItsTime({ type }: Command): boolean {
  return type === 'approval.decide' || type === 'approval.extend'
}

/** True for commands after which an account may no longer be an owner. */
function mayTakeOwner(command: Command): command is Extract<Command, { type: 'member.remove' | 'member.change' }> {
  return command.type === 'member.remove' || (command.type === 'member.change' && command.data.role !== 'owner')
}

/** False where the credential is limited to other projects. */
function mayTouch(principal: Principal, project: string): boolean {
  return principal.projects === undefined || principal.projects.includes(project)
}
