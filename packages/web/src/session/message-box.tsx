import type { Present } from '@hotline/client/presence'
import type { SessionPicture, SessionView } from '@hotline/client/session-view'
import type { UnsentMessage } from '@hotline/client/unsent'
import type { MessageItem } from '@hotline/core/transcript/item'
import { isLive } from '@hotline/protocol/session-status'
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '../live/use-readable.ts'

const minHeightPx = 44
const maxHeightPx = 200

/** What waits for the agent, and where the next message is written. */
export function MessageBox({
  session,
  view,
  picture,
  present,
  wrote,
}: {
  session: string
  view: SessionView
  picture: SessionPicture
  present: Present
  /** Somebody writes here: the others may know. */
  wrote: () => void
}): ReactNode {
  const kept = `hotline-draft:${session}`
  const [text, setText] = useState(() => sessionStorage.getItem(kept) ?? '')
  useEffect(() => {
    if (text === '') sessionStorage.removeItem(kept)
    else sessionStorage.setItem(kept, text)
  }, [kept, text])
  const box = useRef<HTMLTextAreaElement>(null)
  const { state, transcript, unsent } = picture
  const limit = state?.personMessageChars ?? 2_000
  const over = text.length > limit
  const { link, contact } = useLive()
  const connection = useReadable(link.connection)
  const live = state !== undefined && isLive(state.status) && !state.ending
  // Out of contact it goes to the outbox; only where nothing will ever be sent from here is there no sending.
  const disabled = !live || connection.status === 'closed' || over || text.trim() === ''

  useLayoutEffect(() => {
    const area = box.current
    if (!area) return
    area.style.height = `${minHeightPx}px`
    area.style.height = `${Math.min(maxHeightPx, Math.max(minHeightPx, area.scrollHeight + 2))}px`
  }, [text])

  function send(): void {
    if (disabled) return
    void view.send(text)
    setText('')
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }

  const queued = (state?.queue ?? []).flatMap(({ message }) => {
    const item = transcript.items[transcript.places.get(`message:${message}`) ?? -1]
    return item?.kind === 'message' ? [item] : []
  })
  const placeholder = !live
    ? 'This session has ended'
    : connection.status === 'closed'
      ? 'Disconnected; your text stays here'
      : !contact.here
        ? 'Out of contact: it waits here'
        : state.turn
          ? 'Write; it is read when the agent can'
          : 'Write to the agent'
  return (
    <div className="compose">
      <div className="inner">
        {queued.map((item, index) => (
          <Queued key={item.key} item={item} index={index} queue={queued} view={view} />
        ))}
        {unsent.map((message) => (
          <Unsent
            key={message.id}
            message={message}
            discard={() => view.discard(message.id)}
            rewrite={() => setText((now) => (now.trim() === '' ? message.text : `${message.text}\n${now}`))}
          />
        ))}
        <div className="line">
          <textarea
            ref={box}
            className="input"
            aria-label="Message to the agent"
            placeholder={placeholder}
            value={text}
            disabled={!live}
            onChange={(event) => {
              setText(event.target.value)
              if (event.target.value.trim() !== '') wrote()
            }}
            onKeyDown={onKeyDown}
          />
          <button type="button" className="button strong" disabled={disabled} onClick={send}>
            {contact.here ? 'Send' : 'Send later'}
            <kbd className="key">⏎</kbd>
          </button>
        </div>
        <div className="small quiet below">
          <Typing people={present.typing} />
          <span className="how">Enter sends, Shift+Enter breaks the line</span>
          <span className={over ? 'over' : ''} role={over ? 'alert' : undefined}>
            {text.length} / {limit}
          </span>
        </div>
      </div>
    </div>
  )
}

/** Who else writes just now, in words; nothing where nobody does. */
function Typing({ people }: { people: readonly string[] }): ReactNode {
  const { names, me } = useLive()
  const others = people.filter((id) => id !== me.id).map((id) => names.get(id) ?? 'Somebody')
  if (others.length === 0) return undefined
  const words = others.length === 1 ? `${others[0]} is typing …` : `${others.slice(0, 3).join(', ')} are typing …`
  return (
    <span className="typing" role="status">
      {words}
    </span>
  )
}

/** One's own message that the log does not have yet: on its way, waiting for the server, or refused. */
function Unsent({
  message,
  discard,
  rewrite,
}: {
  message: UnsentMessage
  discard: () => boolean
  /** Puts its text back where one writes. */
  rewrite: () => void
}): ReactNode {
  const { contact } = useLive()
  const [tooLate, setTooLate] = useState(false)
  const { problem } = message
  const words = problem?.detail ?? (contact.here ? 'sending …' : tooLate ? 'may have arrived' : 'waits here')
  return (
    <div className="queued">
      <span className={problem ? 'small danger' : 'small quiet'}>{words}</span>
      <div className="said">{message.text}</div>
      {(problem || (!contact.here && !tooLate)) && (
        <button
          type="button"
          className="button plain"
          onClick={() => {
            if (discard()) rewrite()
            else setTooLate(true)
          }}
        >
          {problem ? 'Edit' : 'Take back'}
        </button>
      )}
    </div>
  )
}

function Queued({
  item,
  index,
  queue,
  view,
}: {
  item: MessageItem
  index: number
  queue: readonly MessageItem[]
  view: SessionView
}): ReactNode {
  const { me } = useLive()
  const [editing, setEditing] = useState<string>()
  const mine = item.by.kind === 'person' && item.by.id === me.id
  const order = queue.map(({ message }) => message)
  const moveUp = (): void => {
    const wanted = [...order]
    wanted.splice(index, 1)
    wanted.splice(index - 1, 0, item.message)
    void view.command('message.reorder', { order: wanted })
  }
  return (
    <div className="queued">
      <span className="small quiet">#{index + 1} queued</span>
      {editing === undefined ? (
        <div className="said">{item.text}</div>
      ) : (
        <input
          className="input"
          aria-label="Edit the waiting message"
          value={editing}
          onChange={(event) => setEditing(event.target.value)}
        />
      )}
      {index > 0 && (
        <button type="button" className="button plain" aria-label={`Move message ${index + 1} up`} onClick={moveUp}>
          ↑
        </button>
      )}
      {mine && editing === undefined && (
        <>
          <button type="button" className="button plain" onClick={() => setEditing(item.text)}>
            Edit
          </button>
          <button
            type="button"
            className="button plain"
            onClick={() => void view.command('message.withdraw', { message: item.message })}
          >
            Withdraw
          </button>
        </>
      )}
      {editing !== undefined && (
        <button
          type="button"
          className="button plain"
          onClick={() => {
            void view.command('message.edit', { message: item.message, text: editing })
            setEditing(undefined)
          }}
        >
          Save
        </button>
      )}
    </div>
  )
}
