import { openSessionView, type SessionView } from '@hotline/client/session-view'
import { isOpenApproval, type MessageItem } from '@hotline/core/transcript/item'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'
import { useNow } from '../live/use-now.ts'
import { Markdown } from '../markdown/markdown.tsx'
import { ExactText } from '../parts/exact-text.tsx'
import { Legible } from '../parts/legible.tsx'
import { openDialog } from '../parts/open-dialog.ts'
import { statusWords } from './evidence.tsx'

/** Of what is asked; the whole of it is on its card. */
const lookChars = 2_000

/** A short look at a session without leaving where one is: how it stands, what it asks, what it said last. */
export function Peek({
  session,
  closed,
  open,
}: {
  session: string
  closed: () => void
  open: (session: string) => void
}): ReactNode {
  const { link } = useLive()
  const [view, setView] = useState<SessionView>()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => openDialog(dialog.current), [])
  useEffect(() => {
    const opened = openSessionView(link, session)
    setView(opened)
    return () => opened[Symbol.dispose]()
  }, [link, session])
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
        if (event.key === 'Enter') open(session)
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
  const snoozed = useReadable(useLive().snoozes.picture)
  if (!state) return <p className="quiet">{problem?.detail ?? 'Loading …'}</p>
  const asked = transcript.items.find(isOpenApproval)
  const said = transcript.items.findLast(
    (item): item is MessageItem => item.kind === 'message' && item.role === 'agent',
  )
  return (
    <>
      <h1>
        <Legible text={state.title} place="name" />
      </h1>
      <p className="small quiet">
        {statusWords(state, now, snoozed)} · {state.agent}
      </p>
      {asked && (
        <div className="asked">
          <p className="small">
            <Legible text={asked.request?.title ?? 'Needs you'} place="name" />
          </p>
          <ExactText text={(asked.request?.input ?? '').slice(0, lookChars)} />
          {((asked.request?.input ?? '').length > lookChars || asked.request?.content !== undefined) && (
            <p className="small quiet">There is more: open it.</p>
          )}
        </div>
      )}
      {said && (
        <div className="message agent">
          <Markdown text={said.text.slice(-1_500)} streaming={said.streaming} />
        </div>
      )}
    </>
  )
}
