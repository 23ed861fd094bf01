import type { Exit } from '@hotline/protocol/events/session'
import type { Socket } from 'node:net'
import type { HeldTree, ProcessSpec, TerminalSize } from '../process/holder.ts'

/**
 * What a runner and its keeper say to each other: one JSON object a line over a socket of this machine. What agents print does
 * not go that way: the keeper writes it to files and says how much there is, and the runner reads it from there.
 *
 * The version counts changes that an older side would misunderstand; new requests do not. `hello` and `quit` never change.
 */
export const keeperVersion = 1

/** How a process starts. */
export interface StartRequest {
  spec: ProcessSpec
  /** With a terminal of this size; absent: with three pipes. */
  size?: TerminalSize | undefined
  /** For a later life of the runner; kept in memory alone, because it holds what the agent was trusted with. */
  memo: string
  /** Bytes that it may print which nobody has released; past it, it waits in its pipe. */
  unreleasedBytes: number
  /** The same of what nobody has read: so far it may run ahead of its runner. Absent: as far as that of the above. */
  unreadBytes?: number | undefined
  /** `all`: what goes into it is recorded from its start; `last`: so much of it that one can tell what came last. */
  inputs: 'all' | 'last'
}

/** What a tree of processes can be asked. */
export type TreeCall = 'freeze' | 'thaw' | 'sample'

/** One thing that a runner wants of its keeper. */
export type KeeperRequest =
  | ({ do: 'start' } & StartRequest)
  /** What goes into the process, as base64. `at`: bytes of its output that were before. With a `note` it is done or not as one. */
  | { do: 'write'; p: string; at: number; data: string; note?: unknown }
  /** What the runner is about to do to it: recorded in its place among the writes, and read by a later life. */
  | { do: 'note'; p: string; at: number; note: unknown }
  | { do: 'close'; p: string }
  | { do: 'resize'; p: string; size: TerminalSize }
  | { do: 'end'; p: string; graceMs: number }
  /** What else can be done to a held process: plain data in and out. */
  | { do: 'tree'; p: string; what: TreeCall }
  /** Output before these offsets was read. */
  | { do: 'read'; p: string; out: number; err: number }
  /** Output before these offsets is not wanted any more. */
  | { do: 'release'; p: string; out: number; err: number }
  /** Forgets a process that has ended, with all that is on the disk of it. */
  | { do: 'forget'; p: string }
  /** Ends every process, and then itself. */
  | { do: 'quit' }

/** How far a process is. Told whole at each change. */
export interface ProcessState {
  p: string
  /** Bytes that it has printed: in files that are named `out` and `err`. */
  out: number
  err: number
  /** Nothing more will come. */
  outEnded: boolean
  errEnded: boolean
  exit?: Exit | undefined
}

/** A process as a runner finds it. */
export interface KeptFacts extends ProcessState {
  session: string
  memo: string
  pid: number
  startedAt: string
  isTerminal: boolean
  reach: HeldTree['reach']
}

/** What a keeper says. */
export type KeeperAnswer =
  | { hello: number; pid: number; processes: readonly KeptFacts[] }
  | { id: number; ok: true; value?: unknown }
  | { id: number; ok: false; error: string }
  | { state: ProcessState }

/** What went into a process, as it is recorded: bytes, or word of what the runner was about to do. */
export type PastInput = { at: number; data: string; note?: unknown } | { at: number; note: unknown }

/** Bytes of one line; a message of a person has less than a fiftieth of it. */
const lineBytes = 64 * 1024 * 1024

/** Hears each line of a socket as JSON. What cannot be read ends the connection. */
export function hearLines(socket: Socket, hear: (message: unknown) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > lineBytes) return void socket.destroy()
    for (const line of lines) {
      let message: unknown
      try {
        message = JSON.parse(line)
      } catch {
        return void socket.destroy()
      }
      hear(message)
    }
  })
}

/** The records in the bytes of a file; what was cut off at its end was never done. */
export function readInputs(bytes: Buffer): PastInput[] {
  const lines = bytes.toString('utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as PastInput)
}
