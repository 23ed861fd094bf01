import { uuidV7 } from '@hotline/client/uuid'
import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import type { Problem } from '@hotline/protocol/error'
import { isLive } from '@hotline/protocol/session-status'
import type { Server } from '../ask-server.ts'
import { Failure, fail } from '../failure.ts'
import { plainText } from '../plain-text.ts'
import { followScreen } from './follow-screen.ts'
import { KeyReader, type Pressed } from './key-reader.ts'
import { takeTerminal } from './own-terminal.ts'
import { ScreenPainter } from './paint-screen.ts'
import { openKeySender } from './send-keys.ts'
import { howToLeave, nameOf, statusText } from './status-text.ts'

/** So often the screen is painted at most. */
const paintMs = 20
/** A window that is being pulled larger is followed when it rests. */
const resizeMs = 150
/** How long leaving waits until the server knows that the keyboard was given back; after it the next one has to take it. */
const releaseMs = 1_500
/** After this, what has just happened is not news any more. */
const noticeMs = 6_000
const ctrlC = 0x03

/** How a screen is attached to. */
export interface ScreenAttach {
  /** `keys`: the keyboard is taken, unless somebody else has it. `look`: only by the chord. */
  mode: 'keys' | 'look'
  input: NodeJS.ReadStream
  output: NodeJS.WriteStream & { fd: number }
  /** Said before the screen is taken, so that it stands there again when it is given back. */
  note: (text: string) => void
}

/** How it was left. */
export interface ScreenLeft {
  state: SessionState | undefined
  /** Somebody ended this program. */
  signal: NodeJS.Signals | undefined
  /** What the program had printed last, where it used the terminal by lines and is over. */
  last: string
}

/**
 * The program's own screen in this terminal, and, for whoever takes the keyboard, every key of it in the program. Throws
 * a `Failure` where there is no screen.
 */
export async function attachScreen(server: Server, session: string, how: ScreenAttach): Promise<ScreenLeft> {
  const { input, output, note } = how
  const stream = `session:${session}`
  const names = await server.names()
  const begun = await server.state(session)
  let state = begun.state
  refuseWithout(state)
  note(
    how.mode === 'keys'
      ? `Every key goes to the program. ${howToLeave}, Ctrl-] k gives the keyboard back.`
      : `You look on. ${howToLeave}, Ctrl-] k takes the keyboard.`,
  )
  const own = uuidV7()
  const left = Promise.withResolvers<NodeJS.Signals | undefined>()
  let notice: string | undefined
  let wants: 'keys' | 'look' = how.mode
  let isTaking = false
  let hadKeyboard = false
  let isBlocked = false
  let paintTimer: NodeJS.Timeout | undefined
  let resizeTimer: NodeJS.Timeout | undefined
  let noticeTimer: NodeJS.Timeout | undefined

  const isMine = (): boolean => state.keyboard?.keyboard === own
  const soon = (): void => {
    if (!isBlocked) paintTimer ??= setTimeout(paint, paintMs)
  }
  const say = (text: string | undefined): void => {
    notice = text
    clearTimeout(noticeTimer)
    if (text !== undefined) noticeTimer = setTimeout(() => say(undefined), noticeMs)
    soon()
  }
  const refused = ({ detail }: Problem): void => say(plainText(detail))
  const reader = new KeyReader()
  const painter = new ScreenPainter()
  const terminal = takeTerminal(input, output, {
    keys: (bytes) => reader.take(bytes).forEach(press),
    resized: () => {
      painter.forget()
      terminal.write('\u001b[2J')
      soon()
      clearTimeout(resizeTimer)
      resizeTimer = setTimeout(() => isMine() && void resize(), resizeMs)
    },
    spoiled: () => {
      painter.forget()
      soon()
    },
    drained: () => {
      isBlocked = false
      soon()
    },
    ended: (signal) => left.resolve(signal),
  })
  // Only now: a terminal that cannot be taken leaves nothing open.
  const link = server.link()
  const keys = openKeySender(link, session, own, refused)
  const screen = followScreen(link, session, soon)
  const follow = link.follow(stream, begun.cursor, {
    events: (events) => {
      for (const event of events) state = evolveSession(state, event) ?? state
      look()
    },
    // The rules begin anew with the log; who looks on attaches again.
    reset: () => left.resolve(undefined),
    ended: (problem) => left.reject(new Failure(problem)),
  })
  const unwatch = link.connection.watch((connection) => {
    if (connection.status === 'closed' && connection.problem) left.reject(new Failure(connection.problem))
    soon()
  })
  look()
  try {
    const signal = await left.promise
    if (isMine()) await giveBack()
    if (isLive(state.status)) return { state, signal, last: '' }
    await screen.drawn()
    return { state, signal, last: lastLines() }
  } finally {
    clearTimeout(paintTimer)
    clearTimeout(resizeTimer)
    clearTimeout(noticeTimer)
    unwatch()
    follow.close()
    // The person's terminal first: what follows may wait for the network.
    terminal[Symbol.dispose]()
    screen[Symbol.dispose]()
    await link[Symbol.asyncDispose]()
  }

  /** After each change of the session. */
  function look(): void {
    if (!isLive(state.status)) return left.resolve(undefined)
    try {
      refuseWithout(state)
    } catch (error) {
      return left.reject(error)
    }
    if (isMine()) hadKeyboard = true
    else if (hadKeyboard) {
      hadKeyboard = false
      wants = 'look'
      keys.drop()
      const { keyboard } = state
      if (keyboard) say(`${nameOf(keyboard.by, names)} took the keyboard`)
    }
    if (wants === 'keys' && !isMine() && !isTaking && canTake()) {
      if (state.keyboard) {
        // Taking it from somebody is said and done by the chord, never with the start.
        wants = 'look'
        say(`${nameOf(state.keyboard.by, names)} types here. Ctrl-] k takes the keyboard from them`)
      } else void take()
    }
    soon()
  }

  function canTake(): boolean {
    return state.status === 'active' && state.capabilities?.input === 'keys'
  }

  function press(pressed: Pressed): void {
    switch (pressed.kind) {
      case 'leave':
        return left.resolve(undefined)
      case 'keyboard':
        return toggle()
      case 'chord':
        return say('Ctrl-]: q leaves, k takes or gives back the keyboard, Ctrl-] types Ctrl-]')
      case 'unknown':
        return say(undefined)
      case 'keys':
        return typeKeys(pressed.bytes)
    }
  }

  function typeKeys(bytes: Buffer): void {
    if (isMine() || isTaking) {
      if (link.connection.value.status !== 'open') return say('Nothing was typed')
      say(keys.send(bytes) ? undefined : 'That was too much at once and was not typed')
    } else if (how.mode === 'look' && bytes.includes(ctrlC)) left.resolve(undefined)
    else say('Your keys go nowhere')
  }

  function toggle(): void {
    say(undefined)
    if (isMine()) {
      wants = 'look'
      hadKeyboard = false
      void giveBack()
    } else if (canTake()) {
      wants = 'keys'
      void take()
    } else say('It takes no keys now')
  }

  /** As large as the place for it here. */
  function room(): { cols: number; rows: number } {
    const { cols, rows } = terminal.size
    return { cols: Math.min(cols, 1_000), rows: Math.min(Math.max(rows - 1, 2), 1_000) }
  }

  async function take(): Promise<void> {
    isTaking = true
    const outcome = await link.command(stream, 'terminal.take', { keyboard: own, size: room() })
    isTaking = false
    if (outcome.ok) return
    wants = 'look'
    keys.drop()
    refused(outcome.problem)
  }

  async function resize(): Promise<void> {
    const outcome = await link.command(stream, 'terminal.resize', { ...room(), keyboard: own })
    if (!outcome.ok) refused(outcome.problem)
  }

  async function giveBack(): Promise<void> {
    const signal = AbortSignal.timeout(releaseMs)
    await link.command(stream, 'terminal.release', { keyboard: own }, { signal }).catch(() => undefined)
  }

  function paint(): void {
    paintTimer = undefined
    const { cols, rows } = terminal.size
    const isLarger = screen.terminal.cols > cols || screen.terminal.rows > rows - 1
    const status = statusText({
      state,
      connection: link.connection.value,
      own,
      names,
      notice,
      larger: isLarger ? screen.terminal : undefined,
    })
    isBlocked = !terminal.write(
      painter.paint({ terminal: screen.terminal, modes: screen.modes, cols, rows, status, isTyping: isMine() }),
    )
  }

  function lastLines(): string {
    const { active } = screen.terminal.buffer
    if (active.type === 'alternate') return ''
    const lines = Array.from({ length: screen.terminal.rows }, (_, row) =>
      plainText(active.getLine(active.baseY + row)?.translateToString(true) ?? ''),
    )
    return lines.join('\n').trimEnd()
  }
}

/** Throws a `Failure` where there is, or will be, nothing to look at. */
function refuseWithout({ status, capabilities }: SessionState): void {
  if (!isLive(status)) throw fail('invalid_transition', `The session is ${status}. Read it with: hotline logs`)
  if (capabilities && !capabilities.screen) {
    throw fail('unsupported', 'This agent has no terminal. Attach to it without --keys and --screen.')
  }
}
