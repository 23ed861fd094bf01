import type { Outbox } from '../spool/outbox.ts'
import type { Spool } from '../spool/spool.ts'
import type { SessionLog } from './session-log.ts'

/** Where doubts stand, and where they are told. */
interface DoubtPorts {
  spool: Spool
  outbox: Outbox
  sessionLog: SessionLog
}

/** What an earlier life was about to hand over when it ended: nobody knows whether its agent, which is gone, had it. */
export async function settleDoubts(ports: DoubtPorts, signal: AbortSignal): Promise<void> {
  const { spool, outbox } = ports
  const claims: Promise<void>[] = []
  for (const [id, intent] of spool.intents) {
    if (intent.what === 'prompt' && intent.message !== undefined) claims.push(settleClaim(ports, id, intent.message))
    else {
      if (intent.what === 'answer') {
        outbox.put({ type: 'approval.dispatch_unknown', data: { approval: intent.approval } })
      }
      spool.conclude(id)
    }
  }
  await outbox.flush(signal)
  if (!signal.aborted) await Promise.all(claims)
}

/** A claim without which nothing was handed over, and which the log does not take, leaves no doubt: the message waits. */
async function settleClaim({ spool, outbox, sessionLog }: DoubtPorts, intent: string, message: string): Promise<void> {
  const claim = spool.waiting.findLast(
    ({ report: { type, data } }) => type === 'message.delivered' && data['message'] === message,
  )
  const isWaiting = sessionLog.state?.queue.some((queued) => queued.message === message)
  if (claim === undefined && isWaiting) return spool.conclude(intent)
  const fate = claim === undefined ? 'kept' : await outbox.fateOf(claim.n)
  if (fate === 'lost') return
  if (fate === 'kept') outbox.put({ type: 'message.delivery_unknown', data: { message } })
  spool.conclude(intent)
}
