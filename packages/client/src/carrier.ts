import { type Problem, localProblem } from '@hotline/protocol/error'
import type { ClientFrame } from '@hotline/protocol/frame'
import type { ServerFrame } from '@hotline/protocol/server-frame'
import type { Clock } from './clock.ts'
import type { FrameCodec } from './frame-codec.ts'
import type { WaitingCommand } from './outbox.ts'
import type { Credential } from './http-request.ts'
import { readFrame } from './read-frame.ts'

/** How frames travel: both ways over a WebSocket, or down over HTTP, as server-sent events or one answer after another. */
export const transports = ['websocket', 'stream', 'poll'] as const
export type Transport = (typeof transports)[number]

/** The part of a WebSocket that is used here: a browser's, or Node's own. */
export type WebSocketConstructor = new (url: URL, protocol: string) => WebSocket

/** What it takes to reach a server. */
export interface CarrierOptions {
  url: string
  credential: Credential
  /** Name and version of the program. */
  client: string
  /** Which life of the program it is, where the server lets in one at a time. */
  instance: string | undefined
  /** The only account that it may be; any when absent. */
  account: string | undefined
  clock: Clock
  webSocket: WebSocketConstructor
  /** How frames are written on a WebSocket. */
  frames: FrameCodec
}

/** Told what comes, until `ended` or until the carrier is closed from here. */
export interface CarrierEars {
  /** `sizeChars` is the length of its text. The first is a welcome, and there is only one. */
  frame(frame: ServerFrame, sizeChars: number): void
  /** A frame of a known kind that could not be read: a fault of the server, or a newer one than we know. */
  unreadable(frame: unknown): void
  /** Nothing more comes; said once. */
  ended(why: Problem): void
}

/** A frame of ours. What a command says was checked when it was given. */
export type SentFrame = Exclude<ClientFrame, { t: 'command' }> | ({ t: 'command' } & WaitingCommand)

/** One connection to a server, by one transport. It is on its way from the start. */
export interface Carrier {
  readonly transport: Transport
  /** Whether it carries `command` frames; else commands go over HTTP, one by one. */
  readonly commands: 'frames' | 'requests'
  /** False where it cannot carry anything now. */
  send(frame: SentFrame): boolean
  /** Ends it; resolves when the other side was told. Nothing is heard after the call. */
  close(): Promise<void>
}

export type OpenCarrier = (options: CarrierOptions, ears: CarrierEars) => Carrier

/** Hands over a frame as it was parsed from JSON. */
export function hearFrame(
  input: unknown,
  sizeChars: number,
  ears: CarrierEars,
  account: string | undefined,
): ServerFrame | undefined {
  const frame = readFrame(input)
  const stranger = strangerIn(frame, account)
  if (stranger) {
    ears.ended(stranger)
    return undefined
  }
  if (frame) ears.frame(frame, sizeChars)
  else ears.unreadable(input)
  return frame
}

/** Why this connection must not be used: it is somebody else's, who has signed in on this browser meanwhile. */
export function strangerIn(frame: ServerFrame | undefined, account: string | undefined): Problem | undefined {
  if (frame?.t !== 'welcome' || account === undefined || frame.principal.id === account) return undefined
  return localProblem('unauthenticated', 'Somebody else has signed in on this browser. Reload the page.')
}
