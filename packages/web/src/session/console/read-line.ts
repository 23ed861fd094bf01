import type { CommandInput } from '@hotline/protocol/command'

/** What the console does to a session. */
export type ConsoleCommand =
  | { type: 'session.pause'; data: CommandInput<'session.pause'> }
  | { type: 'session.resume'; data: CommandInput<'session.resume'> }
  | { type: 'session.interrupt'; data: CommandInput<'session.interrupt'> }
  | { type: 'session.abort'; data: CommandInput<'session.abort'> }
  | { type: 'message.send'; data: CommandInput<'message.send'> }

/** What a typed line means. */
export type ConsoleLine =
  | { kind: 'command'; command: ConsoleCommand }
  | { kind: 'state' }
  | { kind: 'help' }
  /** It means nothing; with what would. */
  | { kind: 'wrong'; why: string }

/** Each command as it is typed, with what it does; the words of the line of an agent are understood as well. */
export const consoleHelp: readonly (readonly [form: string, does: string])[] = [
  ['state', 'how the agent stands, as its machine sees it now'],
  ['pause', 'freezes all its processes where they are; "pause after-step" holds it at its next step'],
  ['resume', 'lets it go on, or takes it up again'],
  ['stop', 'stops the turn that runs; "stop hard" also ends what it has started in this turn'],
  ['kill [reason]', 'ends the agent and the session, for good'],
  ['send <text>', 'writes to it; to a program it is typed, with Enter'],
]

const known = `Known: ${consoleHelp.map(([form]) => form).join(', ')}.`

/** Reads one line. Case of the first word does not matter. */
export function readConsoleLine(line: string): ConsoleLine {
  const text = line.trim()
  const word = /^\S*/.exec(text)?.[0] ?? ''
  const rest = text.slice(word.length).trim()
  switch (word.toLowerCase()) {
    case 'state':
    case 'status':
    case 'get_state':
      return alone(word, rest, { kind: 'state' })
    case 'help':
    case '?':
      return { kind: 'help' }
    case 'pause':
      if (rest === 'after-step') return command({ type: 'session.pause', data: { when: 'next_step' } })
      return command({ type: 'session.pause', data: withReason(rest) })
    case 'resume':
      return alone(word, rest, { kind: 'command', command: { type: 'session.resume', data: {} } })
    case 'stop':
    case 'interrupt':
      if (rest === 'hard') return command({ type: 'session.interrupt', data: { hard: true } })
      return command({ type: 'session.interrupt', data: withReason(rest) })
    case 'kill':
      return command({ type: 'session.abort', data: withReason(rest) })
    case 'send':
    case 'send_input':
      if (rest === '') return { kind: 'wrong', why: 'Say what to send: send <text>' }
      return command({ type: 'message.send', data: { text: rest } })
    default:
      return { kind: 'wrong', why: `There is no command "${word.slice(0, 40)}". ${known}` }
  }
}

function command(which: ConsoleCommand): ConsoleLine {
  return { kind: 'command', command: which }
}

function withReason(reason: string): { reason?: string } {
  return reason === '' ? {} : { reason }
}

function alone(word: string, rest: string, line: ConsoleLine): ConsoleLine {
  return rest === '' ? line : { kind: 'wrong', why: `"${word}" takes nothing after it.` }
}
