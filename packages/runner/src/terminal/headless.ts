import { createRequire } from 'node:module'
import type * as Headless from '@xterm/headless'

// It is CommonJS without names that an import would find.
const load = createRequire(import.meta.url)
const { Terminal } = load('@xterm/headless') as typeof Headless

/** A terminal that nobody looks at: what it was written decides what it would show. */
export type HeadlessTerminal = Headless.Terminal

/** One place of a screen, with its letter, its colours and its marks. */
export type ScreenCell = Headless.IBufferCell

/** Modes that a program sets, which the terminal itself does not tell and a picture of its screen needs. */
export interface ScreenModes {
  isCursorHidden: boolean
  /** How the mouse is told: with figures, in place of single bytes. */
  hasMouseFigures: boolean
  /** The rows that scroll, counted from one, where not all of them do. */
  region: readonly [top: number, bottom: number] | undefined
}

const cursorMode = 25
const mouseFiguresMode = 1006
const resetFinal = 'p'

/** Opens one of this size. `scrollback`: lines above the screen that are kept. */
export function openHeadless(size: { cols: number; rows: number; scrollback: number }): HeadlessTerminal {
  return new Terminal({ ...size, allowProposedApi: true })
}

/** Follows the modes that a terminal is told. The answer changes with it. */
export function followModes(terminal: HeadlessTerminal): Readonly<ScreenModes> {
  const { parser } = terminal
  const modes: ScreenModes = { isCursorHidden: false, hasMouseFigures: false, region: undefined }
  const set = (isSet: boolean) => (params: readonly (number | number[])[]) => {
    if (params.includes(cursorMode)) modes.isCursorHidden = !isSet
    if (params.includes(mouseFiguresMode)) modes.hasMouseFigures = isSet
    return false
  }
  parser.registerCsiHandler({ prefix: '?', final: 'h' }, set(true))
  parser.registerCsiHandler({ prefix: '?', final: 'l' }, set(false))
  parser.registerCsiHandler({ final: 'r' }, ([first, last]) => {
    const top = Math.max(1, Number(first ?? 0))
    const bottom = Math.min(terminal.rows, Number(last ?? 0) || terminal.rows)
    if (top < bottom) modes.region = top === 1 && bottom === terminal.rows ? undefined : [top, bottom]
    return false
  })
  // Each of the two screens has its own; the one that programs take for themselves is begun anew each time.
  let ofNormal: ScreenModes['region']
  terminal.buffer.onBufferChange(({ type }) => {
    if (type === 'alternate') ofNormal = modes.region
    modes.region = type === 'normal' ? ofNormal : undefined
  })
  terminal.onResize(() => (modes.region = ofNormal = undefined))
  const forget = (): boolean => {
    modes.isCursorHidden = false
    modes.hasMouseFigures = false
    modes.region = undefined
    return false
  }
  // `ESC c` and `CSI ! p` begin anew.
  parser.registerEscHandler({ final: 'c' }, forget)
  parser.registerCsiHandler({ intermediates: '!', final: resetFinal }, () => {
    modes.isCursorHidden = false
    modes.region = undefined
    return false
  })
  return modes
}

/** What sets these modes in another terminal. */
export function modesText({ isCursorHidden, hasMouseFigures, region }: ScreenModes): string {
  return [
    isCursorHidden ? `\u001b[?${cursorMode}l` : '',
    hasMouseFigures ? `\u001b[?${mouseFiguresMode}h` : '',
    // To set it moves the cursor.
    region ? `\u001b7\u001b[${region.join(';')}r\u001b8` : '',
  ].join('')
}
