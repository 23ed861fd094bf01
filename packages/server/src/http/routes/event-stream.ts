import { Readable } from 'node:stream'
import { limits } from '@hotline/protocol/limits'
import { ownFrame, type SharedFrame } from '../../feed/shared-frame.ts'
import type { Gate } from '../../gate/gate.ts'
import { enter, leave, type ReceptionPorts } from '../../gate/reception.ts'
import type { Wire } from '../../gate/wire.ts'
import { repeat } from '../../machine/clock.ts'
import { comeBackMs, type FollowRequest, goingDown } from './follow-request.ts'
import type { RouteAnswer } from '../route.ts'

/** An answer ends after this, and its reader asks anew with its cursors: one that is gone is found no later. */
const lifeMs = 50_000
/** Bytes that may wait before even urgent frames are too much. */
const queueMaxBytes = 8 * limits.socketQueueBytes
/** The first words: a browser's `EventSource` comes back after this. */
const opening = 'retry: 500\n\n'

/**
 * The frames of `hotline.v1` as server-sent events, each with the cursor of its reader as id, until one side goes or the
 * life of the answer is over.
 */
export async function openEventStream(
  { known, follows, signal }: FollowRequest,
  ports: ReceptionPorts,
): Promise<RouteAnswer<never>> {
  const { clock, traffic } = ports.gate
  let gate: Gate | undefined
  let open = true
  const stream = new Readable({ highWaterMark: limits.socketQueueBytes / 4, read: () => gate?.drained() })
  const finish = (): void => {
    if (!open) return
    open = false
    stopBeat()
    cancelEnd()
    signal.removeEventListener('abort', goodbye)
    stream.push(null)
    if (gate) leave(gate, ports)
  }
  const wire: Wire = {
    send: (frame) => {
      if (!open) return
      stream.push(serverSentEvent(frame))
      traffic.framesSent += 1
      traffic.bytesSent += frame.json.length
      if (stream.readableLength > queueMaxBytes) stream.destroy()
    },
    get queuedBytes() {
      return stream.readableLength
    },
    acknowledges: false,
    // Nothing ever comes from its other side.
    silentMs: 0,
    close: finish,
  }
  // The server goes down, or the reader has gone: then nobody hears it.
  const goodbye = (): void => {
    wire.send(ownFrame({ t: 'goodbye', code: 'draining', retryAfterMs: comeBackMs }))
    finish()
  }
  const stopBeat = repeat(clock, limits.heartbeatMs, () => gate?.heartbeat())
  const cancelEnd = clock.after(lifeMs, finish)
  signal.addEventListener('abort', goodbye)
  stream.on('close', finish)
  stream.push(opening)
  const entered = await enter(known, wire, () => open, ports)
  if (entered === undefined) return { problem: goingDown() }
  if ('code' in entered) {
    finish()
    return { problem: entered }
  }
  gate = entered
  for (const follow of follows) gate.receive({ t: 'follow', ...follow })
  return {
    stream,
    contentType: 'text/event-stream; charset=utf-8',
    // Proxies that keep an answer until it is whole are told not to.
    headers: { 'x-accel-buffering': 'no' },
  }
}

/** A frame has no line breaks: it is one line of data. */
function serverSentEvent(frame: SharedFrame): Uint8Array {
  frame.serverSent ??= Buffer.concat([
    Buffer.from(frame.cursor === undefined ? 'data: ' : `id: ${frame.cursor}\ndata: `),
    frame.json,
    Buffer.from('\n\n'),
  ])
  return frame.serverSent
}
