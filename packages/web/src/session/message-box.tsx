import type { Present } from '@hotline/client/presence'
import type { SessionPicture, SessionView } from '@hotline/client/session-view'
import { isVisible } from '@hotline/core/session/check-text'
import { isTypedTo } from '@hotline/protocol/capabilities'
import { isLive } from '@hotline/protocol/session-status'
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { commandKey } from '../live/keyboard.ts'
import { useReadable } from '@hotline/client/use-readable'
import { ChosenFiles } from './files/chosen-files.tsx'
import { addFiles, dropFiles, putBack, useUploads } from './files/uploads.ts'
import { useFileDrop } from './files/use-file-drop.ts'
import { Queue } from './queue.tsx'
import { type Reply, ReplyLine } from './reply.tsx'
import { UnsentLine } from './unsent-line.tsx'

const minHeightPx = 44
const maxHeightPx = 200

/** What waits for the agent, and where the next message is written. */
export function MessageBox({
  session,
  view,
  picture,
  present,
  wrote,
  reply,
  endReply,
  sent,
  sentElsewhere,
  mayWrite,
}: {
  session: string
  view: SessionView
  picture: SessionPicture
  present: Present
  /** Somebody writes here: the others may know. */
  wrote: () => void
  /** What the next message replies to. */
  reply: Reply | undefined
  endReply: () => void
  /** A message went where the agent reads it next: into the conversation, whatever somebody was looking at there. */
  sent: () => void
  /**
   * What is for somebody else goes there, and not to this session: whether it was taken. Undefined where it is for this one. Files
   * lie with this session, and cannot go along.
   */
  sentElsewhere?: ((text: string, files: number) => Promise<boolean> | undefined) | undefined
  mayWrite: boolean
}): ReactNode {
  const kept = `hotline-draft:${session}`
  const [text, setText] = useState(() => sessionStorage.getItem(kept) ?? '')
  useEffect(() => {
    if (text === '') sessionStorage.removeItem(kept)
    else sessionStorage.setItem(kept, text)
  }, [kept, text])
  /** It is on its way to another session. */
  const [leaving, setLeaving] = useState(false)
  const box = useRef<HTMLTextAreaElement>(null)
  const uploads = useUploads(session)
  const picker = useRef<HTMLInputElement>(null)
  const { state, transcript, unsent } = picture
  const limit = state?.personMessageChars ?? 2_000
  const over = text.length > limit
  const { link, contact } = useLive()
  const connection = useReadable(link.connection)
  const isDeaf = state?.capabilities?.input === 'none'
  const live = mayWrite && state !== undefined && isLive(state.status) && !state.ending && !isDeaf
  // Out of contact it goes to the outbox; only where nothing will ever be sent from here is there no sending.
  const isReady = uploads.every(({ at }) => at.is === 'there')
  const isEmpty = !isVisible(text) && uploads.length === 0
  const disabled = leaving || !live || connection.status === 'closed' || over || isEmpty || !isReady
  const isDropping = useFileDrop(live ? (files) => addFiles(session, files) : undefined)

  useLayoutEffect(() => {
    const area = box.current
    if (!area) return
    area.style.height = `${minHeightPx}px`
    area.style.height = `${Math.min(maxHeightPx, Math.max(minHeightPx, area.scrollHeight + 2))}px`
  }, [text])

  // Who has just said what it replies to wants to write it.
  const isNew = useRef(reply)
  useEffect(() => {
    if (reply && reply !== isNew.current) box.current?.focus()
    isNew.current = reply
  }, [reply])

  /** A text that comes back stands before what is being written. */
  const rewrite = (back: string): void => setText((now) => (now.trim() === '' ? back : `${back}\n${now}`))

  // Only into a turn that runs, as far as is known here: what waits for the server may find another one.
  const takesNow =
    live && contact.here && state.status === 'active' && state.turn !== undefined && state.capabilities?.steer === true
  function send(when: 'now' | 'in turn'): void {
    if (disabled) return
    // A reply is for whom it replies to, whomever it names.
    const elsewhere = reply === undefined ? sentElsewhere?.(text, uploads.length) : undefined
    if (elsewhere) {
      setLeaving(true)
      void elsewhere.then((taken) => {
        setLeaving(false)
        // What was refused stays. This box may have made room for another one by now.
        if (taken) sessionStorage.removeItem(kept)
        if (taken) setText('')
      })
      return
    }
    const about = reply === undefined ? {} : { replyTo: reply.message }
    const files = uploads.flatMap(({ name, at }) => (at.is === 'there' ? [{ digest: at.digest, name }] : []))
    const more = { ...about, ...(files.length === 0 ? {} : { attachments: files }) }
    const words = isVisible(text) ? text : ''
    void view.send(words, when === 'now' && takesNow ? { ...more, now: true } : more).then(({ ok }) => {
      if (!ok) putBack(session, uploads)
    })
    setText('')
    dropFiles(
      session,
      uploads.map(({ key }) => key),
    )
    endReply()
    // What waits in the queue is seen there, and nobody is taken away from what they read.
    if (contact.here && state.turn === undefined && state.status === 'active') sent()
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape' && reply && !event.nativeEvent.isComposing) endReply()
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send(event.ctrlKey || event.metaKey ? 'now' : 'in turn')
  }

  const queued = (state?.queue ?? []).flatMap(({ message }) => {
    const item = transcript.items[transcript.places.get(`message:${message}`) ?? -1]
    return item?.kind === 'message' ? [item] : []
  })
  const hurried = new Set((state?.queue ?? []).flatMap((one) => (one.hurried === true ? [one.message] : [])))
  const hurry = takesNow ? { isHurried: (message: string) => hurried.has(message) } : undefined
  const placeholder = !mayWrite
    ? 'You may read here'
    : !live
      ? isDeaf && isLive(state.status)
        ? 'Nothing can be sent here: it is only watched'
        : 'This session has ended'
      : connection.status === 'closed'
        ? 'Disconnected; your text stays here'
        : !contact.here
          ? 'Out of contact: it waits here'
          : state.status === 'interrupted'
            ? 'Agent gone: it reads what you write once it is resumed'
            : isTypedTo(state.capabilities)
              ? 'Type a line to the program'
              : state.turn
                ? 'Write; it is read when the agent can'
                : 'Write to the agent'
  return (
    <div className="compose">
      <div className="inner">
        <Queue
          items={queued}
          agent={state?.agent ?? ''}
          view={view}
          rewrite={rewrite}
          mayWrite={mayWrite}
          hurry={hurry}
        />
        {unsent.map((message) => (
          <UnsentLine
            key={message.id}
            message={message}
            discard={() => view.discard(message.id)}
            rewrite={() => rewrite(message.text)}
          />
        ))}
        <ChosenFiles session={session} uploads={uploads} />
        {isDropping && <div className="drop-here">Drop the files to send them with your message</div>}
        {reply && live && <ReplyLine reply={reply} agent={state.agent} end={endReply} />}
        <div className="line">
          {live && (
            <>
              <button
                type="button"
                className="button attach"
                aria-label="Attach files"
                title="Attach files"
                onClick={() => picker.current?.click()}
              >
                +
              </button>
              <input
                ref={picker}
                type="file"
                multiple
                hidden
                aria-label="Files to attach"
                onChange={({ target }) => {
                  addFiles(session, [...(target.files ?? [])])
                  // The same one can be chosen again.
                  target.value = ''
                }}
              />
            </>
          )}
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
            onPaste={(event) => {
              const files = [...event.clipboardData.files]
              if (files.length === 0) return
              event.preventDefault()
              addFiles(session, files)
            }}
          />
          <button type="button" className="button strong" disabled={disabled} onClick={() => send('in turn')}>
            {contact.here ? 'Send' : 'Send later'}
            <kbd className="key">⏎</kbd>
          </button>
        </div>
        <div className="small quiet below">
          <Typing people={present.typing} />
          <span className="how">
            Enter sends, {takesNow && `${commandKey('Enter')} sends into this turn, `}Shift+Enter breaks the line
          </span>
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
