import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Accepted } from '@hotline/protocol/command-answer'
import type { Doing } from '@hotline/protocol/doing'
import type { Problem } from '@hotline/protocol/error'
import type { QueuePlace } from '@hotline/protocol/queue'
import type { Evidence } from '@hotline/protocol/evidence'
import type { Envelope } from '@hotline/protocol/event'
import type { Transport } from './carrier.ts'
import type { WaitingCommand } from './outbox.ts'

/** How the connection stands, for a dot, a label and a banner. */
export type ConnectionState =
  | { status: 'connecting'; attempt: number }
  | { status: 'open'; since: number; transport: Transport }
  /** `retryAt` in milliseconds of the wall clock. After the first five tries it goes on slowly (`slow`). */
  | { status: 'waiting'; attempt: number; retryAt: number; problem: Problem; slow: boolean }
  /** It will not try again by itself: signed out, or a version that is not spoken. */
  | { status: 'closed'; problem?: Problem }

/** A value that can be read and watched; `watch` calls back after each change, and answers what ends it. */
export interface Readable<T> {
  readonly value: T
  watch(changed: (value: T) => void): () => void
}

/** What a follower of a stream hears. Events come once each, in order, over any number of reconnects. */
export interface Follower {
  /** Contiguous events with the epoch they belong to. */
  events(events: readonly Envelope[], epoch: string): void
  /** Everything that is committed is here. Called again after each reconnect. */
  caughtUp?(cursor: string): void
  /** An event that comes later in its place, and may be acted on now. */
  urgent?(event: Envelope): void
  /**
   * The log had another life: drop what was folded, take a snapshot and follow anew after its cursor. This follow is over;
   * `head` is where the log stands now.
   */
  reset?(head: string): void
  /** The stream cannot be followed (no right, not there). This follow is over. */
  ended?(problem: Problem): void
}

/** Several follows of one stream share what comes over the wire, each with its own position. */
export interface Follow {
  /** Position of the last event that was handed over. */
  readonly cursor: string
  close(): void
}

/**
 * What is true for a moment. `by` is who types; `people` are those who watch, by account; `doings` what agents do;
 * `queue` what waits for a machine in a project;
 * `evidence` what a machine sees of its agent; `streams` of which sessions a machine is asked for that.
 */
export interface Ephemeral {
  kind: string
  stream?: string
  by?: string
  people?: readonly string[]
  doings?: readonly Doing[]
  streams?: readonly string[]
  evidence?: Evidence
  ask?: string
  agent?: string
  folder?: string
  queue?: readonly QueuePlace[]
}

/** What became of a command. Once accepted it is in the log; a refusal changed nothing, unless it says otherwise. */
export type CommandOutcome = { ok: true; accepted: Accepted } | { ok: false; problem: Problem }

/** One connection to a server: streams to follow and commands to send. The SDK's session views are built on it. */
export interface Link extends AsyncDisposable {
  readonly connection: Readable<ConnectionState>
  /** Commands without an answer, oldest first; with a lasting outbox also those of an earlier visit. */
  readonly outbox: Readable<readonly WaitingCommand[]>
  /** `after`: a cursor, `0` or `now`; throws a RangeError for anything else. */
  follow(stream: string, after: string, follower: Follower): Follow
  /**
   * Sends a command; it waits in the outbox while the connection is away and is sent again with the same id until there
   * is an answer, so it happens once. Refusals are values. The signal ends the wait, and takes the command back if it was
   * never sent. `queue_full`: a thousand commands wait already.
   */
  command<T extends CommandType>(
    stream: string,
    type: T,
    data: CommandInput<T>,
    options?: { id?: string; signal?: AbortSignal },
  ): Promise<CommandOutcome>
  /** Forgets a command that was never sent. False where it may have arrived, or is answered already. */
  takeBack(id: string): Promise<boolean>
  /** Takes up what others, who share the outbox and are gone, have left there. */
  recall(): void
  /** Tries to connect now, for a Reconnect button. */
  reconnect(): void
  /** The connection may have died without a word: it is asked whether it lives, or tried now where there is none. */
  wake(): void
  /** An HTTP request of the API with the link's credential; answers the parsed JSON as the caller reads it, or the problem. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the answer's type
  request<R>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<{ ok: true; value: R } | { ok: false; problem: Problem }>
  /** Frames that are not logged: typing, who watches, work for runners. */
  ephemeral(hear: (frame: Ephemeral) => void): () => void
  /** Tells the others who follow a stream that somebody writes there; lost where there is no connection. */
  typing(stream: string): void
}
