import type { ToolCall } from '@agentclientprotocol/sdk'
import { z } from 'zod'
import type { Ask, AskOption } from '../script.ts'
import { mustAsk } from '../session.ts'
import { freshId, openTool, textContent, updateTool } from '../turn.ts'
import type { Turn } from '../turn.ts'
import { RpcError } from '../wire/rpc-error.ts'
import { appendRecord, previewDiff } from './files.ts'

/** How a permission request came out. */
export interface Decision {
  toolCallId: string
  outcome: 'allow' | 'deny' | 'cancelled'
}

/** What `record` appends: the outcome, and by what it came about. */
interface DecisionRecord {
  at: string
  tool: string
  title: string
  outcome: Decision['outcome']
  /** answer: the client's; mode, always: not asked; withdrawn: cancelled first; refusal: a JSON-RPC error. */
  via: 'answer' | 'mode' | 'always' | 'withdrawn' | 'refusal'
  optionId?: string
  kind?: AskOption['kind']
}

type Verdict = Pick<DecisionRecord, 'outcome' | 'via' | 'optionId' | 'kind'>

const DEFAULT_OPTIONS: AskOption[] = [
  { optionId: 'allow-once', name: 'Allow', kind: 'allow_once' },
  { optionId: 'allow-always', name: 'Allow all of this kind in this session', kind: 'allow_always' },
  { optionId: 'reject-once', name: 'Refuse', kind: 'reject_once' },
]

const permissionResponse = z.object({
  outcome: z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('cancelled') }),
    z.object({ outcome: z.literal('selected'), optionId: z.string() }),
  ]),
})

/** Announces the tool call that is to be asked about. */
export async function announce(turn: Turn, ask: Ask): Promise<ToolCall> {
  const call = await describe(turn, ask, ask.tool ?? freshId('tool'))
  if (ask.announce !== false) await openTool(turn, call)
  return call
}

/**
 * Asks, writes the outcome down and closes the tool call if it was refused. After an allow the tool call is open and
 * in progress. The request is sent at once, so that several go out in the order in which they are made.
 * Throws the turn's abort reason when the request was taken back.
 */
export async function requestDecision(turn: Turn, ask: Ask, call: ToolCall): Promise<Decision> {
  const { toolCallId } = call
  const verdict = await decide(turn, ask, call)
  if (ask.record !== undefined) {
    const record: DecisionRecord = { at: new Date().toISOString(), tool: toolCallId, title: ask.title, ...verdict }
    await appendRecord(turn, ask.record, record)
  }
  turn.signal.throwIfAborted()
  if (verdict.outcome === 'allow') {
    if (verdict.kind === 'allow_always') turn.session.alwaysAllowed.add(ask.kind)
    turn.openTools.add(toolCallId) // also one that was never announced
    await updateTool(turn, { toolCallId, status: 'in_progress' })
  } else if (ask.closeOnDeny === false) {
    turn.openTools.delete(toolCallId)
  } else {
    const text = verdict.outcome === 'deny' ? 'Refused.' : 'Cancelled.'
    await updateTool(turn, { toolCallId, status: 'failed', content: textContent(text) })
  }
  return { toolCallId, outcome: verdict.outcome }
}

async function describe(turn: Turn, { title, kind, input }: Ask, toolCallId: string): Promise<ToolCall> {
  const call: ToolCall = { toolCallId, title, kind, status: 'pending', rawInput: input }
  const { path, content } = input
  if (typeof path !== 'string') return call
  const diff = kind === 'edit' && typeof content === 'string' ? await previewDiff(turn, path, content) : []
  const [first] = diff
  const where = first?.type === 'diff' ? first.path : path
  return { ...call, locations: [{ path: where }], ...(diff.length > 0 && { content: diff }) }
}

async function decide(turn: Turn, ask: Ask, call: ToolCall): Promise<Verdict> {
  const { session, peer, signal } = turn
  if (!mustAsk(session, ask.kind)) {
    return { outcome: 'allow', via: session.alwaysAllowed.has(ask.kind) ? 'always' : 'mode' }
  }
  const options = ask.options ?? DEFAULT_OPTIONS
  const params = { sessionId: session.id, toolCall: call, options }
  try {
    const whenAborted = ask.whenCancelled ?? 'withdraw'
    const answer = await peer.request('session/request_permission', params, { signal, whenAborted })
    return weigh(permissionResponse.parse(answer).outcome, options, signal)
  } catch (error) {
    if (signal.aborted) return { outcome: 'cancelled', via: 'withdrawn' }
    if (error instanceof RpcError || error instanceof z.ZodError) return { outcome: 'deny', via: 'refusal' }
    throw error
  }
}

/** An allow that came after the cancel is not acted on; an option that was not offered allows nothing. */
function weigh(
  outcome: z.infer<typeof permissionResponse>['outcome'],
  options: readonly AskOption[],
  signal: AbortSignal,
): Verdict {
  if (outcome.outcome === 'cancelled') return { outcome: 'cancelled', via: 'answer' }
  const { optionId } = outcome
  const kind = options.find((option) => option.optionId === optionId)?.kind
  const chosen = { via: 'answer' as const, optionId, ...(kind && { kind }) }
  if (signal.aborted) return { outcome: 'cancelled', ...chosen }
  return { outcome: kind === 'allow_once' || kind === 'allow_always' ? 'allow' : 'deny', ...chosen }
}
