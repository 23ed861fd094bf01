import { asksOf } from '../list/row-words.ts'
import { isLive } from '@hotline/protocol/session-status'
import { Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { seenRows } from '../list/seen-rows.ts'
import { SessionRows } from '../list/session-rows.tsx'
import { useLive } from '../live/hotline.tsx'
import { NeedsProvider } from '../needs/needs-context.tsx'
import { NeedsList } from '../needs/needs-list.tsx'
import { useKeyboardRoom } from '../live/use-keyboard-room.ts'
import { useReadable } from '@hotline/client/use-readable'
import { showInTab } from '../live/tab-icon.ts'
import { AsOf } from '../parts/as-of.tsx'
import { ContactBanner } from '../parts/contact-banner.tsx'
import { KeysDialog } from '../parts/keys-dialog.tsx'
import { openDialog } from '../parts/open-dialog.ts'
import { Palette } from '../parts/palette.tsx'
import { Peek } from '../session/peek.tsx'
import { StartDialog } from '../session/start-dialog.tsx'
import { BottomBar } from './bottom-bar.tsx'
import { choicesOf } from './choices.ts'
import { Rail } from './rail.tsx'
import { useKeys } from './use-keys.ts'

/** Rail, list and what was chosen; where there is less room the list or what was chosen. */
export function Frame(): ReactNode {
  const { list, snoozes } = useLive()
  const { sessions: rows, asOf } = useReadable(list.picture)
  const snoozed = useReadable(snoozes.picture)
  const sessions = useMemo(() => seenRows(rows, snoozed), [rows, snoozed])
  const { pathname } = useLocation()
  const navigate = useNavigate()
  const dialog = useRef<HTMLDialogElement>(null)
  const keys = useRef<HTMLDialogElement>(null)
  const [finding, setFinding] = useState(false)
  const [peeked, setPeeked] = useState<string>()
  useKeyboardRoom()
  const needs = sessions.reduce((sum, row) => sum + asksOf(row), 0)
  const toSession = (session: string): void => void navigate({ to: '/sessions/$session', params: { session } })
  const ways = {
    needs,
    running: sessions.filter(({ status }) => isLive(status as 'active')).length,
    openStart: () => openDialog(dialog.current),
    openPalette: () => setFinding(true),
  }
  // Of a session that the list does not know only its own page knows the name.
  const shown = sessions.find(({ session }) => pathname === `/sessions/${session}`)?.title
  useEffect(() => showInTab(needs, shown), [needs, shown])
  const openKeys = (): void => openDialog(keys.current)
  useKeys({ ...ways, openKeys, peek: setPeeked })

  const settings = ['/settings', '/audit', '/usage', '/search', '/design'].includes(pathname)
  const onBoard = pathname === '/tasks' || pathname.startsWith('/tasks/')
  const onNeeds = pathname === '/needs' || pathname.startsWith('/needs/')
  const page = (
    <>
      {!settings && !onBoard && (
        <section className="list" aria-label={onNeeds ? 'What needs you' : 'Sessions'}>
          <header>
            <div>
              <h1>{onNeeds ? 'Needs you' : 'Sessions'}</h1>
              <AsOf kept={asOf} />
            </div>
            <button type="button" className="button" onClick={ways.openStart}>
              New session
            </button>
          </header>
          {onNeeds ? <NeedsList /> : <SessionRows start={ways.openStart} />}
        </section>
      )}
      {settings || onBoard ? (
        <Outlet />
      ) : (
        <div className="detail">
          <Outlet />
        </div>
      )}
    </>
  )
  return (
    <div
      className={`frame${pathname === '/' || pathname === '/needs' ? '' : settings || pathname === '/tasks' ? ' open about' : ' open'}`}
    >
      <Rail {...ways} />
      <ContactBanner />
      <main className="content">{onNeeds ? <NeedsProvider>{page}</NeedsProvider> : page}</main>
      <BottomBar {...ways} pathname={pathname} />
      <KeysDialog dialog={keys} />
      <StartDialog dialog={dialog} started={toSession} />
      {finding && (
        <Palette
          closed={() => setFinding(false)}
          choices={choicesOf(
            sessions,
            { session: toSession, page: (to) => void navigate({ to }), openStart: ways.openStart, openKeys },
            Date.now(),
          )}
        />
      )}
      {peeked !== undefined && <Peek session={peeked} closed={() => setPeeked(undefined)} open={toSession} />}
    </div>
  )
}
