import type { Me } from '@hotline/protocol/http'
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from 'react'
import { ask } from './live/ask.ts'
import { Failed } from './parts/failed.tsx'
import { FrameSkeleton } from './parts/skeletons.tsx'
import { Away } from './pages/away.tsx'
import { AcceptPage } from './pages/accept.tsx'
import { DevicePage } from './pages/device.tsx'
import { Enter } from './pages/enter.tsx'
import { takeCode } from './pages/link-door.tsx'
import { ResetPage } from './pages/reset.tsx'

/** What only those see who are signed in: most of the page, so it comes after what everybody sees. */
type Inside = (props: { me: Me }) => ReactNode
const loadInside = async (): Promise<Inside> => (await import('./inside.tsx')).Inside

const ApiDocs = lazy(async () => ({ default: (await import('./api/api-docs.tsx')).ApiDocs }))

type Stage =
  | { at: 'looking' }
  | { at: 'away'; detail: string; tries: number; since: number }
  | { at: 'outside' }
  | { at: 'inside'; me: Me }

/** The documents of the API are for everybody; all else is for who is signed in. */
export function App(): ReactNode {
  if (location.pathname !== '/docs/api') return <Own />
  return (
    <Suspense fallback={<main className="api" aria-busy="true" />}>
      <ApiDocs />
    </Suspense>
  )
}

/** Signed in or not; everything else is behind the router. */
function Own(): ReactNode {
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
  // Who signs in does not wait for the rest; what is on the screen now is painted before that is begun.
  useEffect(() => afterPaint(() => void loadInside().catch(() => undefined)), [])
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
      return <Rest>{(Inside) => <Inside me={stage.me} />}</Rest>
  }
}

/** What is shown with the rest of the page, once that is here. */
function Rest({ children }: { children: (inside: Inside) => ReactNode }): ReactNode {
  const [rest, setRest] = useState<{ inside: Inside } | 'missing'>()
  useEffect(() => {
    loadInside().then(
      (inside) => setRest({ inside }),
      () => setRest('missing'),
    )
  }, [])
  if (rest === undefined) return <FrameSkeleton />
  if (rest !== 'missing') return children(rest.inside)
  // A browser does not ask again for a script that failed; and a server that was updated meanwhile has it by another name.
  return (
    <main className="enter">
      <Failed
        what="The rest of the page did not come"
        problem={{ detail: 'The network failed, or this server was updated meanwhile. You are signed in.' }}
        retry={() => location.reload()}
      />
    </main>
  )
}

/** Calls once the next frame is on the screen. Answers how to call it off. */
function afterPaint(call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const frame = requestAnimationFrame(() => {
    timer = setTimeout(call)
  })
  return () => {
    cancelAnimationFrame(frame)
    clearTimeout(timer)
  }
}
