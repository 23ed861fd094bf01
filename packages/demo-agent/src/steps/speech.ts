import type { SessionUpdate } from '@agentclientprotocol/sdk'
import { setImmediate as nextLoop } from 'node:timers/promises'
import type { Step } from '../script.ts'
import { freshId, pause, sendUpdate, update } from '../turn.ts'
import type { Turn } from '../turn.ts'

/**
 * Where stdout takes everything at once, writing never lets the event loop go round, and a cancel would not be read.
 * After so many chunks it does.
 */
const CHUNKS_PER_LOOP = 64

type Say = Extract<Step, { do: 'say' }>
type Think = Extract<Step, { do: 'think' }>

/** Streams one message or thought in pieces. */
export async function speak(turn: Turn, step: Say | Think): Promise<void> {
  const messageId = step.do === 'say' && step.anonymous ? undefined : freshId('msg')
  const sessionUpdate = step.do === 'say' ? 'agent_message_chunk' : 'agent_thought_chunk'
  const pieces = cut(step.text, step.chunks ?? 1)
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await pause(turn, step.delayMs ?? 0)
    turn.signal.throwIfAborted()
    await update(turn, chunk(sessionUpdate, piece, messageId))
    if (index % CHUNKS_PER_LOOP === CHUNKS_PER_LOOP - 1) await nextLoop()
  }
}

/** Sends many chunks of one message, each as soon as stdout took the one before. */
export async function flood(turn: Turn, { count, bytes }: Extract<Step, { do: 'flood' }>): Promise<void> {
  const messageId = freshId('msg')
  for (let n = 1; n <= count; n += 1) {
    turn.signal.throwIfAborted()
    const text = `${n} `.padEnd(bytes, '.').slice(0, bytes)
    await sendUpdate(turn, chunk('agent_message_chunk', text, messageId))
    if (n % CHUNKS_PER_LOOP === 0) await nextLoop()
  }
}

/** Sends numbered messages at an even pace. */
export async function tick(turn: Turn, step: Extract<Step, { do: 'tick' }>): Promise<void> {
  for (let n = 1; n <= step.count; n += 1) {
    await pause(turn, step.everyMs)
    await hear(turn)
    await update(turn, chunk('agent_message_chunk', `${step.text ?? 'tick'} ${n}`, freshId('msg')))
    if (n % CHUNKS_PER_LOOP === 0) await nextLoop()
  }
}

/** Hears what was said into the turn meanwhile, and answers it. */
export async function hear(turn: Turn): Promise<void> {
  for (const text of turn.session.inbox.texts.splice(0)) {
    await update(turn, {
      sessionUpdate: 'user_message_chunk',
      content: { type: 'text', text },
      messageId: freshId('msg'),
    })
    await speak(turn, { do: 'say', text: `Heard while I worked: ${text}` })
  }
}

function chunk(
  sessionUpdate: 'agent_message_chunk' | 'agent_thought_chunk',
  text: string,
  messageId: string | undefined,
): SessionUpdate {
  return { sessionUpdate, content: { type: 'text', text }, ...(messageId !== undefined && { messageId }) }
}

/** Cuts between characters, not inside one, into `count` pieces of about the same size. */
function cut(text: string, count: number): string[] {
  const characters = Array.from(text)
  const pieces = Math.max(1, Math.min(count, characters.length))
  const at = (n: number): number => Math.floor((n * characters.length) / pieces)
  return Array.from({ length: pieces }, (_, n) => characters.slice(at(n), at(n + 1)).join(''))
}
