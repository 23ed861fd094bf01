import { isTypedTo } from '@hotline/protocol/capabilities'
import type { CommandOf } from '@hotline/protocol/command'
import type { KnownDraft } from '@hotline/protocol/events'
import { isLive } from '@hotline/protocol/session-status'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import type { SessionState } from './state.ts'

type TerminalCommand = CommandOf<'input.send' | 'terminal.resize' | 'terminal.take' | 'terminal.release'>

/**
 * People type into a program. A terminal has one keyboard: whoever has taken it types and sets the size, everybody else
 * looks on, or takes it from them. While nobody has it, everybody with the right may type.
 */
export function decideTerminal(state: SessionState, command: TerminalCommand): Decision {
  switch (command.type) {
    case 'input.send':
      return sendInput(state, command)
    case 'terminal.resize':
      return resize(state, command)
    case 'terminal.take':
      return take(state, command)
    case 'terminal.release': {
      const { keyboard } = command.data
      return state.keyboard?.keyboard === keyboard
        ? accept({ type: 'terminal.released', data: { keyboard } })
        : accept()
    }
  }
}

/** A message to a program in a terminal is typed there: where somebody has its keyboard, only they can send one. */
export function keyboardTaken(state: SessionState, { actor }: Context): Decision | undefined {
  const by = state.keyboard?.by
  return by === undefined || (by.kind === actor.kind && by.id === actor.id) ? undefined : taken(state)
}

function take(state: SessionState, { data: { keyboard, size } }: CommandOf<'terminal.take'>): Decision {
  if (state.status !== 'active')
    return refuse('invalid_transition', `The session is ${state.status}; only an active one has a keyboard.`)
  if (state.capabilities?.input !== 'keys') return refuse('unsupported', 'This agent has no keyboard.')
  const events: KnownDraft[] = []
  if (state.keyboard?.keyboard !== keyboard) events.push({ type: 'terminal.taken', data: { keyboard } })
  if (size) events.push({ type: 'terminal.resized', data: size })
  return accept(...events)
}

function sendInput(state: SessionState, command: CommandOf<'input.send'>): Decision {
  if (state.status !== 'active')
    return refuse('invalid_transition', `The session is ${state.status}; keys reach only an active one.`)
  if (!isTypedTo(state.capabilities)) {
    const isWatched = state.capabilities?.input === 'none'
    const detail = isWatched
      ? 'Nothing can be typed to this agent; it is only watched.'
      : 'This agent takes messages, not keys. Send a message instead.'
    return refuse('unsupported', detail)
  }
  const { text, encoding, keyboard } = command.data
  if (isElsewhere(state, keyboard)) return taken(state)
  const bytes = encoding === 'base64' ? Math.floor((text.length * 3) / 4) : text.length
  return accept({
    type: 'input.sent',
    subject: `input:${command.id}`,
    data: { input: command.id, encoding, bytes },
    body: { text },
  })
}

function resize(state: SessionState, { data: { cols, rows, keyboard } }: CommandOf<'terminal.resize'>): Decision {
  if (!isLive(state.status)) return refuse('invalid_transition', `The session is ${state.status}.`)
  if (state.capabilities && !state.capabilities.screen)
    return refuse('unsupported', 'This agent has no terminal screen.')
  if (isElsewhere(state, keyboard)) return taken(state)
  return accept({ type: 'terminal.resized', data: { cols, rows } })
}

function isElsewhere(state: SessionState, keyboard: string | undefined): boolean {
  return state.keyboard !== undefined && state.keyboard.keyboard !== keyboard
}

function taken({ keyboard }: SessionState): Decision {
  const detail = 'Somebody has the keyboard of this terminal. Take it first; they see that you did.'
  return refuse('keyboard_taken', detail, { by: keyboard?.by, since: keyboard?.since })
}
