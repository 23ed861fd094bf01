import { openSessionView, type SessionView } from '@hotline/client/session-view'
import type { MessageItem } from '@hotline/core/transcript/item'
import { type ReactNode, type RefObject, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useNow, useReadable } from '../live/use-readable.ts'
import { ExactText } from '../parts/exact-text.tsx'
import { Said } from '../parts/said.tsx'
import { openDialog } from '../parts/open-dialog.ts'
import { statusWords } from './evidence.tsx'

/** Of what is asked; the whole of it is on its card. */
const lookChars = 2_000

/** A short look at a session without leaving where one is: how it stands, what it asks, what it said last. */
export function Peek({
  session,
  dialog,
  closed,
  open,
}: {
  session: string | undefined
  dialog: RefObject<HTMLDialogElement | null>
  closed: () => void
  open: (session: string) => void
}): ReactNode {
  const { link } = useLive()
  const [view, setView] = useState<SessionView>()
  useEffect(() => {
    if (session === undefined) return undefined
    const opened = openSessionView(link, session)
    setView(opened)
    openDialog(dialog.current)
    return () => {
      setView(undefined)
      opened[Symbol.dispose]()
    }
  }, [link, session, dialog])
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the key that opened it closes it
    <dialog
      ref={dialog}
      className="peek"
      aria-label="A short look"
      onClose={closed}
      onKeyDown={(event) => {
        if (event.key !== ' ' && event.key !== 'Enter') return
        event.preventDefault()
        dialog.current?.close()
        if (event.key === 'Enter' && session !== undefined) open(session)
      }}
    >
      {view ? <Look view={view} /> : <p className="quiet">Loading …</p>}
      <p className="small quiet">
        <kbd className="key">space</kbd> closes · <kbd className="key">Enter</kbd> opens it
      </p>
    </dialog>
  )
}

function Look({ view }: { view: SessionView }): ReactNode {
  const { state, transcript, problem } = useReadable(view.picture)
  const now = useNow(1_000)
  if (!state) return <p className="quiet">{problem?.detail ?? 'Loading …'}</p>
  const asked = transcript.items.find((item) => item.kind === 'approval' && item.outcome === undefined)
  const said = transcript.items.findLast(
    (item): item is MessageItem => item.kind === 'message' && item.role === 'agent',
  )
  return (
    <>
      <h1>{state.title}</h1>
      <p className="small quiet">
        {statusWords(state, now)} · {state.agent}
      </p>
      {asked?.kind === 'approval' && (
        <div className="asked">
          <p className="small">{asked.request?.title ?? 'Needs you'}</p>
          <ExactText text={(asked.request?.input ?? '').slice(0, lookChars)} />
          {((asked.request?.input ?? '').length > lookChars || asked.request?.content !== undefined) && (
            <p className="small quiet">There is more: open it.</p>
          )}
        </div>
      )}
      {said && (
        <div className="message agent">
          <Said text={said.text.slice(-1_500)} />
        </div>
      )}
    </>
  )
}
