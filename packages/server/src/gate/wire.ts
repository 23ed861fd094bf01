import type { SharedFrame } from '../feed/shared-frame.ts'

/** One connection of any transport, as the gate sees it. */
export interface Wire {
  send(frame: SharedFrame): void
  /** Bytes that the transport holds because the other side is slow. */
  readonly queuedBytes: number
  /** Whether its other side tells with `ack` what it has applied. */
  readonly acknowledges: boolean
  /** Milliseconds since anything came from the other side. */
  readonly silentMs: number
  /** `code` is a WebSocket close code; transports without codes just end. */
  close(code: number, reason: string): void
}
