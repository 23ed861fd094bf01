import type { WebSocketConstructor } from '@hotline/client/carrier'
import { WebSocket } from 'ws'

/** Sockets whose owner can stop reading: what comes stays in the network, as with a person's frozen page. */
export interface PausableSockets {
  /** For `openLink`. */
  readonly webSocket: WebSocketConstructor
  /** From now on nothing is read, on sockets of later too. */
  pause(): void
  /** Goes on with what waits. */
  resume(): void
}

/** Each call gives sockets of its own to pause. */
export function openPausableSockets(): PausableSockets {
  const sockets = new Set<WebSocket>()
  let isPaused = false
  class Pausable extends WebSocket {
    constructor(url: URL, protocol: string) {
      super(url, protocol)
      sockets.add(this)
      this.on('open', () => isPaused && this.pause())
      this.on('close', () => sockets.delete(this))
    }
  }
  const open = (): WebSocket[] => [...sockets].filter(({ readyState }) => readyState === WebSocket.OPEN)
  return {
    // The two classes differ in members that the SDK does not use.
    webSocket: Pausable as unknown as WebSocketConstructor,
    pause: () => {
      isPaused = true
      for (const socket of open()) socket.pause()
    },
    resume: () => {
      isPaused = false
      for (const socket of open()) socket.resume()
    },
  }
}
