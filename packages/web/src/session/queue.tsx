import type { SessionView } from '@hotline/client/session-view'
import { isVisible } from '@hotline/core/session/check-text'
import type { MessageItem } from '@hotline/core/transcript/item'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { isPlain, isTyping } from '../live/keyboard.ts'
import { Legible } from '../parts/legible.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { FileNames } from './files/message-files.tsx'
import { QuoteLine } from './reply.tsx'

/**
 * Messages that the agent has not taken yet, in their order: moved by whoever may, changed and withdrawn by their writer, and
 * said into the turn that runs where the agent can take that.
 */
export function Queue({
  items,
  agent,
  view,
  rewrite,
  mayWrite,
  hurry,
}: {
  items: readonly MessageItem[]
  agent: string
  view: SessionView
  /** Puts a text where one writes. */
  rewrite: (text: string) => void
  mayWrite: boolean
  /** Absent where nothing can be said into a turn now. */
  hurry: { isHurried: (message: string) => boolean } | undefined
}): ReactNode {
  const [dragged, setDragged] = useState<string>()
  const [edit, setEdit] = useState<{ message: string; text: string }>()
  const [problem, setProblem] = useState<Problem>()
  const order = items.map(({ message }) => message)

  // The agent has taken it while it was being changed: what was written goes where the next message is written.
  const gone = edit !== undefined && !order.includes(edit.message)
  const save = useEffectEvent(() => {
    if (edit) rewrite(edit.text)
    setEdit(undefined)
  })
  useEffect(() => {
    if (gone) save()
  }, [gone])

  /** The whole new order goes out: what somebody else has changed meanwhile is refused, not mixed. */
  async function move(message: string, to: number): Promise<void> {
    const wanted = order.filter((one) => one !== message)
    wanted.splice(to, 0, message)
    const outcome = await view.reorder(wanted)
    setProblem(outcome.ok ? undefined : outcome.problem)
  }
  async function sendNow(message: string): Promise<void> {
    const outcome = await view.hurry(message)
    // The agent has taken it by itself: what was wanted is done.
    setProblem(outcome.ok || outcome.problem.code === 'not_queued' ? undefined : outcome.problem)
  }
  const isHurried = (message: string): boolean => hurry?.isHurried(message) === true
  const next = mayWrite && hurry ? order.find((message) => !isHurried(message)) : undefined
  const press = useEffectEvent((event: KeyboardEvent): void => {
    if (event.key !== 'w' || !isPlain(event) || event.repeat || isTyping(event.target) || next === undefined) return
    event.preventDefault()
    void sendNow(next)
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => press(event)
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  return (
    <>
      {items.map((item, index) => (
        // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- dragging is also two buttons
        <div
          key={item.key}
          className="queued"
          data-dragged={dragged === item.message || undefined}
          draggable={mayWrite && items.length > 1 && edit === undefined}
          onDragStart={(event) => {
            event.dataTransfer.effectAllowed = 'move'
            event.dataTransfer.setData('text/plain', item.text)
            setDragged(item.message)
          }}
          onDragEnd={() => setDragged(undefined)}
          onDragOver={(event) => dragged !== undefined && event.preventDefault()}
          onDrop={(event) => {
            event.preventDefault()
            if (dragged !== undefined && dragged !== item.message) void move(dragged, index)
            setDragged(undefined)
          }}
        >
          <Queued
            item={item}
            agent={agent}
            place={index + 1}
            of={items.length}
            mayWrite={mayWrite}
            view={view}
            editing={edit?.message === item.message ? edit.text : undefined}
            setEditing={(text) => setEdit(text === undefined ? undefined : { message: item.message, text })}
            moveTo={(place) => void move(item.message, place - 1)}
            isHurried={isHurried(item.message)}
            hasKey={item.message === next}
            sendNow={mayWrite && hurry ? () => void sendNow(item.message) : undefined}
          />
        </div>
      ))}
      {items.length > 0 && <Refusal problem={problem} look="small" />}
    </>
  )
}

function Queued({
  item,
  agent,
  place,
  of,
  view,
  editing,
  setEditing,
  moveTo,
  mayWrite,
  isHurried,
  hasKey,
  sendNow,
}: {
  item: MessageItem
  agent: string
  /** 1 is read first. */
  place: number
  of: number
  view: SessionView
  /** The text as it is being changed; undefined while it is not. */
  editing: string | undefined
  setEditing: (text: string | undefined) => void
  moveTo: (place: number) => void
  mayWrite: boolean
  /** It is on its way into the turn. */
  isHurried: boolean
  /** The key sends this one. */
  hasKey: boolean
  /** Absent where nothing can be said into a turn now. */
  sendNow: (() => void) | undefined
}): ReactNode {
  const { me } = useLive()
  const [problem, setProblem] = useState<Problem>()
  const mine = mayWrite && item.by.kind === 'person' && item.by.id === me.id

  async function withdraw(): Promise<void> {
    const outcome = await view.withdraw(item.message)
    setProblem(outcome.ok ? undefined : outcome.problem)
  }
  async function save(text: string): Promise<void> {
    const outcome = await view.edit(item.message, text)
    if (outcome.ok) setEditing(undefined)
    setProblem(outcome.ok ? undefined : outcome.problem)
  }
  if (editing !== undefined) {
    const unchanged = !isVisible(editing) || editing === item.text
    return (
      <>
        <textarea
          className="input"
          aria-label="Edit the waiting message"
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- it was asked for just now
          autoFocus
          rows={Math.min(8, editing.split('\n').length + 1)}
          value={editing}
          onChange={(event) => setEditing(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setEditing(undefined)
          }}
        />
        {problem && (
          <span className="small danger" role="alert">
            {problem.detail}
          </span>
        )}
        <button type="button" className="button" disabled={unchanged} onClick={() => void save(editing)}>
          Save
        </button>
        <button type="button" className="button plain" onClick={() => setEditing(undefined)}>
          Cancel
        </button>
      </>
    )
  }
  return (
    <>
      <span className="small quiet">{isHurried ? 'sending now …' : `#${place} queued`}</span>
      {item.quote && (
        <span className="quoted small">
          <QuoteLine quote={item.quote} agent={agent} />
        </span>
      )}
      {item.text !== '' && (
        <div className="said">
          <Legible text={item.text} place="prose" />
        </div>
      )}
      <FileNames files={item.attachments} />
      {problem && (
        <span className="small danger" role="alert">
          {problem.detail}
        </span>
      )}
      <div className="acts">
        {mayWrite && of > 1 && (
          <>
            <button
              type="button"
              className="button plain"
              aria-label={`Move message ${place} up`}
              disabled={place === 1}
              onClick={() => moveTo(place - 1)}
            >
              ↑
            </button>
            <button
              type="button"
              className="button plain"
              aria-label={`Move message ${place} down`}
              disabled={place === of}
              onClick={() => moveTo(place + 1)}
            >
              ↓
            </button>
          </>
        )}
        {sendNow && !isHurried && (
          <button
            type="button"
            className="button plain"
            title="The agent reads it in the turn that runs, without waiting for its end."
            onClick={sendNow}
          >
            Send now
            {hasKey && <kbd className="key">w</kbd>}
          </button>
        )}
        {mine && (
          <>
            <button type="button" className="button plain" onClick={() => setEditing(item.text)}>
              Edit
            </button>
            <button type="button" className="button plain" onClick={() => void withdraw()}>
              Withdraw
            </button>
          </>
        )}
      </div>
    </>
  )
}
