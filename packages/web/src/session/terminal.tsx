import '@xterm/xterm/css/xterm.css'
import type { Problem } from '@hotline/protocol/error'
import type { SessionView } from '@hotline/client/session-view'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal as Xterm } from '@xterm/xterm'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { documentWithNonce } from '../live/nonce.ts'
import { useReadable } from '../live/use-readable.ts'

/** What the program printed, as a terminal shows it. Nothing goes back to it unless a person has taken the keyboard. */
export function Terminal({ view, mayType }: { view: SessionView; mayType: boolean }): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  const [keyboard, setKeyboard] = useState(false)
  const takesKeys = useReadable(view.picture).state?.capabilities?.input === 'keys' && mayType
  const [refusal, setRefusal] = useState<Problem>()
  const keys = useRef(keyboard)
  keys.current = keyboard && takesKeys

  useEffect(() => {
    if (!place.current) return undefined
    const terminal = new Xterm({
      documentOverride: documentWithNonce(),
      convertEol: true,
      disableStdin: false,
      fontFamily: 'JetBrains Mono Variable, monospace',
      fontSize: 13,
      scrollback: 10_000,
      theme: { background: '#101216', foreground: '#e6e8ec' },
      linkHandler: { activate: () => undefined },
    })
    // Clipboard, titles and colours are not the program's to change.
    for (const code of [0, 1, 2, 4, 7, 8, 10, 11, 12, 52]) terminal.parser.registerOscHandler(code, () => true)
    const fit = new FitAddon()
    terminal.loadAddon(fit)
    terminal.open(place.current)
    fit.fit()
    const size = new ResizeObserver(() => fit.fit())
    size.observe(place.current)
    terminal.onData((text) => {
      if (!keys.current) return
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
      terminal.dispose()
    }
  }, [view])

  return (
    <div style={{ display: 'grid', gridTemplateRows: 'minmax(0, 1fr) auto auto', minHeight: 0 }}>
      <div className="terminal" ref={place} />
      {refusal && (
        <p className="small danger" role="alert" style={{ padding: '6px 20px' }}>
          What was typed did not arrive: {refusal.detail}
        </p>
      )}
      {takesKeys && (
        <label className="small" style={{ padding: '6px 20px' }}>
          <input type="checkbox" checked={keyboard} onChange={(event) => setKeyboard(event.target.checked)} /> Take
          keyboard: what you type above goes to the program
        </label>
      )}
    </div>
  )
}
