import type { Problem } from '@hotline/protocol/error'
import type { WaitingCommand } from './outbox.ts'
import { unreachable } from './problem-of.ts'

/** Commands that may wait for the server at once; further ones are refused here. */
export const waitingMax = 1_000

/** False where some text ends or begins in the middle of a character: such a frame is refused whole, and never answered. */
export function isWhole(command: WaitingCommand): boolean {
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
