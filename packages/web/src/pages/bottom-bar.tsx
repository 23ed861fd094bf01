import { Link as To } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import { openDialog } from '../parts/open-dialog.ts'
import { ConnectionLabel, Count, type Ways } from './rail.tsx'

/** The ways through the page at its bottom, where there is no room for a rail; what is rarer is behind "More". */
export function BottomBar({
  needs,
  running,
  openStart,
  openPalette,
  pathname,
}: Ways & { pathname: string }): ReactNode {
  const more = useRef<HTMLDialogElement>(null)
  useEffect(() => more.current?.close(), [pathname])
  return (
    <>
      <nav className="bottom" aria-label="Main, at the bottom">
        <To to="/needs">
          Needs you <Count needs={needs} />
        </To>
        <To to="/" activeOptions={{ exact: true }}>
          Sessions <span className="quiet">{running}</span>
        </To>
        <To to="/tasks">Board</To>
        <button type="button" onClick={() => openDialog(more.current)}>
          More
        </button>
      </nav>
      <dialog ref={more} className="sheet" aria-label="More">
        <div className="menu">
          <button
            type="button"
            className="button plain"
            onClick={() => {
              more.current?.close()
              openStart()
            }}
          >
            New session
          </button>
          <button
            type="button"
            className="button plain"
            onClick={() => {
              more.current?.close()
              openPalette()
            }}
          >
            Go to
          </button>
          <To to="/search" className="button plain">
            Search
          </To>
          <To to="/audit" className="button plain">
            Audit
          </To>
          <To to="/settings" className="button plain">
            Settings
          </To>
          <ConnectionLabel />
        </div>
        <form method="dialog" className="actions">
          <button type="submit" className="button">
            Close
          </button>
        </form>
      </dialog>
    </>
  )
}
