import type { Link } from '@hotline/client/link'
import { queueSentence } from '@hotline/client/queue-words'
import { whyQueued } from '@hotline/client/why-queued'
import type { SessionState } from '@hotline/core/session/state'
import type { AgentRow } from '@hotline/protocol/http'
import type { QueuePlace } from '@hotline/protocol/queue'
import { inLine } from './approval-card.ts'

/** What can be started changes with machines that come and go; so often it is asked while something waits for it. */
const againMs = 5_000

/** Says what a session waits for that nobody begins, once for each reason. */
export interface QueueNote extends Disposable {
  /** As it is now. */
  look(state: SessionState | undefined): void
}

/** `note` hears a line for a person. */
export function openQueueNote(link: Link, note: (text: string) => void): QueueNote {
  let timer: NodeJS.Timeout | undefined
  let wanted: SessionState | undefined
  let said: string | undefined
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
    wanted = undefined
  }
  async function ask(): Promise<void> {
    const answer = await link.request<{ agents: AgentRow[] }>('GET', '/api/agents')
    // Meanwhile it may have begun, or nobody looks any more. A server that is away is told elsewhere.
    if (wanted === undefined || !answer.ok) return
    const { session } = wanted
    const standing = await link.request<{ queue: QueuePlace[] }>('GET', '/api/queue')
    const place = standing.ok ? standing.value.queue.find((one) => one.session === session) : undefined
    const why = whyQueued(answer.value.agents, wanted) ?? (place && queueSentence(place))
    if (why !== undefined && why !== said) note(`It waits. ${inLine(why)}`)
    said = why
  }
  return {
    look: (state) => {
      if (state?.status !== 'queued') return stop()
      wanted = state
      if (timer !== undefined) return
      timer = setInterval(() => void ask(), againMs)
      void ask()
    },
    [Symbol.dispose]: stop,
  }
}
