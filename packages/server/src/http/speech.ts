import { clientFrames } from '@hotline/protocol/frame'
import type { Problem } from '@hotline/protocol/error'
import type { SharedFrame } from '../feed/shared-frame.ts'
import type { Gate } from '../gate/gate.ts'
import type { Greeting } from './doors.ts'
import type { ParsedJson } from './json.ts'
import { type FrameForm, readMessage, websocketFrame } from './ws-frame.ts'

/** How one connection speaks: frames of `hotline.v1` in either form, or the messages of an agent's line. */
export interface Speech {
  readonly messages: 'text' | 'binary'
  /** Whether its other side tells with `ack` what it has applied. */
  readonly acknowledges: boolean
  /** What comes before its sender was let in: `kept` until then, or the end of the connection. */
  readonly early: 'kept' | 'refused'
  /** The bytes that say a frame of the gate; undefined where it is not said, or later. */
  write(frame: SharedFrame): Uint8Array | undefined
  read(bytes: Buffer): ParsedJson
  /** Who the first message says that its sender is; undefined where it does not. */
  greeting(input: unknown): (Greeting & { instance?: string | undefined }) | undefined
  /** Its sender was let in. A problem ends the connection. */
  entered(gate: Gate): Promise<Problem | undefined>
  /** A message of somebody who was let in. */
  receive(input: unknown, gate: Gate): void
  /** The transport is gone. */
  left(): void
}

/** `hotline.v1`: what the gate says goes over the wire as it is. */
export function frameSpeech(form: FrameForm): Speech {
  return {
    messages: form.format === 'messagepack' ? 'binary' : 'text',
    acknowledges: true,
    early: 'refused',
    write: (frame) => websocketFrame(frame, form),
    read: (bytes) => readMessage(bytes, form.format),
    greeting: (input) => {
      const hello = clientFrames.hello.safeParse(input)
      if (!hello.success) return undefined
      const { token, ticket, client, instance } = hello.data
      return {
        ...(token === undefined ? {} : { token }),
        ...(ticket === undefined ? {} : { ticket }),
        ...(client === undefined ? {} : { client }),
        instance,
      }
    },
    entered: () => Promise.resolve(undefined),
    receive: (input, gate) => gate.receive(input),
    left: () => undefined,
  }
}
