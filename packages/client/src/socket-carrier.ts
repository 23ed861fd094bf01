import type { Problem } from '@hotline/protocol/error'
import { type CarrierEars, type Carrier, type CarrierOptions, hearFrame } from './carrier.ts'
import { farewellOf } from './farewell.ts'
import { httpRequest } from './http-request.ts'
import { problemOfClose } from './problem-of.ts'

/** The close handshake of a link that is closed; a half-open connection would never finish it. */
const closeTimeoutMs = 1_000

/** `hotline.v1` over a WebSocket. The first frame says who we are; with a cookie a one-use ticket is fetched for it. */
export function openSocketCarrier(options: CarrierOptions, ears: CarrierEars): Carrier {
  const { url, clock, frames } = options
  let socket: WebSocket | undefined
  let over = false
  const end = (why: Problem): void => {
    if (over) return
    over = true
    ears.ended(why)
  }
  const cut = (why: Problem): void => {
    end(why)
    socket?.close()
  }
  const dial = async (): Promise<void> => {
    const hello = await helloOf(options)
    if (over) return
    if ('refusal' in hello) return end(hello.refusal)
    const dialled = new options.webSocket(socketUrl(url), frames.subprotocol)
    dialled.binaryType = 'arraybuffer'
    socket = dialled
    /** What the server said of the end before it came. */
    let farewell: Problem | undefined
    dialled.addEventListener('open', () => dialled.send(frames.write({ t: 'hello', ...hello.frame })))
    dialled.addEventListener('message', ({ data }: MessageEvent) => {
      if (over || (typeof data !== 'string' && !(data instanceof ArrayBuffer))) return
      const sizeChars = typeof data === 'string' ? data.length : data.byteLength
      const frame = hearFrame(frames.read(data), sizeChars, { ...ears, ended: cut }, options.account)
      farewell = (frame && farewellOf(frame)) ?? farewell
    })
    dialled.addEventListener('close', ({ code }) => end(farewell ?? problemOfClose(code)))
  }
  void dial()
  return {
    transport: 'websocket',
    commands: 'frames',
    send: (frame) => {
      if (over || socket?.readyState !== 1) return false
      socket.send(frames.write(frame))
      return true
    },
    close: async () => {
      over = true
      const closing = socket
      if (!closing || closing.readyState === 3) return
      await new Promise<void>((resolve) => {
        const cancel = clock.after(closeTimeoutMs, resolve)
        closing.addEventListener('close', () => {
          cancel()
          resolve()
        })
        closing.close()
      })
    },
  }
}

async function helloOf({
  url,
  credential,
  client,
  instance,
}: CarrierOptions): Promise<{ frame: object } | { refusal: Problem }> {
  if (credential.kind === 'token') return { frame: { token: credential.token, client, instance } }
  const answer = await httpRequest<{ ticket: string }>(url, credential, 'POST', '/api/auth/ticket', {})
  return answer.ok ? { frame: { ticket: answer.value.ticket, client } } : { refusal: answer.problem }
}

/** Throws a TypeError where `url` is none. */
export function socketUrl(url: string): URL {
  const target = new URL('/api/ws', url)
  target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:'
  return target
}
