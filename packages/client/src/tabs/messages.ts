import type { Envelope } from '@hotline/protocol/event'
import type { Problem } from '@hotline/protocol/error'
import type { CommandOutcome, ConnectionState, Ephemeral } from '../link.ts'
import type { WaitingCommand } from '../outbox.ts'

/**
 * What tabs of one browser say to each other. All of them run the same version of these words: it is part of the name of
 * their channels, so that a tab from before an update never meets one from after it.
 */
export const wordsVersion = 1

/** Heard by all tabs of one account and server. */
export type ToAll =
  /** A tab looks for whoever leads; `attachment` is the one that it believes in. */
  | { t: 'join'; tab: string; attachment: string | undefined }
  /** A tab leads from now on. */
  | { t: 'leads' }
  /** Everybody forgets everything. */
  | { t: 'signed-out' }

/** A tab's follow of a stream: `key` is its own name for it. */
export interface WantedFollow {
  key: number
  stream: string
  after: string
}

/**
 * Of a tab to its leader, on the channel of the two. For a while there may be two who believe that they lead: `attachment`
 * says for whom it is, and comes back with everything that is answered.
 */
export type ToLeader = { attachment: string } & Asked

/** What a tab asks for. */
export type Asked =
  /** Begins anew: whatever the leader knew of this tab is replaced. */
  | { t: 'attach'; leader: string; follows: readonly WantedFollow[]; commands: readonly WaitingCommand[] }
  | { t: 'follow'; follow: WantedFollow }
  | { t: 'unfollow'; key: number }
  | { t: 'command'; command: WaitingCommand }
  /** Nobody waits for its answer any more; it is taken back if it was never sent. */
  | { t: 'abort'; id: string }
  | { t: 'take-back'; id: string }
  | { t: 'typing'; stream: string }
  | { t: 'wake' }
  | { t: 'reconnect' }
  /** `taken`: the sizes of everything that was read since `attach`. */
  | { t: 'ping'; taken: number }
  | { t: 'detach' }

/** Of a leader to one tab, on the channel of the two. */
export type ToTab =
  /** The leader has opened the channel and waits for `attach`. */
  | { t: 'offer'; leader: string }
  /** The leader does not lead any more. */
  | { t: 'gone'; leader: string }
  | ({ attachment: string; size: number } & Told)

/** What an attached tab is told. */
export type Told =
  | { t: 'connection'; state: ConnectionState }
  | { t: 'outbox'; all: readonly WaitingCommand[] }
  | { t: 'events'; key: number; epoch: string; events: readonly Envelope[] }
  | { t: 'caught-up'; key: number; cursor: string }
  | { t: 'urgent'; key: number; event: Envelope }
  | { t: 'reset'; key: number; head: string }
  | { t: 'ended'; key: number; problem: Problem }
  | { t: 'outcome'; id: string; outcome: CommandOutcome }
  | { t: 'took-back'; id: string; done: boolean }
  | { t: 'ephemeral'; frame: Ephemeral }
  | { t: 'pong' }
  /** The tab read too slowly and is not told anything any more: it attaches anew, from its cursors. */
  | { t: 'dropped' }
