import type { Problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import type { WaitingCommand } from './outbox.ts'
import { unreachable } from './problem-of.ts'

/** Commands that may wait for the server at once; further ones are refused here. */
export const waitingMax = 1_000

/** A frame has a smaller limit than a body: larger commands go over HTTP. The rest of the frame needs some room. */
const frameBytesMax = limits.inboundFrameBytes - 2 * 1024

/** How half of a character is written in JSON; it may also be a backslash and letters. */
const mayBeHalf = /\\ud[89a-f]/

/**
 * Looks at a command before it is sent, with one writing of it. Not whole: some text ends or begins in the middle of a
 * character; such a frame is refused whole, and never answered.
 */
export function look(command: WaitingCommand): { whole: boolean; large: boolean } {
  const text = JSON.stringify(command)
  // A character has at most three bytes in UTF-8.
  const large = text.length * 3 > frameBytesMax && new TextEncoder().encode(text).length > frameBytesMax
  return { whole: !mayBeHalf.test(text) || isWhole(command), large }
}

function isWhole(command: WaitingCommand): boolean {
  let whole = true
  JSON.stringify(command, (name, value: unknown) => {
    whole &&= name.isWellFormed() && (typeof value !== 'string' || value.isWellFormed())
    return value
  })
  return whole
}

/** The answer to a command that was never sent, and never will be. */
export function takenBack(): Problem {
  return unreachable('The command was taken back before it was sent.')
}
