import type { Me } from '@hotline/protocol/http'
import { createRootRoute, createRoute, createRouter, Link, RouterProvider } from '@tanstack/react-router'
import { lazy, type ReactNode, Suspense } from 'react'
import { LiveProvider } from './live/hotline.tsx'
import { NeedChosen, NeedPage } from './needs/need-page.tsx'
import { AuditPage, readAuditSearch } from './pages/audit.tsx'
import { Frame } from './pages/frame.tsx'
import { UsagePage } from './pages/usage.tsx'
import { SettingsPage } from './pages/settings.tsx'
import { SearchPage } from './search/search-page.tsx'
import { readSearchAddress } from './search/search-address.ts'
import { readSessionPlace, SessionAt } from './session/session-at.tsx'

const root = createRootRoute({ component: Frame, notFoundComponent: NoSuchPage })
const home = createRoute({ getParentRoute: () => root, path: '/', component: NothingChosen })
const needs = createRoute({ getParentRoute: () => root, path: '/needs', component: NeedChosen })
const need = createRoute({ getParentRoute: () => root, path: '/needs/$session/$ask', component: NeedPage })
const session = createRoute({
  getParentRoute: () => root,
  path: '/sessions/$session',
  validateSearch: readSessionPlace,
  component: function Chosen() {
    const { session: id } = session.useParams()
    const place = session.useSearch()
    return <SessionAt key={`${id} ${place.at} ${place.of}`} session={id} {...place} />
  },
})
const settings = createRoute({ getParentRoute: () => root, path: '/settings', component: SettingsPage })
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  component: AuditPage,
  validateSearch: readAuditSearch,
})
const usage = createRoute({ getParentRoute: () => root, path: '/usage', component: UsagePage })
const search = createRoute({
  getParentRoute: () => root,
  path: '/search',
  component: SearchPage,
  validateSearch: readSearchAddress,
})
const BoardPage = lazy(async () => ({ default: (await import('./board/board-page.tsx')).BoardPage }))
const TaskPanel = lazy(async () => ({ default: (await import('./board/task-panel.tsx')).TaskPanel }))
const tasks = createRoute({
  getParentRoute: () => root,
  path: '/tasks',
  component: function Board() {
    return (
      <Suspense fallback={<div className="boards" aria-busy="true" />}>
        <BoardPage />
      </Suspense>
    )
  },
})
const task = createRoute({
  getParentRoute: () => tasks,
  path: '$task',
  component: function Chosen() {
    const { task: id } = task.useParams()
    return (
      <Suspense fallback={<section className="panel" aria-busy="true" />}>
        <TaskPanel key={id} task={id} />
      </Suspense>
    )
  },
})
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
const router = createRouter({
  routeTree: root.addChildren([
    home,
    needs,
    need,
    session,
    tasks.addChildren([task]),
    settings,
    audit,
    usage,
    search,
    design,
  ]),
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

/** The page of somebody who is signed in. */
export function Inside({ me }: { me: Me }): ReactNode {
  return (
    <LiveProvider me={me}>
      <RouterProvider router={router} />
    </LiveProvider>
  )
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
