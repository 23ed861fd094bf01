import type { Me } from '@hotline/protocol/http'
import { createRootRoute, createRoute, createRouter, Link, RouterProvider } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from 'react'
import { LiveProvider, ask } from './live/hotline.tsx'
import { FrameSkeleton } from './parts/skeletons.tsx'
import { Away } from './pages/away.tsx'
import { AcceptPage } from './pages/accept.tsx'
import { DevicePage } from './pages/device.tsx'
import { Enter } from './pages/enter.tsx'
import { Frame } from './pages/frame.tsx'
import { takeCode } from './pages/link-door.tsx'
import { ResetPage } from './pages/reset.tsx'
import { SettingsPage } from './pages/settings.tsx'
import { SessionPage } from './session/session-page.tsx'

const root = createRootRoute({ component: Frame, notFoundComponent: NoSuchPage })
const home = createRoute({ getParentRoute: () => root, path: '/', component: NothingChosen })
const needs = createRoute({ getParentRoute: () => root, path: '/needs', component: NothingChosen })
const session = createRoute({
  getParentRoute: () => root,
  path: '/sessions/$session',
  component: function Chosen() {
    const { session: id } = session.useParams()
    return <SessionPage key={id} session={id} />
  },
})
const settings = createRoute({ getParentRoute: () => root, path: '/settings', component: SettingsPage })
const DesignPage = lazy(async () => ({ default: (await import('./design/design-page.tsx')).DesignPage }))
const design = createRoute({
  getParentRoute: () => root,
  path: '/design',
  component: function Design() {
    return (
      <Suspense fallback={<div className="settings" aria-busy="true" />}>
        <DesignPage />
      </Suspense>
    )
  },
})
const router = createRouter({ routeTree: root.addChildren([home, needs, session, settings, design]) })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

type Stage =
  | { at: 'looking' }
  | { at: 'away'; detail: string; tries: number; since: number }
  | { at: 'outside' }
  | { at: 'inside'; me: Me }

/** Signed in or not; everything else is behind the router. */
export function App(): ReactNode {
  const [stage, setStage] = useState<Stage>({ at: 'looking' })
  const [invitation] = useState(() => takeCode('invite'))
  const [reset] = useState(() => takeCode('reset'))
  const look = useCallback(async () => {
    const me = await ask<Me>('GET', '/api/me')
    if (me.ok) setStage({ at: 'inside', me: me.value })
    else if (me.problem.code === 'unauthenticated') setStage({ at: 'outside' })
    else {
      const { detail } = me.problem
      setStage((before) =>
        before.at === 'away'
          ? { ...before, detail, tries: before.tries + 1 }
          : { at: 'away', detail, tries: 1, since: Date.now() },
      )
    }
  }, [])
  useEffect(() => void look(), [look])
  // Whoever has the link makes an account, also where somebody else is signed in.
  if (invitation !== '') return <AcceptPage code={invitation} />
  if (reset !== '') return <ResetPage code={reset} />
  switch (stage.at) {
    case 'looking':
      return <FrameSkeleton />
    case 'away': {
      const { detail, tries, since } = stage
      return <Away detail={detail} tries={tries} since={since} retry={() => void look()} />
    }
    case 'outside':
      return <Enter entered={() => void look()} />
    case 'inside':
      // By itself: whoever lets a machine in sees that alone, and nothing else is opened for it.
      if (location.pathname === '/device') return <DevicePage me={stage.me} />
      return (
        <LiveProvider me={stage.me}>
          <RouterProvider router={router} />
        </LiveProvider>
      )
  }
}

function NoSuchPage(): ReactNode {
  return (
    <div className="empty">
      <p>
        There is no page at this address. <Link to="/">Go to the sessions</Link>
      </p>
    </div>
  )
}

function NothingChosen(): ReactNode {
  return (
    <div className="empty">
      <p>Choose a session, or start one.</p>
    </div>
  )
}
