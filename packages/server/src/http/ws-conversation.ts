import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { closeOf, type Problem, problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import type { WebSocket } from 'ws'
import type { Principal } from '../access/principal.ts'
import { ownFrame } from '../feed/shared-frame.ts'
import type { Gate } from '../gate/gate.ts'
import { enter, type Known, leave, type ReceptionPorts } from '../gate/reception.ts'
import type { Wire } from '../gate/wire.ts'
import { type Clock, repeat } from '../machine/clock.ts'
import type { Greeting } from './doors.ts'
import { FrameWatch } from './frame-watch.ts'
import type { Speech } from './speech.ts'

/** A connection without a whole frame for so long, not even an answer to a ping, is gone. */
const silenceMaxMs = limits.heartbeatMs * 2.5
/** A message that is not whole so long after its first byte ends the connection: it would hold memory for ever. */
const messageMaxMs = 30_000
/** A reader that takes nothing for so long is told to come back. */
const stallMaxMs = 60_000
/** Bytes that may wait in a socket before even answers are too much. */
export const queueMaxBytes: number = 8 * limits.socketQueueBytes
/** Messages that are kept until their sender was let in, where they are kept; another one ends the connection. */
const earlyMax = 20

/** What one conversation over a WebSocket needs. */
export interface ConversationPorts extends ReceptionPorts {
  fromHello: (hello: Greeting, request: IncomingMessage) => Promise<Principal | Problem>
  clock: Clock
}

/**
 * Speaks over an open WebSocket until it ends: the first message, messages to and fro, heartbeats, limits. A speech that
 * has something to say by itself writes it to the socket.
 */
export function converse(
  webSocket: WebSocket,
  socket: Duplex,
  request: IncomingMessage,
  known: Known | undefined,
  speech: Speech,
  ports: ConversationPorts,
): void {
  const { clock } = ports
  const { traffic } = ports.gate
  let gate: Gate | undefined
  let greeting = false
  let ready = false
  const early: unknown[] = []
  let heardMs = clock.monotonicMs()
  // Let go of after the proof: a connection may stay for days, and this is the largest part of what it would hold.
  let upgraded: IncomingMessage | undefined = known ? undefined : request
  const isOpen = (): boolean => webSocket.readyState === webSocket.OPEN
  const wire: Wire = {
    send: (frame) => {
      const bytes = isOpen() ? speech.write(frame) : undefined
      if (!bytes) return
      socket.write(bytes)
      traffic.framesSent += 1
      traffic.bytesSent += frame.json.length
      if (socket.writableLength > queueMaxBytes) webSocket.terminate()
    },
    get queuedBytes() {
      return socket.writableLength
    },
    acknowledges: speech.acknowledges,
    get silentMs() {
      return clock.monotonicMs() - heardMs
    },
    close: (code, reason) => webSocket.close(code, reason),
  }
  const end = (what: Problem): void => {
    wire.send(ownFrame({ t: 'problem', problem: what }))
    webSocket.close(closeOf(what.code), what.code)
  }
  const broken = (error: unknown): void => {
    ports.gate.fault(error)
    end(problem('internal', 'The connection could not be opened.'))
  }

  const letIn = async (somebody: Known): Promise<void> => {
    const entered = await enter(somebody, wire, isOpen, ports)
    if (!entered) return
    if ('code' in entered) return end(entered)
    cancelHello()
    gate = entered
    const refusal = await speech.entered(entered)
    if (refusal) return end(refusal)
    ready = true
    for (const input of early.splice(0)) speech.receive(input, entered)
  }
  const greet = async (input: unknown): Promise<void> => {
    const hello = speech.greeting(input)
    if (!hello || (hello.ticket === undefined) === (hello.token === undefined)) {
      return end(problem('unauthenticated', 'Say hello first, with a ticket or a token.'))
    }
    const { instance, ...proof } = hello
    const from = upgraded
    if (!from) return
    upgraded = undefined
    const rightsSeen = ports.gate.rightsChanges()
    const principal = await ports.fromHello(proof, from)
    if ('code' in principal) return end(principal)
    await letIn({ principal, rightsSeen, instance })
  }

  const cancelHello = clock.after(limits.helloTimeoutMs, () =>
    // Whoever was away for a moment says hello again: nothing is wrong with their credential.
    end(problem('too_slow', 'No hello came in time. Come back and say it.')),
  )
  const stopBeat = startHeartbeat({ webSocket, socket, clock, silentMs: () => wire.silentMs, end, gate: () => gate })
  const messages = watchMessages(clock, () =>
    end(problem('too_slow', 'A message was not whole after 30 s. Come back with the cursor and send it again.')),
  )

  socket.on('data', (bytes: Buffer) => {
    if (messages.take(bytes)) heardMs = clock.monotonicMs()
  })
  socket.on('drain', () => gate?.drained())
  // Once a close was said nothing more is carried out, whatever arrives before the connection is gone.
  webSocket.on('message', (bytes: Buffer, isBinary: boolean) => {
    if (!isOpen()) return
    traffic.framesReceived += 1
    if (isBinary !== (speech.messages === 'binary')) return webSocket.close(1003, `${speech.messages} frames only`)
    const parsed = speech.read(bytes)
    if (gate && ready) {
      if ('value' in parsed) return speech.receive(parsed.value, gate)
      return gate.strike(problem('invalid_frame', parsed.detail))
    }
    if (greeting || known) {
      if (speech.early === 'kept' && early.length < earlyMax && 'value' in parsed) return void early.push(parsed.value)
      return end(problem('unauthenticated', 'Wait until you are let in.'))
    }
    if (!('value' in parsed)) return end(problem('unauthenticated', 'Say hello first, with a ticket or a token.'))
    greeting = true
    greet(parsed.value).catch(broken)
  })
  // Before the welcome nothing is sent, pongs neither.
  webSocket.on('ping', (payload: Buffer) => {
    if (isOpen() && gate?.pinged()) webSocket.pong(payload)
  })
  webSocket.on('pong', () => {
    if (isOpen()) gate?.pinged()
  })
  // The library has said why, with the close code of the RFC, and cuts off whoever does not answer that. To cut at once
  // would take the code away again, with everything that lies unread.
  webSocket.on('error', () => undefined)
  webSocket.on('close', () => {
    cancelHello()
    stopBeat()
    messages.stop()
    speech.left()
    if (gate) leave(gate, ports)
  })
  if (known) letIn(known).catch(broken)
}

/** Cuts off a message that does not end. */
function watchMessages(clock: Clock, cut: () => void): { take: (bytes: Uint8Array) => boolean; stop: () => void } {
  const watch = new FrameWatch()
  let sinceMs = 0
  let cancel: (() => void) | undefined
  const look = (): void => {
    cancel = undefined
    if (!watch.unfinished) return
    const leftMs = sinceMs + messageMaxMs - clock.monotonicMs()
    if (leftMs > 0) cancel = clock.after(leftMs, look)
    else cut()
  }
  return {
    // True where at least one frame became whole.
    take: (bytes) => {
      const wasUnfinished = watch.unfinished
      const { frames, messages } = watch.take(bytes)
      if (watch.unfinished) {
        if (!wasUnfinished || messages > 0) sinceMs = clock.monotonicMs()
        cancel ??= clock.after(messageMaxMs, look)
      }
      return frames > 0
    },
    stop: () => cancel?.(),
  }
}

/** Pings at every beat, tells the heads, and ends a connection that is silent or takes nothing. */
function startHeartbeat(of: {
  webSocket: WebSocket
  socket: Duplex
  clock: Clock
  silentMs: () => number
  end: (why: Problem) => void
  gate: () => Gate | undefined
}): () => void {
  const { webSocket, socket, clock, silentMs, end, gate } = of
  let flowedMs = clock.monotonicMs()
  let queued = 0
  let cancelSilence: (() => void) | undefined
  const checkSilence = (): void => {
    if (silentMs() >= silenceMaxMs) webSocket.terminate()
  }
  const stopBeat = repeat(clock, limits.heartbeatMs, () => {
    const now = clock.monotonicMs()
    const leftMs = silenceMaxMs - silentMs()
    if (leftMs <= 0) return webSocket.terminate()
    cancelSilence?.()
    // Not left to the next beat: a half-open connection would be found only after 45 s.
    cancelSilence = leftMs < limits.heartbeatMs ? clock.after(leftMs, checkSilence) : undefined
    // Progress: the queue is empty, or smaller than at the last beat.
    if (socket.writableLength === 0 || socket.writableLength < queued) flowedMs = now
    queued = socket.writableLength
    if (now - flowedMs > stallMaxMs)
      return end(problem('too_slow', 'Nothing was read for a minute. Come back with the cursor.'))
    webSocket.ping()
    gate()?.heartbeat()
  })
  return () => {
    stopBeat()
    cancelSilence?.()
  }
}
