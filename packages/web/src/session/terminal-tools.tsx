import { SearchAddon } from '@xterm/addon-search'
import type { Terminal } from '@xterm/xterm'
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { CopyButton } from '../parts/copy-button.tsx'

const sizesPx = [10, 11, 12, 13, 14, 16, 18, 20, 24] as const
const sizeKey = 'hotline-terminal-size'

/** The size of letters in terminals, as it was chosen in this browser. */
export function terminalSizePx(): number {
  const kept = Number(localStorage.getItem(sizeKey))
  return sizesPx.find((size) => size === kept) ?? 13
}

/** Finds words in a terminal, copies from it, and makes its letters larger and smaller. */
export function TerminalTools({
  terminal,
  setLetters,
}: {
  terminal: Terminal
  setLetters: (sizePx: number) => void
}): ReactNode {
  const search = useRef<SearchAddon>(undefined)
  const box = useRef<HTMLInputElement>(null)
  const [wanted, setWanted] = useState('')
  const [found, setFound] = useState(true)
  const [sizePx, setSizePx] = useState(terminalSizePx)
  useEffect(() => {
    const addon = new SearchAddon()
    terminal.loadAddon(addon)
    search.current = addon
    // In the terminal the browser's own search finds nothing: its lines are not all in the page.
    terminal.attachCustomKeyEventHandler((event) => {
      if (event.type !== 'keydown' || event.key !== 'f' || !(event.ctrlKey || event.metaKey) || !event.shiftKey)
        return true
      event.preventDefault()
      box.current?.focus()
      return false
    })
    return () => addon.dispose()
  }, [terminal])

  function find(text: string, way: 'next' | 'previous' | 'here'): void {
    if (text === '') {
      terminal.clearSelection()
      return setFound(true)
    }
    const options = { incremental: way === 'here' }
    setFound(
      (way === 'previous' ? search.current?.findPrevious(text, options) : search.current?.findNext(text, options)) ??
        false,
    )
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Enter') find(wanted, event.shiftKey ? 'previous' : 'next')
    else if (event.key === 'Escape') {
      setWanted('')
      find('', 'here')
      terminal.focus()
    } else return
    event.preventDefault()
  }
  function resize(by: number): void {
    const next = sizesPx[sizesPx.findIndex((size) => size === sizePx) + by]
    if (next === undefined) return
    localStorage.setItem(sizeKey, String(next))
    setSizePx(next)
    setLetters(next)
  }
  return (
    <div className="tools">
      <input
        ref={box}
        type="search"
        className="input"
        aria-label="Find in the output"
        placeholder="Find in the output"
        value={wanted}
        onChange={(event) => {
          setWanted(event.target.value)
          find(event.target.value, 'here')
        }}
        onKeyDown={onKeyDown}
      />
      <button
        type="button"
        className="button plain"
        aria-label="Previous"
        disabled={wanted === ''}
        onClick={() => find(wanted, 'previous')}
      >
        ↑
      </button>
      <button
        type="button"
        className="button plain"
        aria-label="Next"
        disabled={wanted === ''}
        onClick={() => find(wanted, 'next')}
      >
        ↓
      </button>
      <span className="small quiet" role="status">
        {!found && 'not found'}
      </span>
      <span className="end">
        <CopyButton text={() => copied(terminal)} what="output" />
        <button
          type="button"
          className="button plain"
          aria-label="A− smaller letters"
          disabled={sizePx === sizesPx[0]}
          onClick={() => resize(-1)}
        >
          A−
        </button>
        <button
          type="button"
          className="button plain"
          aria-label="A+ larger letters"
          disabled={sizePx === sizesPx.at(-1)}
          onClick={() => resize(1)}
        >
          A+
        </button>
      </span>
    </div>
  )
}

/** What is marked, or else all of it; lines that only fill the screen are left out. */
function copied(terminal: Terminal): string {
  if (terminal.hasSelection()) return terminal.getSelection()
  const lines: string[] = []
  const { active } = terminal.buffer
  for (let at = 0; at < active.length; at += 1) {
    const line = active.getLine(at)
    const text = line?.translateToString(true) ?? ''
    // A line that was too long for the screen is one line.
    if (line?.isWrapped) lines.push(`${lines.pop() ?? ''}${text}`)
    else lines.push(text)
  }
  return lines.join('\n').trimEnd()
}
