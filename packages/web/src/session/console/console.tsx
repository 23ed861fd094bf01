import type { SeenAgent } from '@hotline/client/agent-evidence'
import type { SessionPicture } from '@hotline/client/session-view'
import type { SessionState } from '@hotline/core/session/state'
import { isLive } from '@hotline/protocol/session-status'
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { useLive } from '../../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'
import { useNow } from '../../live/use-now.ts'
import { ConnectionLabel } from '../../pages/rail.tsx'
import { Legible } from '../../parts/legible.tsx'
import { memoryText } from '../../text/amounts.ts'
import { agoText, clockText, exactText } from '../../text/time.ts'
import { statusWords } from '../evidence.tsx'
import { canPauseLater } from '../pause-buttons.tsx'
import { type ConsoleRow, consoleRows } from './console-rows.ts'
import { useConsole } from './use-console.ts'

/** A second press within this time is meant. */
const sureMs = 5_000

/** What people did to an agent and what came of it, and a line for the next command. */
export function Console({
  picture,
  state,
  seen,
  mayWrite,
  loadOlder,
}: {
  picture: SessionPicture
  state: SessionState
  /** What its machine sees of it now. */
  seen: SeenAgent | undefined
  mayWrite: boolean
  loadOlder: () => void
}): ReactNode {
  const { entries, run } = useConsole(state.session)
  const rows = consoleRows(picture.transcript.items, entries)
  const end = useRef<HTMLDivElement>(null)
  const lastKey = rows.at(-1)?.key
  // A browser may answer with a promise, which is no way to end an effect.
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' })
  }, [lastKey])
  return (
    <section className="console" aria-label="Console">
      <div className="facts">
        <ConnectionLabel />
        <LiveState state={state} seen={seen} />
        {mayWrite && <Controls state={state} run={run} />}
      </div>
      <div className="scroll" tabIndex={0} role="log" aria-label="Commands and what came of them">
        {picture.hasOlder && (
          <button type="button" className="button plain" onClick={loadOlder}>
            Older commands
          </button>
        )}
        <ConsoleRows rows={rows} />
        <div ref={end} />
      </div>
      {mayWrite && <CommandLine run={run} typed={entries.map(({ text }) => text)} />}
    </section>
  )
}

/** The agent as it is at this moment. */
function LiveState({ state, seen }: { state: SessionState; seen: SeenAgent | undefined }): ReactNode {
  const now = useNow(1_000)
  const snoozed = useReadable(useLive().snoozes.picture)
  const { tree, cpuShare, lastOutputAt } = seen ?? {}
  const words = [
    statusWords(state, now, snoozed),
    state.pid === undefined || !isLive(state.status) ? '' : `pid ${state.pid}`,
    cpuShare === undefined ? '' : `CPU ${Math.round(cpuShare * 100)} %`,
    tree ? memoryText(tree.memoryBytes) : '',
    lastOutputAt === undefined ? '' : `last output ${agoText(Math.max(0, now - Date.parse(lastOutputAt)))}`,
  ]
  return <span className="small state">{words.filter(Boolean).join(' · ')}</span>
}

/** Each does what its word does in the line below, and is listed like it. */
function Controls({ state, run }: { state: SessionState; run: (line: string) => void }): ReactNode {
  const [isSure, setSure] = useState(false)
  useEffect(() => {
    if (!isSure) return undefined
    const timer = setTimeout(() => setSure(false), sureMs)
    return () => clearTimeout(timer)
  }, [isSure])
  const { status, capabilities, ending } = state
  const canPause = status === 'active' && !ending && capabilities?.pause === 'signal'
  const canResume = (status === 'paused' && !state.exhausted) || (status === 'interrupted' && capabilities?.resume)
  const canStop = status === 'active' && state.turn !== undefined && capabilities?.interrupt
  const buttons: [word: string, line: string, can: boolean][] = [
    ['State', 'state', true],
    ['Pause', 'pause', canPause],
    ['Pause after step', 'pause after-step', canPauseLater(state)],
    ['Resume', 'resume', canResume === true],
    ['Stop turn', 'stop', canStop === true],
  ]
  return (
    <div className="actions">
      {buttons.map(([word, line, can]) => (
        <button key={word} type="button" className="button" disabled={!can} onClick={() => run(line)}>
          {word}
        </button>
      ))}
      <button
        type="button"
        className={`button${isSure ? ' danger' : ''}`}
        disabled={!isLive(status) || ending !== undefined}
        onClick={() => {
          setSure(!isSure)
          if (isSure) run('kill')
        }}
      >
        {isSure ? 'Kill it for good?' : 'Kill'}
      </button>
    </div>
  )
}

/** The list alone. */
export function ConsoleRows({ rows }: { rows: readonly ConsoleRow[] }): ReactNode {
  const { names } = useLive()
  const now = useNow(30_000)
  if (rows.length === 0) return <p className="small quiet">Nobody has commanded anything yet. Type help.</p>
  return (
    <ol className="plain rows">
      {rows.map(({ key, at, by, text, status, words, answer }) => (
        <li key={key} data-status={status}>
          <time className="quiet" title={exactText(at)}>
            {clockText(at, now)}
          </time>
          <span className="quiet who">{by === undefined ? 'You, here' : whoIs(by, names)}</span>
          <span className="mono text">
            <Legible text={text} place="prose" />
          </span>
          <span className="words">{words}</span>
          {answer && (
            <ul className="plain answer">
              {answer.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ol>
  )
}

function whoIs(by: NonNullable<ConsoleRow['by']>, names: ReadonlyMap<string, string>): string {
  if (by.kind === 'person') return names.get(by.id) ?? 'Somebody'
  return by.kind === 'service' ? (names.get(by.id) ?? 'A program') : 'Hotline'
}

/** Where a command is typed. The arrows bring back what was typed in this tab, and what was begun before that. */
function CommandLine({ run, typed }: { run: (line: string) => void; typed: readonly string[] }): ReactNode {
  const [text, setText] = useState('')
  /** How far back; 0 is what is being written. */
  const [back, setBack] = useState(0)
  const begun = useRef('')
  const known = typed.filter((line, at) => line !== typed[at + 1])

  function go(by: number): void {
    const next = Math.min(Math.max(back + by, 0), known.length)
    if (next === back) return
    if (back === 0) begun.current = text
    setBack(next)
    setText(next === 0 ? begun.current : (known[known.length - next] ?? ''))
  }
  function onKeyDown(event: KeyboardEvent<HTMLInputElement>): void {
    if (event.nativeEvent.isComposing || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return
    event.preventDefault()
    go(event.key === 'ArrowUp' ? 1 : -1)
  }
  return (
    <form
      className="line"
      onSubmit={(event) => {
        event.preventDefault()
        if (text.trim() === '') return
        run(text)
        setText('')
        setBack(0)
      }}
    >
      <input
        className="input mono"
        aria-label="Command"
        placeholder="pause, resume, stop, kill, send <text>, state, help"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setBack(0)
        }}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="button strong" disabled={text.trim() === ''}>
        Run
      </button>
    </form>
  )
}
