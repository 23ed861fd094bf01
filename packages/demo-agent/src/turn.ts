import type { SessionUpdate, ToolCall, ToolCallUpdate } from '@agentclientprotocol/sdk'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Host } from './host.ts'
import type { StopReason } from './script.ts'
import type { Session } from './session.ts'
import type { Out } from './wire/out.ts'
import type { Peer } from './wire/peer.ts'

/** One prompt while it is being answered: what every step works with. */
export interface Turn {
  readonly session: Session
  readonly peer: Peer
  readonly out: Out
  readonly host: Host
  /** Whether the client answers elicitation/create forms. */
  readonly clientHasForms: boolean
  /** Aborts on session/cancel, on $/cancel_request of the prompt and when the process ends. */
  readonly signal: AbortSignal
  /** Tool calls that were announced and not closed. */
  readonly openTools: Set<string>
}

/** Thrown to end a turn from within its steps. */
export class TurnEnd extends Error {
  readonly stopReason: StopReason

  constructor(stopReason: StopReason) {
    super(`the turn ends: ${stopReason}`)
    this.name = 'TurnEnd'
    this.stopReason = stopReason
  }
}

/** Keeps an update for a later load and sends it. Resolves when it is out. */
export async function update(turn: Pick<Turn, 'session' | 'peer'>, what: SessionUpdate): Promise<void> {
  turn.session.transcript.keep(what)
  await sendUpdate(turn, what)
}

/** Sends an update that a later load does not bring back. */
export async function sendUpdate(turn: Pick<Turn, 'session' | 'peer'>, what: SessionUpdate): Promise<void> {
  await turn.peer.notify('session/update', { sessionId: turn.session.id, update: what })
}

/** A fresh id for a message or a tool call. */
export function freshId(prefix: 'msg' | 'tool'): string {
  return `${prefix}-${randomUUID()}`
}

/** Announces a tool call and remembers that it is open. */
export async function openTool(turn: Turn, call: ToolCall): Promise<void> {
  turn.openTools.add(call.toolCallId)
  await update(turn, { sessionUpdate: 'tool_call', ...call })
}

/** Tells something new about a tool call; a final status closes it. */
export async function updateTool(turn: Turn, call: ToolCallUpdate): Promise<void> {
  if (call.status === 'completed' || call.status === 'failed') turn.openTools.delete(call.toolCallId)
  await update(turn, { sessionUpdate: 'tool_call_update', ...call })
}

/** Tool call content that is text. */
export function textContent(text: string): [{ type: 'content'; content: { type: 'text'; text: string } }] {
  return [{ type: 'content', content: { type: 'text', text } }]
}

/** Waits, or throws as soon as the turn is cancelled. */
export async function pause(turn: Turn, ms: number): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal: turn.signal })
  else turn.signal.throwIfAborted()
}
