import { prepareDemo } from './demo/prepare.ts'
import type { AgentOptions } from './options.ts'
import type { StopReason } from './script.ts'
import { findScript } from './script-schema.ts'
import { OUTERMOST, playAnswer, playSteps } from './steps/play.ts'
import { hear } from './steps/speech.ts'
import { TurnEnd, freshId, textContent, updateTool } from './turn.ts'
import type { Turn } from './turn.ts'
import { RPC_CODES, RpcError } from './wire/rpc-error.ts'

/** What a prompt is answered with. */
type Setting = Omit<Turn, 'signal' | 'openTools'> & { options: AgentOptions }

/**
 * Runs one turn. Several prompts at once are a client's mistake and refused, so that tests see it.
 * Throws RpcError when the prompt is answered with an error.
 */
export async function answerPrompt(
  setting: Setting,
  text: string,
  requestSignal: AbortSignal,
): Promise<{ stopReason: StopReason }> {
  const { session } = setting
  if (session.turn) throw new RpcError(RPC_CODES.invalidRequest, 'this session is busy with another prompt')
  const abort = new AbortController()
  const signal = AbortSignal.any([abort.signal, requestSignal])
  const turn: Turn = { ...setting, signal, openTools: new Set() }
  session.turn = abort
  try {
    const play = choose(turn, setting.options, text)
    session.transcript.keep({
      sessionUpdate: 'user_message_chunk',
      content: { type: 'text', text },
      messageId: freshId('msg'),
    })
    await play()
    await hear(turn)
    return { stopReason: 'end_turn' }
  } catch (error) {
    const stopReason = signal.aborted ? 'cancelled' : error instanceof TurnEnd ? error.stopReason : null
    if (stopReason === null || stopReason === 'cancelled') await closeTools(turn)
    if (stopReason === null) throw error
    return { stopReason }
  } finally {
    session.turn = null
    session.inbox.texts = []
  }
}

/** A script in the prompt comes first, then an open question, then the script of the start, then the demonstration. */
function choose(turn: Turn, options: AgentOptions, text: string): () => Promise<void> {
  const { session } = turn
  const script = readScript(text)
  const pending = session.pendingQuestion
  session.pendingQuestion = null
  const first = !session.greeted
  session.greeted = true
  if (script) return () => playSteps(turn, script, OUTERMOST)
  if (pending) return () => playAnswer(turn, pending, text)
  if (options.script) {
    const steps = options.script
    return () => playSteps(turn, steps, OUTERMOST)
  }
  return async () => {
    const steps = await prepareDemo({ text, cwd: session.cwd, pace: options.pace, first })
    await playSteps(turn, steps, OUTERMOST)
  }
}

function readScript(text: string): ReturnType<typeof findScript> {
  try {
    return findScript(text)
  } catch (error) {
    throw new RpcError(RPC_CODES.invalidParams, error instanceof Error ? error.message : String(error))
  }
}

/** A turn that was cut short leaves no tool call looking as if it still ran. */
async function closeTools(turn: Turn): Promise<void> {
  for (const toolCallId of turn.openTools) {
    await updateTool(turn, { toolCallId, status: 'failed', content: textContent('Stopped.') })
  }
}
