import { constants } from 'node:os'
import { isLive } from '@hotline/protocol/session-status'
import { fail } from '../failure.ts'
import { attachScreen, type ScreenAttach } from '../screen/attach-screen.ts'
import { shownIdChars } from '../session-row.ts'
import type { CommandContext } from './context.ts'

/** What makes a shell say that a signal ended something. */
const signalExit = 128

/** The options of a command that can stay with the screen of a program. */
export interface ScreenOptions {
  keys?: true
  screen?: true
}

/** Which of them was said. Throws a `Failure` where that cannot be here. */
export function readScreen(context: CommandContext, { keys, screen }: ScreenOptions): ScreenAttach['mode'] | undefined {
  if (!keys && !screen) return undefined
  if (context.json) throw fail('invalid_request', 'A screen has no form as JSON. Leave --json out.')
  if (!context.stdin.isTTY || !process.stdout.isTTY)
    throw fail('invalid_request', '--keys and --screen need a terminal for both input and output.')
  return keys ? 'keys' : 'look'
}

/** The program's screen in this terminal, until it is left or the session is over. */
export async function stayOnScreen(
  context: CommandContext,
  session: string,
  mode: ScreenAttach['mode'],
): Promise<void> {
  const { stdin } = context
  const { state, signal, last } = await attachScreen(context.server(), session, {
    mode,
    input: stdin,
    output: process.stdout,
    note: (text) => context.note(text),
  })
  // A terminal that was read from would keep the process.
  stdin.destroy()
  if (last !== '') context.write(`${last}\n`)
  if (state && isLive(state.status)) {
    context.note(`It goes on. Come back with: hotline attach --keys ${session.slice(0, shownIdChars)}`)
  } else if (state) context.note(`It is over: ${state.status}.`)
  if (state?.status === 'failed') context.exit(1)
  if (signal) context.exit(signalExit + constants.signals[signal])
}
