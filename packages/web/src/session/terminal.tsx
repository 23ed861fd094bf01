import '@xterm/xterm/css/xterm.css'
import type { SessionState } from '@hotline/core/session/state'
import type { Problem } from '@hotline/protocol/error'
import type { SessionView } from '@hotline/client/session-view'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal as Xterm } from '@xterm/xterm'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { documentWithNonce, makeStylesWithNonce, styleSpansByProperty } from '../live/nonce.ts'
import { useReadable } from '@hotline/client/use-readable'
import { drawTerminal } from './draw-terminal.ts'
import { hush, isFocusReport, pasteAsText } from './hush.ts'
import { clockText } from '../text/time.ts'
import { useTerminalKeyboard } from './use-terminal-keyboard.ts'
import { terminalTheme } from './terminal-theme.ts'
import { TerminalTools, terminalSizePx } from './terminal-tools.tsx'

/** A window that is being pulled larger is followed when it rests. */
const resizeMs = 200

/** What the program printed, as a terminal shows it. Nothing goes back to it unless a person has taken the keyboard. */
export function Terminal({ view, mayType }: { view: SessionView; mayType: boolean }): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  const { link, names, me } = useLive()
  const { state } = useReadable(view.picture)
  const session = state?.session ?? ''
  const hasScreen = state?.capabilities?.screen === true
  const takesKeys = state?.capabilities?.input === 'keys' && mayType
  const fitSize = useRef<() => { cols: number; rows: number } | undefined>(undefined)
  const [refusal, setRefusal] = useState<Problem>()
  const keyboard = useTerminalKeyboard(view, state?.keyboard, setRefusal)
  const [opened, setOpened] = useState<{ terminal: Xterm; setLetters: (sizePx: number) => void }>()
  const [isEmpty, setIsEmpty] = useState(false)
  const keys = useRef<string>(undefined)
  keys.current = takesKeys ? keyboard.mine : undefined

  useEffect(() => {
    const element = place.current
    if (!element) return undefined
    // Colours of 24 bits have no class of their own.
    styleSpansByProperty()
    const terminal = new Xterm({
      documentOverride: documentWithNonce(),
      disableStdin: false,
      fontFamily: 'JetBrains Mono Variable, monospace',
      fontSize: terminalSizePx(),
      scrollback: 10_000,
      theme: terminalTheme,
      linkHandler: { activate: () => undefined },
    })
    hush(terminal)
    const fit = new FitAddon()
    terminal.loadAddon(fit)
    makeStylesWithNonce(() => terminal.open(element))
    const stopPaste = pasteAsText(element, (text) => terminal.paste(text))
    // A program's terminal has one size for everybody who looks: whoever has the keyboard sets it.
    const fitNow = (): void => {
      if (!hasScreen) return fit.fit()
      const { cols, rows } = fit.proposeDimensions() ?? terminal
      if (keys.current !== undefined && (cols !== terminal.cols || rows !== terminal.rows)) {
        void view.command('terminal.resize', { cols, rows, keyboard: keys.current })
      }
    }
    if (hasScreen) terminal.resize(120, 40)
    fitSize.current = () => (hasScreen ? fit.proposeDimensions() : undefined)
    fitNow()
    const setLetters = (sizePx: number): void => {
      terminal.options.fontSize = sizePx
      fitNow()
    }
    setOpened({ terminal, setLetters })
    let fitting: ReturnType<typeof setTimeout> | undefined
    const size = new ResizeObserver(() => {
      clearTimeout(fitting)
      fitting = setTimeout(fitNow, resizeMs)
    })
    size.observe(element)
    terminal.onData((text) => {
      if (keys.current === undefined || isFocusReport(text)) return
      void view.command('input.send', { text, keyboard: keys.current }).then((outcome) => {
        if (!outcome.ok) setRefusal(outcome.problem)
      })
    })
    const leave = drawTerminal({ link, session, terminal, hasScreen, begun: setIsEmpty })
    return () => {
      leave()
      stopPaste()
      clearTimeout(fitting)
      size.disconnect()
      setOpened(undefined)
      terminal.dispose()
    }
  }, [view, link, session, hasScreen])

  return (
    <div className="output">
      {opened && <TerminalTools terminal={opened.terminal} setLetters={opened.setLetters} />}
      <div className="terminal" ref={place} />
      {isEmpty && <p className="small quiet below">Nothing was printed yet. What its commands print comes here.</p>}
      {refusal && (
        <p className="small danger below" role="alert">
          What was typed did not arrive: {refusal.detail}
        </p>
      )}
      {keyboard.other && (
        <p className="small below" role="status">
          {whoTypes(keyboard.other, names, me.id)} {takesKeys && 'What you type goes nowhere until you take it.'}
        </p>
      )}
      {takesKeys && (
        <label className="small below">
          <input
            type="checkbox"
            checked={keyboard.mine !== undefined}
            onChange={(event) => {
              setRefusal(undefined)
              if (event.target.checked) keyboard.take(fitSize.current?.())
              else keyboard.giveBack()
            }}
          />{' '}
          Take keyboard: what you type above goes to the program
        </label>
      )}
    </div>
  )
}

function whoTypes(
  { by, since }: NonNullable<SessionState['keyboard']>,
  names: ReadonlyMap<string, string>,
  me: string,
): string {
  const name = by.id === me ? 'Another window of yours' : (names.get(by.id) ?? 'Somebody')
  return `${by.kind === 'person' ? name : 'A program'} has the keyboard since ${clockText(since, Date.now())}.`
}
