import { isUtf8 } from 'node:buffer'
import type { Link } from '@hotline/client/link'
import type { Problem } from '@hotline/protocol/error'

/** Bytes of one command. */
const pieceBytes = 8 * 1024
/** Commands without an answer; until one comes, what is typed waits and goes together. */
const underWayMax = 8
/** What waits at most; more is not typed, and that is said. A paste of this size is a file. */
const waitingMaxBytes = 1024 * 1024

/** Types for a person, in order. */
export interface KeySender {
  /** False where too much waits: nothing of it will be typed. */
  send(bytes: Buffer): boolean
  /** Forgets what waits. */
  drop(): void
}

/** `keyboard`: the name of the keyboard that was taken. */
export function openKeySender(
  link: Pick<Link, 'command'>,
  session: string,
  keyboard: string,
  refused: (problem: Problem) => void,
): KeySender {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let underWay = 0

  function go(): void {
    while (underWay < underWayMax && waitingBytes > 0) {
      const all = Buffer.concat(waiting)
      const piece = all.subarray(0, pieceBytes)
      const rest = all.subarray(piece.length)
      waiting = rest.length > 0 ? [rest] : []
      waitingBytes = rest.length
      void sendPiece(piece)
    }
  }

  async function sendPiece(piece: Buffer): Promise<void> {
    underWay += 1
    // A letter that is cut in two is no text.
    const data = isUtf8(piece)
      ? { text: piece.toString('utf8') }
      : { text: piece.toString('base64'), encoding: 'base64' as const }
    const outcome = await link.command(`session:${session}`, 'input.send', { ...data, keyboard })
    underWay -= 1
    if (!outcome.ok) refused(outcome.problem)
    go()
  }

  return {
    send: (bytes) => {
      if (waitingBytes + bytes.length > waitingMaxBytes) return false
      waiting.push(bytes)
      waitingBytes += bytes.length
      go()
      return true
    },
    drop: () => {
      waiting = []
      waitingBytes = 0
    },
  }
}
