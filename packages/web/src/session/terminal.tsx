import '@xterm/xterm/css/xterm.css'
import type { Problem } from '@hotline/protocol/error'
import type { SessionView } from '@hotline/client/session-view'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal as Xterm } from '@xterm/xterm'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { documentWithNonce } from '../live/nonce.ts'
import { useReadable } from '../live/use-readable.ts'
import { hush, isFocusReport } from './hush.ts'
import { TerminalTools, terminalSizePx } from './terminal-tools.tsx'

/** What the program printed, as a terminal shows it. Nothing goes back to it unless a person has taken the keyboard. */
export function Terminal({ view, mayType }: { view: SessionView; mayType: boolean }): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  const [keyboard, setKeyboard] = useState(false)
  const takesKeys = useReadable(view.picture).state?.capabilities?.input === 'keys' && mayType
  const [refusal, setRefusal] = useState<Problem>()
  const [opened, setOpened] = useState<{ terminal: Xterm; setLetters: (sizePx: number) => void }>()
  const keys = useRef(keyboard)
  keys.current = keyboard && takesKeys

  useEffect(() => {
    if (!place.current) return undefined
    const terminal = new Xterm({
      documentOverride: documentWithNonce(),
      convertEol: true,
      disableStdin: false,
      fontFamily: 'JetBrains Mono Variable, monospace',
      fontSize: terminalSizePx(),
      scrollback: 10_000,
      theme: { background: '#101216', foreground: '#e6e8ec' },
      linkHandler: { activate: () => undefined },
    })
    hush(terminal)
    const fit = new FitAddon()
    terminal.loadAddon(fit)
    terminal.open(place.current)
    fit.fit()
    const setLetters = (sizePx: number): void => {
      terminal.options.fontSize = sizePx
      fit.fit()
    }
    setOpened({ terminal, setLetters })
    const size = new ResizeObserver(() => fit.fit())
    size.observe(place.current)
    terminal.onData((text) => {
      if (!keys.current || isFocusReport(text)) return
      void view.command('input.send', { text }).then((outcome) => {
        if (!outcome.ok) setRefusal(outcome.problem)
      })
    })
    const written = new Map<string, number>()
    const write = (): void => {
      for (const item of view.picture.value.transcript.items) {
        if (item.kind !== 'output' || item.encoding !== 'utf8') continue
        const done = written.get(item.key) ?? 0
        for (const chunk of item.chunks.slice(done)) terminal.write(chunk)
        written.set(item.key, item.chunks.length)
      }
    }
    write()
    const leave = view.picture.watch(write)
    return () => {
      leave()
      size.disconnect()
      setOpened(undefined)
      terminal.dispose()
    }
  }, [view])

  return (
    <div className="output">
      {opened && <TerminalTools terminal={opened.terminal} setLetters={opened.setLetters} />}
      <div className="terminal" ref={place} />
      {refusal && (
        <p className="small danger below" role="alert">
          What was typed did not arrive: {refusal.detail}
        </p>
      )}
      {takesKeys && (
        <label className="small below">
          <input type="checkbox" checked={keyboard} onChange={(event) => setKeyboard(event.target.checked)} /> Take
          keyboard: what you type above goes to the program
        </label>
      )}
    </div>
  )
}
