import type { CommandOutcome } from '@hotline/client/link'
import { kindOf } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'

/** An event as a follower applied it. */
export interface Applied {
  epoch: string
  seq: number
  hash: string
}

/** A command as its sender saw it. */
export interface Commanded {
  id: string
  stream: string
  /** Absent while nobody has answered. */
  outcome?: CommandOutcome
}

/** What one client saw of one stream: every event that it applied, in its order, and every command that it sent there. */
export interface Recording {
  /** In messages: who recorded. */
  name: string
  stream: string
  /** The position after which it began to follow. */
  after: number
  applied: readonly Applied[]
  commands: readonly Commanded[]
  /** How far the follower must have come: to the end of the log, or nothing is asked. */
  end: 'complete' | 'open'
}

export type ViolationKind =
  | 'store_gap'
  | 'store_chain'
  | 'lost'
  | 'doubled'
  | 'out_of_order'
  | 'other_hash'
  | 'other_epoch'
  | 'not_stored'
  | 'incomplete'
  | 'acknowledged_missing'
  | 'acknowledged_elsewhere'
  | 'command_twice'
  | 'refused_present'

export interface Violation {
  kind: ViolationKind
  /** A sentence for a person who has to find out why. */
  what: string
}

/**
 * Compares what a client saw with what is stored: the applied events must be a stretch of the stored ones, dense, in
 * order, each once and with the same hash; an acknowledged command must have happened once, where the answer said; a
 * refused one never; one whose answer was lost at most once. `stored` is the whole stream from its first event. Commands
 * that may be accepted without an event (a mode that is set already) are not for recordings.
 */
export function compareRecording(recording: Recording, stored: readonly Envelope[]): Violation[] {
  const found: Violation[] = []
  const say = (kind: ViolationKind, what: string): void =>
    void found.push({ kind, what: `${recording.name}, ${recording.stream}: ${what}` })
  compareStore(stored, say)
  compareApplied(recording, stored, say)
  compareCommands(recording, stored, say)
  return found
}

type Say = (kind: ViolationKind, what: string) => void

function compareStore(stored: readonly Envelope[], say: Say): void {
  for (const [index, { seq }] of stored.entries()) {
    if (seq !== index + 1) say('store_gap', `the store has ${seq} at place ${index + 1}`)
  }
  const hashes = new Set(stored.map(({ hash }) => hash))
  if (hashes.size !== stored.length) say('store_chain', 'two stored events have the same hash')
}

function compareApplied({ applied, after, end }: Recording, stored: readonly Envelope[], say: Say): void {
  const bySeq = new Map(stored.map((event) => [event.seq, event]))
  const seen = new Set<number>()
  let last = after
  for (const { seq, hash } of applied) {
    if (seen.has(seq)) say('doubled', `${seq} came again after ${last}`)
    else if (seq < last) say('out_of_order', `${seq} came after ${last}`)
    else if (seq > last + 1) say('lost', `${last + 1} to ${seq - 1} are missing`)
    seen.add(seq)
    last = Math.max(last, seq)
    const event = bySeq.get(seq)
    if (!event) say('not_stored', `${seq} was applied and is not stored`)
    else if (event.hash !== hash) say('other_hash', `${seq} was applied with another hash than is stored`)
  }
  const epochs = new Set(applied.map(({ epoch }) => epoch))
  if (epochs.size > 1) say('other_epoch', `events of ${epochs.size} lives of the log were applied as one`)
  const head = stored.at(-1)?.seq ?? 0
  if (end === 'complete' && last < head) say('incomplete', `stopped at ${last} of ${head}`)
}

function compareCommands({ stream, commands }: Recording, stored: readonly Envelope[], say: Say): void {
  const caused = Map.groupBy(
    stored.filter(({ cause }) => cause !== undefined),
    ({ cause }) => cause,
  )
  for (const { id, stream: to, outcome } of commands) {
    if (to !== stream) continue
    const events = caused.get(id) ?? []
    if (happenedTwice(events)) say('command_twice', `command ${id} happened twice: ${describe(events)}`)
    if (outcome?.ok === true) compareAccepted(id, outcome.accepted.seq, events, say)
    if (outcome?.ok === false && isAnswer(outcome) && events.length > 0) {
      say(
        'refused_present',
        `command ${id} was refused (${outcome.problem.code}) and is in the log: ${describe(events)}`,
      )
    }
  }
}

function compareAccepted(id: string, seq: number, events: readonly Envelope[], say: Say): void {
  if (events.length === 0) say('acknowledged_missing', `command ${id} was acknowledged at ${seq} and is not in the log`)
  else if (!events.some((event) => event.seq === seq)) {
    say('acknowledged_elsewhere', `command ${id} was acknowledged at ${seq} and is at ${describe(events)}`)
  }
}

/** The events of one command are written in one commit, side by side, and it says nothing twice of one subject. */
function happenedTwice(events: readonly Envelope[]): boolean {
  const apart = events.some((event, index) => index > 0 && event.seq !== (events[index - 1]?.seq ?? 0) + 1)
  const said = events.filter(({ subject }) => subject !== undefined).map(({ type, subject }) => `${type} ${subject}`)
  return apart || new Set(said).size !== said.length
}

/** Whether somebody decided: what could not be reached or not be done just now may still have happened. */
function isAnswer(outcome: CommandOutcome & { ok: false }): boolean {
  const kind = kindOf(outcome.problem.code)
  return kind !== 'unavailable' && kind !== 'internal'
}

function describe(events: readonly Envelope[]): string {
  return events.map(({ seq, type }) => `${seq} (${type})`).join(', ')
}
