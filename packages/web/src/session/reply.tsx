import { namesOf } from '@hotline/core/session/said'
import type { MessageItem } from '@hotline/core/transcript/item'
import type { Quote } from '@hotline/protocol/events/message'
import { limits } from '@hotline/protocol/limits'
import { type ReactNode, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Legible } from '../parts/legible.tsx'
import { legibleName } from '../text/legible.ts'

/** What the next message replies to. */
export interface Reply {
  message: string
  quote: Quote
}

/** What a reply to this message shows of it. */
export function replyTo({ message, role, by, text, attachments }: MessageItem): Reply {
  const words = text === '' ? namesOf(attachments) : text
  return { message, quote: { role, by, text: words.slice(0, limits.quoteChars).toWellFormed() } }
}

/** Kept for this tab, as the text is that is written to it. */
export function useReply(session: string): [reply: Reply | undefined, set: (reply: Reply | undefined) => void] {
  const kept = `hotline-reply:${session}`
  const [reply, setReply] = useState(() => readReply(sessionStorage.getItem(kept)))
  useEffect(() => {
    if (reply) sessionStorage.setItem(kept, JSON.stringify(reply))
    else sessionStorage.removeItem(kept)
  }, [kept, reply])
  return [reply, setReply]
}

/** Undefined where somebody else wrote there. */
function readReply(kept: string | null): Reply | undefined {
  try {
    const read = JSON.parse(kept ?? 'null') as Partial<Reply> | null
    return typeof read?.message === 'string' && typeof read.quote?.text === 'string' ? (read as Reply) : undefined
  } catch {
    return undefined
  }
}

/** Whose words, and how they began, in one line. */
export function QuoteLine({ quote, agent }: { quote: Quote; agent: string }): ReactNode {
  const { names, known } = useLive()
  const who = {
    agent: known.agents.get(agent) ?? legibleName(agent),
    person: names.get(quote.by.id) ?? 'Somebody',
    system: 'Hotline',
  }[quote.role]
  return (
    <>
      <b>{who}</b> <Legible text={quote.text.replaceAll(/\s+/gu, ' ')} place="name" />
    </>
  )
}

/** Over the place where one writes: what is replied to, until it is sent or taken away. */
export function ReplyLine({ reply, agent, end }: { reply: Reply; agent: string; end: () => void }): ReactNode {
  return (
    <div className="replying" role="group" aria-label="Replies to">
      <span className="quoted">
        <QuoteLine quote={reply.quote} agent={agent} />
      </span>
      <button type="button" className="button plain" aria-label="Do not reply to this" onClick={end}>
        ×
      </button>
    </div>
  )
}
