import type { ToolCall } from '@agentclientprotocol/sdk'
import type { Ask, Step } from '../script.ts'
import { FORGETFUL_MODE } from '../session.ts'
import type { PendingQuestion } from '../session.ts'
import { TurnEnd, freshId, openTool, pause, sendUpdate, textContent, update, updateTool } from '../turn.ts'
import type { Turn } from '../turn.ts'
import { RPC_CODES, RpcError } from '../wire/rpc-error.ts'
import { announce, requestDecision } from './ask.ts'
import { runCommand } from './command.ts'
import { read, write } from './files.ts'
import { listen } from './listen.ts'
import { speakNonsense } from './nonsense.ts'
import { die, hang, spawnChild, waitForFile, writeEnvironment } from './process.ts'
import { askByForm, questionText, recordAnswer } from './question.ts'
import { flood, hear, speak, tick } from './speech.ts'

/** What a list of steps inherits from the steps around it. */
export interface Scope {
  /** The tool call that write, read and run act on; null: each opens its own. */
  tool: string | null
  /** The last answer to a question, for {{answer}}. */
  answer: string | null
}

/** The scope of a whole script. */
export const OUTERMOST: Scope = { tool: null, answer: null }

/**
 * Plays steps one after another. Throws TurnEnd when a step ends the turn, RpcError when the prompt is to be answered
 * with an error, and the turn's abort reason when it is cancelled.
 */
export async function playSteps(turn: Turn, steps: readonly Step[], outer: Scope): Promise<void> {
  let scope = outer
  for (const [index, step] of steps.entries()) {
    turn.signal.throwIfAborted()
    if (step.do !== 'listen') await hear(turn)
    if (step.do === 'question') {
      if (!turn.clientHasForms) await askAsText(turn, { question: step, rest: steps.slice(index + 1) })
      const answer = await askByForm(turn, step)
      scope = { ...scope, answer }
      await playSteps(turn, (answer === null ? step.onDecline : step.onAccept) ?? [], scope)
    } else {
      await playStep(turn, step, scope)
    }
  }
}

/** Goes on after a question that was asked as text, with the prompt that answers it. */
export async function playAnswer(turn: Turn, pending: PendingQuestion, answer: string): Promise<void> {
  const { question, rest } = pending
  await recordAnswer(turn, question, { action: 'accept', content: answer })
  await playSteps(turn, [...(question.onAccept ?? []), ...rest], { ...OUTERMOST, answer })
}

async function askAsText(turn: Turn, pending: PendingQuestion): Promise<never> {
  await speak(turn, { do: 'say', text: questionText(pending.question) })
  turn.session.pendingQuestion = pending
  throw new TurnEnd('end_turn')
}

async function playStep(turn: Turn, step: Exclude<Step, { do: 'question' }>, scope: Scope): Promise<void> {
  switch (step.do) {
    case 'say':
      return speak(turn, { ...step, text: fillIn(step.text, scope.answer) })
    case 'think':
      return speak(turn, step)
    case 'plan':
      return showPlan(turn, step)
    case 'tool':
      return showTool(turn, step)
    case 'ask':
      return playAsk(turn, step, scope)
    case 'askTwo':
      return playBoth(turn, step.asks, scope)
    case 'write':
      return write(turn, step, scope.tool)
    case 'read':
      return read(turn, step, scope.tool)
    case 'run':
      return runCommand(turn, step.argv, scope.tool)
    case 'wait':
      return pause(turn, step.ms)
    case 'waitFile':
      return waitForFile(turn, step)
    case 'listen':
      return listen(turn)
    case 'flood':
      return flood(turn, step)
    case 'tick':
      return tick(turn, step)
    case 'hang':
      return hang(turn, step)
    case 'die':
      return die(turn, step)
    case 'nonsense':
      return speakNonsense(turn, step.kind, step.bytes)
    case 'stderr':
      return turn.host.writeStderr(step.text)
    case 'end':
      throw new TurnEnd(step.stopReason)
    case 'error':
      throw new RpcError(step.code ?? RPC_CODES.internal, step.message)
    case 'usage':
      return showUsage(turn, step)
    case 'mode':
      return changeMode(turn, step.id)
    case 'forgetMode':
      return turn.session.transcript.forceModeAfterLoad(step.to ?? FORGETFUL_MODE)
    case 'spawnChild':
      return spawnChild(turn, step)
    case 'env':
      return writeEnvironment(turn, step)
  }
}

async function playAsk(turn: Turn, ask: Ask, scope: Scope): Promise<void> {
  await playAnnounced(turn, ask, await announce(turn, ask), scope)
}

async function playAnnounced(turn: Turn, ask: Ask, call: ToolCall, scope: Scope): Promise<void> {
  const { toolCallId, outcome } = await requestDecision(turn, ask, call)
  if (outcome === 'cancelled') throw new TurnEnd('cancelled')
  if (outcome === 'deny') return playSteps(turn, ask.onDeny ?? [], scope)
  await playSteps(turn, ask.onAllow ?? [], { ...scope, tool: toolCallId })
  if (turn.openTools.has(toolCallId)) await updateTool(turn, { toolCallId, status: 'completed' })
}

/** Waits for both, also when one of them ends the turn: nothing of a turn may go on after its answer. */
async function playBoth(turn: Turn, asks: readonly Ask[], scope: Scope): Promise<void> {
  const announced: [Ask, ToolCall][] = []
  for (const ask of asks) announced.push([ask, await announce(turn, ask)])
  const results = await Promise.allSettled(announced.map(([ask, call]) => playAnnounced(turn, ask, call, scope)))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

async function showPlan(turn: Turn, { entries }: Extract<Step, { do: 'plan' }>): Promise<void> {
  const full = entries.map(({ content, status = 'pending', priority = 'medium' }) => ({ content, status, priority }))
  await update(turn, { sessionUpdate: 'plan', entries: full })
}

async function showTool(turn: Turn, step: Extract<Step, { do: 'tool' }>): Promise<void> {
  const { tool: toolCallId = freshId('tool'), title, kind, input, output, status = 'completed' } = step
  const call = { toolCallId, title, kind, status: 'pending' as const }
  await openTool(turn, { ...call, ...(input !== undefined && { rawInput: input }) })
  const content = output === undefined ? {} : { content: textContent(output), rawOutput: output }
  if (status !== 'pending' || output !== undefined) await updateTool(turn, { toolCallId, status, ...content })
}

async function showUsage(turn: Turn, { used, size, cost }: Extract<Step, { do: 'usage' }>): Promise<void> {
  await update(turn, { sessionUpdate: 'usage_update', used, size, ...(cost && { cost }) })
}

async function changeMode(turn: Turn, modeId: string): Promise<void> {
  turn.session.modeId = modeId
  turn.session.transcript.keepMode(modeId)
  await sendUpdate(turn, { sessionUpdate: 'current_mode_update', currentModeId: modeId }) // a load tells it itself
}

/** By function, since a "$&" in somebody's answer must stay what it is. */
function fillIn(text: string, answer: string | null): string {
  return answer === null ? text : text.replaceAll('{{answer}}', () => answer)
}
