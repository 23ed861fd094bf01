import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'
import { useNow } from '../live/use-now.ts'
import { countText } from '../text/amounts.ts'
import { durationText } from '../text/time.ts'

/** What could not be reached for how long, what is safe, and when it is tried again; nothing while there is contact. */
export function ContactBanner(): ReactNode {
  const { link, contact } = useLive()
  const connection = useReadable(link.connection)
  const waiting = useReadable(link.outbox)
  const now = useNow(1_000)
  if (contact.here) return undefined
  const messages = waiting.filter(({ type }) => type === 'message.send').length
  const others = waiting.length - messages
  const kept = [
    messages > 0 ? countText(messages, 'message') : '',
    others > 0 ? countText(others, messages > 0 ? 'other answer' : 'answer') : '',
  ]
    .filter(Boolean)
    .join(' and ')
  const lost = `Nothing is lost${kept ? `: ${kept} ${waiting.length === 1 ? 'waits' : 'wait'} here` : ''}.`
  if (contact.final) {
    const why = connection.status === 'closed' ? connection.problem?.detail : undefined
    return (
      <div className="banner" role="alert">
        <span>
          <span className="danger">{why ?? 'Disconnected.'}</span> {lost}
        </span>
        <button type="button" className="button" onClick={() => location.reload()}>
          Sign in
        </button>
      </div>
    )
  }
  const leftMs = connection.status === 'waiting' ? connection.retryAt - now : 0
  const next = leftMs > 0 ? `Retrying in ${Math.ceil(leftMs / 1_000)} s.` : 'Retrying now.'
  return (
    <div className="banner">
      <span role="status" aria-atomic="true">
        <span aria-hidden="true">
          <span className="danger">Couldn&rsquo;t reach the server for {spanText(now - contact.since)}.</span> {lost}{' '}
          {next}
        </span>
        {/* Read out once, not with every second. */}
        <span className="unseen">Out of contact with the server. {lost} It is tried again.</span>
      </span>
      <button type="button" className="button" onClick={() => link.reconnect()}>
        Reconnect
      </button>
    </div>
  )
}

/** `20 s`, `5m 3s`: seconds stand alone as in the other words of the page. */
function spanText(ms: number): string {
  return ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1_000))} s` : durationText(ms)
}
