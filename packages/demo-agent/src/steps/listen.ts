import type { Turn } from '../turn.ts'
import { hear } from './speech.ts'

/** Waits until something is said into the turn, and answers it. */
export async function listen(turn: Turn): Promise<void> {
  const { inbox } = turn.session
  const stopped = Promise.withResolvers<never>()
  const stop = (): void => stopped.reject(turn.signal.reason)
  turn.signal.addEventListener('abort', stop, { once: true })
  try {
    turn.signal.throwIfAborted()
    if (inbox.texts.length === 0) {
      await Promise.race([new Promise<void>((resolve) => (inbox.arrived = resolve)), stopped.promise])
    }
  } finally {
    inbox.arrived = null
    turn.signal.removeEventListener('abort', stop)
  }
  await hear(turn)
}
