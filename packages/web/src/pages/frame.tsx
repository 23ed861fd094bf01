import { isLive } from '@hotline/protocol/session-status'
import { Link as To, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import { SessionRows } from '../list/session-rows.tsx'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '../live/use-readable.ts'
import { showInTab } from '../live/tab-icon.ts'
import { KeysDialog } from '../parts/keys-dialog.tsx'
import { openDialog, StartDialog } from '../session/start-dialog.tsx'

/** Rail, list and what was chosen; on a phone the list or what was chosen. */
export function Frame(): ReactNode {
  const { list } = useLive()
  const { sessions } = useReadable(list.picture)
  const { pathname } = useLocation()
  const navigate = useNavigate()
  const dialog = useRef<HTMLDialogElement>(null)
  const keys = useRef<HTMLDialogElement>(null)
  const needs = sessions.reduce((sum, row) => sum + row.openApprovals.length + row.openQuestions.length, 0)
  const running = sessions.filter(({ status }) => isLive(status as 'active')).length

  const openFirst = (): void => {
    const first = sessions.find((row) => row.openApprovals.length + row.openQuestions.length > 0)
    if (first) void navigate({ to: '/sessions/$session', params: { session: first.session } })
  }
  useEffect(() => {
    document.title = needs > 0 ? `(${needs}) Hotline` : 'Hotline'
    showInTab(needs)
  }, [needs])
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (event.key === 'n') openDialog(dialog.current)
      else if (event.key === '?') openDialog(keys.current)
      else if (event.key === '/') document.querySelector<HTMLInputElement>('.list input[type=search]')?.focus()
      else if (event.key === 'j' || event.key === 'k') step(event.key === 'j' ? 1 : -1)
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])

  const settings = pathname === '/settings'
  return (
    <div className={`frame${pathname === '/' ? '' : ' open'}`}>
      <nav className="rail" aria-label="Main">
        <div className="brand">
          <span aria-hidden="true">●</span>
          <span className="word">Hotline</span>
        </div>
        <button type="button" onClick={openFirst} disabled={needs === 0}>
          <span className="word">Needs you</span>
          {needs > 0 ? <span className="badge">{needs}</span> : <span className="quiet">0</span>}
        </button>
        <To to="/" activeOptions={{ exact: true }}>
          <span className="word">Sessions</span>
          <span className="quiet">{running}</span>
        </To>
        <button type="button" onClick={() => openDialog(dialog.current)}>
          <span>
            + <span className="word">New session</span>
          </span>
          <kbd className="key word">n</kbd>
        </button>
        <div className="end">
          <To to="/settings">
            <span>
              <span aria-hidden="true">⚙</span> <span className="word">Settings</span>
            </span>
          </To>
          <ConnectionLabel />
        </div>
      </nav>
      {!settings && (
        <section className="list" aria-label="Sessions">
          <header>
            <h1>Sessions</h1>
            <button type="button" className="button" onClick={() => openDialog(dialog.current)}>
              New session
            </button>
          </header>
          <SessionRows start={() => openDialog(dialog.current)} />
        </section>
      )}
      {settings ? (
        <Outlet />
      ) : (
        <main className="detail" style={{ minWidth: 0, minHeight: 0 }}>
          <Outlet />
        </main>
      )}
      <nav className="bottom" aria-label="Main, at the bottom">
        <To to="/">
          <span>Needs you {needs > 0 && <span className="badge">{needs}</span>}</span>
        </To>
        <button type="button" onClick={() => openDialog(dialog.current)}>
          New
        </button>
        <To to="/settings">Settings</To>
      </nav>
      <KeysDialog dialog={keys} />
      <StartDialog
        dialog={dialog}
        started={(session) => void navigate({ to: '/sessions/$session', params: { session } })}
      />
    </div>
  )
}

function ConnectionLabel(): ReactNode {
  const { link, me } = useLive()
  const connection = useReadable(link.connection)
  const word = { open: 'Connected', connecting: 'Connecting …', waiting: 'Out of contact', closed: 'Disconnected' }[
    connection.status
  ]
  const look = connection.status === 'open' ? '' : connection.status === 'closed' ? ' closed' : ' waiting'
  return (
    <div className="small quiet" style={{ padding: '4px 8px' }}>
      <span className={`dot${look}`} aria-hidden="true" />
      <span className="word">
        {word} · {me.name}
      </span>
    </div>
  )
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, dialog, .xterm') !== null
}

/** To the next or previous row of the list. */
function step(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLAnchorElement>('.list .row')]
  const at = rows.findIndex((row) => row === document.activeElement || row.getAttribute('aria-current') === 'page')
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.focus()
}
