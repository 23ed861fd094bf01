/**
 * A page of one's own: one session with its conversation, what it asks, who is there, and a box to write in. Built with any
 * bundler; it has to be served from an address that the server knows as its own. `#session=…&token=…` says what it shows;
 * without a session it lists them.
 */
import { openLink } from '@hotline/client/open-link'
import { useApprovals, useConnection, usePresence, useSession, useSessions, useTranscript } from '@hotline/client/react'
import { type ReactNode, useState } from 'react'
import { createRoot } from 'react-dom/client'

const asked = new URLSearchParams(location.hash.slice(1))
const session = asked.get('session') ?? ''
const credential = { kind: 'token', token: asked.get('token') ?? '' } as const
const link = openLink({ url: location.origin, credential, client: 'session-page' })

function SessionsPage(): ReactNode {
  const { picture } = useSessions(link)
  return (
    <ul>
      {picture?.sessions.map((row) => (
        <li key={row.session}>
          {row.title}: {row.status}
        </li>
      ))}
    </ul>
  )
}

function SessionPage(): ReactNode {
  const connection = useConnection(link)
  const { picture, view } = useSession(link, session)
  const { items, hasOlder, loadOlder } = useTranscript(view)
  const { asks, decide } = useApprovals(link)
  const { typing, watching, wrote } = usePresence(link, session)
  const [text, setText] = useState('')
  const own = asks.filter(({ row }) => row.session === session)
  const send = (): void => {
    void view?.send(text)
    setText('')
  }
  return (
    <main>
      <h1>{picture?.state?.title ?? 'A session'}</h1>
      <p role="status">
        {connection.status}, {watching.length} watching, {typing.length} writing
      </p>
      {hasOlder && <button onClick={() => void loadOlder()}>Older</button>}
      <ol>{items.map((item) => item.kind === 'message' && <li key={item.key}>{item.text}</li>)}</ol>
      {own.map((ask) => (
        <section key={ask.row.ask} aria-label="Asked">
          <p>{ask.item.kind === 'approval' ? ask.item.request?.title : 'A question'}</p>
          <button onClick={() => void decide(ask, 'allow')}>Allow</button>
          <button onClick={() => void decide(ask, 'deny', { reason: 'Not here.' })}>Deny</button>
        </section>
      ))}
      <input aria-label="Message" value={text} onInput={wrote} onChange={(event) => setText(event.target.value)} />
      <button onClick={send}>Send</button>
    </main>
  )
}

const root = document.getElementById('root')
if (root) createRoot(root).render(session === '' ? <SessionsPage /> : <SessionPage />)
