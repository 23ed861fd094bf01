import { Readable } from 'node:stream'
import { limits } from '@hotline/protocol/limits'
import { ownFrame, type SharedFrame } from '../../feed/shared-frame.ts'
import type { Gate } from '../../gate/gate.ts'
import { enter, leave, type ReceptionPorts } from '../../gate/reception.ts'
import type { Wire } from '../../gate/wire.ts'
import { comeBackMs, type FollowRequest, goingDown } from './follow-request.ts'
import type { RouteAnswer } from '../route.ts'

/** What comes so soon after the first news goes with it. */
const gatherMs = 50
/** What is there now can be read in this time, or the answer goes without it. */
const readMaxMs = 10_000

/**
 * The frames of `hotline.v1` in one answer: as soon as there is news, or after the wait. Without a wait, as soon as
 * everything that is there now was sent, or as much of it as one answer holds.
 */
export async function longPoll(
  { known, follows, signal }: FollowRequest,
  waitMs: number,
  ports: ReceptionPorts,
): Promise<RouteAnswer<never>> {
  const { clock, traffic } = ports.gate
  const frames: SharedFrame[] = []
  let bytes = 0
  const unanswered = new Set(follows.map(({ stream }) => stream))
  const { promise: ended, resolve: finish } = Promise.withResolvers<void>()
  let cancelWait = (): void => undefined
  let gathering = false
  const gather = (): void => {
    if (gathering) return
    gathering = true
    cancelWait()
    cancelWait = clock.after(gatherMs, finish)
  }
  const wire: Wire = {
    send: (frame) => {
      frames.push(frame)
      bytes += frame.json.length
      traffic.framesSent += 1
      traffic.bytesSent += frame.json.length
      if (frame.stream !== undefined && answers(frame)) unanswered.delete(frame.stream)
      if (bytes > limits.socketQueueBytes || (waitMs === 0 && unanswered.size === 0)) finish()
      else if (waitMs > 0 && !frame.quiet) gather()
    },
    get queuedBytes() {
      return bytes
    },
    acknowledges: false,
    // Each request is a sign of life.
    silentMs: 0,
    close: () => finish(),
  }
  // The server goes down, or the client has gone: then nobody hears it.
  const goodbye = (): void => {
    wire.send(ownFrame({ t: 'goodbye', code: 'draining', retryAfterMs: comeBackMs }))
    finish()
  }
  signal.addEventListener('abort', goodbye)
  let gate: Gate | undefined
  try {
    const entered = await enter(known, wire, () => !signal.aborted, ports)
    if (entered === undefined) return { problem: goingDown() }
    if ('code' in entered) return { problem: entered }
    gate = entered
    cancelWait = clock.after(waitMs === 0 ? readMaxMs : waitMs, finish)
    for (const follow of follows) gate.receive({ t: 'follow', ...follow })
    if (waitMs === 0 && follows.length === 0) finish()
    await ended
  } finally {
    cancelWait()
    signal.removeEventListener('abort', goodbye)
    if (gate) leave(gate, ports)
  }
  const parts = frames.flatMap(({ json }, index) => (index === 0 ? [json] : [comma, json]))
  const answer = Buffer.concat([Buffer.from('{"frames":['), ...parts, Buffer.from(']}')])
  return { stream: Readable.from([answer]), contentType: 'application/json; charset=utf-8' }
}

const comma = Buffer.from(',')

/** Whether a frame tells where a follow stands: nothing more of it is there now. */
function answers({ kind }: SharedFrame): boolean {
  return kind === 'caught_up' || kind === 'reset' || kind === 'unfollowed'
}
