import { isLive } from '@hotline/protocol/session-status'
import { Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import { SessionRows } from '../list/session-rows.tsx'
import { useLive } from '../live/hotline.tsx'
import { useKeyboardRoom } from '../live/use-keyboard-room.ts'
import { useReadable } from '../live/use-readable.ts'
import { showInTab } from '../live/tab-icon.ts'
import { AsOf } from '../parts/as-of.tsx'
import { ContactBanner } from '../parts/contact-banner.tsx'
import { KeysDialog } from '../parts/keys-dialog.tsx'
import { openDialog } from '../parts/open-dialog.ts'
import { StartDialog } from '../session/start-dialog.tsx'
import { BottomBar } from './bottom-bar.tsx'
import { Rail } from './rail.tsx'

/** Rail, list and what was chosen; where there is less room the list or what was chosen. */
export function Frame(): ReactNode {
  const { list } = useLive()
  const { sessions } = useReadable(list.picture)
  const { pathname } = useLocation()
  const navigate = useNavigate()
  const dialog = useRef<HTMLDialogElement>(null)
  const keys = useRef<HTMLDialogElement>(null)
  useKeyboardRoom()
  const waiting = sessions.filter((row) => row.openApprovals.length + row.openQuestions.length > 0)
  const needs = waiting.reduce((sum, row) => sum + row.openApprovals.length + row.openQuestions.length, 0)
  const ways = {
    needs,
    running: sessions.filter(({ status }) => isLive(status as 'active')).length,
    openFirst: () => {
      if (waiting[0]) void navigate({ to: '/sessions/$session', params: { session: waiting[0].session } })
    },
    openStart: () => openDialog(dialog.current),
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
  const onlyNeeds = pathname === '/needs'
  return (
    <div className={`frame${pathname === '/' || onlyNeeds ? '' : settings ? ' open about' : ' open'}`}>
      <Rail {...ways} />
      <ContactBanner />
      <main className="content">
        {!settings && (
          <section className="list" aria-label={onlyNeeds ? 'What needs you' : 'Sessions'}>
            <header>
              <div>
                <h1>{onlyNeeds ? 'Needs you' : 'Sessions'}</h1>
                <AsOf />
              </div>
              <button type="button" className="button" onClick={ways.openStart}>
                New session
              </button>
            </header>
            <SessionRows start={ways.openStart} only={onlyNeeds ? 'Needs you' : undefined} />
          </section>
        )}
        {settings ? (
          <Outlet />
        ) : (
          <div className="detail">
            <Outlet />
          </div>
        )}
      </main>
      <BottomBar {...ways} pathname={pathname} />
      <KeysDialog dialog={keys} />
      <StartDialog
        dialog={dialog}
        started={(session) => void navigate({ to: '/sessions/$session', params: { session } })}
      />
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
