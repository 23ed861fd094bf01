import { Link as To } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { commandKey } from '../live/keyboard.ts'
import { useReadable } from '@hotline/client/use-readable'

/** What the ways through the page need: how much waits, how much runs, and what opens what. */
export interface Ways {
  needs: number
  running: number
  openStart: () => void
  openPalette: () => void
}

/** The ways through the page at its left. */
export function Rail({ needs, running, openStart, openPalette }: Ways): ReactNode {
  return (
    <nav className="rail" aria-label="Main">
      <div className="brand">
        <span aria-hidden="true">●</span>
        <span>Hotline</span>
      </div>
      <To to="/needs">
        <span>Needs you</span>
        <Count needs={needs} />
      </To>
      <To to="/tasks">
        <span>Board</span>
      </To>
      <To to="/" activeOptions={{ exact: true }}>
        <span>Sessions</span>
        <span className="quiet">{running}</span>
      </To>
      <To to="/search">
        <span>Search</span>
      </To>
      <button type="button" onClick={openPalette}>
        <span>Go to</span>
        <kbd className="key">{commandKey('K')}</kbd>
      </button>
      <button type="button" onClick={openStart}>
        <span>New session</span>
        <kbd className="key">n</kbd>
      </button>
      <div className="end">
        <To to="/audit">Audit</To>
        <To to="/settings">Settings</To>
        <ConnectionLabel />
      </div>
    </nav>
  )
}

/** How many things wait for a person: the only loud thing. */
export function Count({ needs }: { needs: number }): ReactNode {
  return needs > 0 ? <span className="badge">{needs}</span> : <span className="quiet">0</span>
}

/** How the connection stands: shape and word. */
export function ConnectionLabel(): ReactNode {
  const { link, me } = useLive()
  const { status } = useReadable(link.connection)
  const word = { open: 'Connected', connecting: 'Connecting …', waiting: 'Out of contact', closed: 'Disconnected' }[
    status
  ]
  const look = status === 'open' ? '' : status === 'closed' ? ' closed' : ' waiting'
  return (
    <div className="small quiet" style={{ padding: '4px 8px' }}>
      <span className={`dot${look}`} aria-hidden="true" />
      {word} · {me.name}
    </div>
  )
}
