import type { Context } from '@hotline/core/decision'
import { evolveSaidById } from '@hotline/core/session/said'
import type { Command } from '@hotline/protocol/command'
import type { AcceptedFacts } from '@hotline/protocol/command-answer'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { DraftOf, KnownDraft } from '@hotline/protocol/events'
import { limits } from '@hotline/protocol/limits'
import { protocolVersion } from '@hotline/protocol/version'
import { actorOf, type Principal, senderKey } from '../access/principal.ts'
import type { Append, CommandRecord } from '../log/log-store.ts'
import { sha256 } from '../machine/sha256.ts'
import { oversizeOf } from './event-size.ts'
import { keptText } from './kept-state.ts'
import type { Facts } from './policy-facts.ts'
import { endedBetween, rowsOf, sameLine, sessionLine } from './projection.ts'
import { decide, evolve, projectIn, type StreamState } from './state.ts'
import { taskLineBetween } from './task-rows.ts'

/** Where a stream stands in memory: the head that was read, and the state there. */
export interface Standing {
  epoch: string | undefined
  head: number
  state: StreamState | undefined
}

/** A command and who sent it; `hash` tells it from another one with the same id. */
export interface Submitted {
  command: Command
  principal: Principal
  hash: string
  /** As the rules take it (`Context`). */
  allowHigh?: true | string | undefined
}

/** An answer before the stream's epoch is known, which its first append brings. */
export type Answer =
  | { ok: true; accepted: AcceptedFacts & { id: string; seq: number } }
  | { ok: false; problem: Problem }

/** A command that has its answer. */
export interface Known {
  hash: string
  outcome: Answer
}

/** An event with the address that it came from, which the log keeps beside it. */
type Placed = Envelope & { address: string | undefined }

/** What a batch comes to. */
interface Work {
  /** One for each command, in their order. */
  outcomes: readonly Answer[]
  state: StreamState | undefined
  /** What has to be written before anybody is answered. */
  append: readonly Append[]
}

/**
 * Decides commands in order on top of what is committed; `remembered` is what the log knows of each, `facts` what
 * else the rules need. Pure: nothing is
 * written or answered here.
 */
export function decideBatch(
  stream: string,
  standing: Standing,
  batch: readonly Submitted[],
  remembered: readonly (Known | undefined)[],
  now: string,
  facts: Facts & Pick<Context, 'approvalLimits'> = {},
): Work {
  const events: Placed[] = []
  const commands: CommandRecord[] = []
  const outcomes: Answer[] = []
  const first = new Map<string, Known>()
  let state = standing.state
  let { said } = facts
  for (const [at, { command, principal, hash, allowHigh }] of batch.entries()) {
    const sender = senderKey(principal)
    const key = `${sender} ${command.id}`
    const earlier = first.get(key) ?? remembered[at]
    if (earlier) {
      outcomes.push(earlier.hash === hash ? earlier.outcome : mismatch())
      continue
    }
    const head = standing.head + events.length
    const by = { actor: actorOf(principal), channel: principal.channel }
    const context = { now, head, ...by, sha256, allowHigh, ...facts, said }
    const decision = decide(state, command, context)
    if (!decision.ok) {
      outcomes.push({ ok: false, problem: decision.problem })
      continue
    }
    const from = { ...context, address: principal.address }
    const made = decision.events.map((draft, index) =>
      eventOf(stream, draft, standing.head + events.length + index + 1, command, from),
    )
    const oversize = made.map(oversizeOf).find((bytes) => bytes !== undefined)
    if (oversize !== undefined) {
      const detail = `An event of ${oversize} bytes is over the limit of ${limits.eventBytes}. Split it.`
      outcomes.push({ ok: false, problem: problem('too_large', detail, { limit: limits.eventBytes }) })
      continue
    }
    for (const event of made) state = evolve(state, event)
    // Those of one batch see what the ones before them have put under a message.
    said &&= evolveSaidById(said, made)
    events.push(...made)
    const seq = standing.head + events.length
    const accepted = { ...decision.facts, id: command.id, seq }
    const outcome: Answer = { ok: true, accepted }
    outcomes.push(outcome)
    // Also where nothing had to be appended: sent again later it would find another state, and happen then. The server's
    // own commands are never sent again. A refusal is not remembered: nothing happened, and the log would grow by it.
    if (made.length > 0 || principal.kind !== 'system') {
      first.set(key, { hash, outcome })
      commands.push({ principal: sender, id: command.id, bodyHash: hash, answer: JSON.stringify(accepted) })
    }
  }
  const isNothing = events.length === 0 && commands.length === 0
  return { outcomes, state, append: isNothing ? [] : appendsOf(stream, standing, state, events, commands, now) }
}

/** The stream's own append, and the line of a session or a card in its project where a list would show it differently. */
function appendsOf(
  stream: string,
  standing: Standing,
  state: StreamState | undefined,
  events: readonly Placed[],
  commands: readonly CommandRecord[],
  now: string,
): readonly Append[] {
  const own: Append = {
    stream,
    project: projectIn(state),
    expect: standing.head,
    // With members that the log does not read: it gives each event its place itself.
    events,
    ...(state === undefined || state === standing.state ? {} : { state: keptText(state) }),
    commands,
    rows: state ? rowsOf(standing.state, state, events, now) : [],
  }
  const at = standing.head + events.length
  if (state?.kind === 'task') {
    const before = standing.state?.kind === 'task' ? standing.state : undefined
    const line = taskLineBetween(before, state, at)
    return line ? [own, lineOf(line, state.project, now)] : [own]
  }
  if (state?.kind !== 'session') return [own]
  const before = standing.state?.kind === 'session' ? standing.state : undefined
  if (sameLine(before, state)) return [own]
  return [own, lineOf(sessionLine(state, at, endedBetween(before, state)), state.project, now)]
}

function lineOf(line: DraftOf<'session.indexed' | 'task.indexed'>, project: string, now: string): Append {
  return {
    stream: `project:${project}`,
    expect: 'any',
    events: [{ v: protocolVersion, at: now, actor: { kind: 'system', id: 'server' }, ...line }],
  }
}

function eventOf(
  stream: string,
  draft: KnownDraft,
  seq: number,
  command: Command,
  context: Context & { address: string | undefined },
): Placed {
  const reported = command.type === 'agent.report'
  return {
    v: protocolVersion,
    stream,
    seq,
    at: context.now,
    type: draft.type,
    subject: draft.subject,
    actor: draft.actor ?? (reported ? { kind: 'agent', id: stream.slice(stream.indexOf(':') + 1) } : context.actor),
    channel: draft.actor ? undefined : context.channel,
    cause: command.id,
    data: draft.data,
    body: 'body' in draft ? draft.body : undefined,
    hash: '',
    address: draft.actor ? undefined : context.address,
  }
}

function mismatch(): Answer {
  const detail = 'This id was used for another command. Every new command needs a new id.'
  return { ok: false, problem: problem('idempotency_mismatch', detail) }
}
