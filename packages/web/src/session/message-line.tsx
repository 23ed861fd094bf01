import type { MessageItem } from '@hotline/core/transcript/item'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Markdown } from '../markdown/markdown.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { Legible } from '../parts/legible.tsx'
import { Said } from '../parts/said.tsx'
import { legibleName } from '../text/legible.ts'
import { clockText, exactText } from '../text/time.ts'
import { MessageFiles } from './files/message-files.tsx'
import { QuoteLine, type Reply, replyTo } from './reply.tsx'
import { AddSign, type GiveSign, Signs, useSigning } from './signs.tsx'

const deliveries = {
  queued: 'queued',
  delivered: 'delivered',
  seen: 'seen',
  unknown: 'unknown whether it arrived',
  withdrawn: 'withdrawn',
  unread: 'not read: the session ended',
} as const

/** What can be done with a message. */
export interface MessageActs {
  session: string
  agent: string
  mayWrite: boolean
  react: GiveSign
  /** The next message replies to this one; absent where nothing can be sent. */
  reply?: ((reply: Reply) => void) | undefined
  /** Shows a message where it was said. */
  showMessage: (message: string) => void
}

const noSigns = [] as const

/** A message: an agent's as Markdown, on the left; a person's as it was typed, on the right; the server's in the middle. */
export function MessageLine({ item, acts }: { item: MessageItem; acts: MessageActs }): ReactNode {
  return item.role === 'system' ? <Notice text={item.text} /> : <OneMessage item={item} acts={acts} />
}

function OneMessage({ item, acts }: { item: MessageItem; acts: MessageActs }): ReactNode {
  const { session, agent, mayWrite, react, reply, showMessage } = acts
  const { names, known } = useLive()
  const signing = useSigning(item, react)
  const { quote, replyTo: about } = item
  const who =
    item.role === 'agent' ? (known.agents.get(agent) ?? legibleName(agent)) : (names.get(item.by.id) ?? 'Somebody')
  return (
    <div className={`message ${item.role}${item.delivery === 'withdrawn' ? ' withdrawn' : ''}`}>
      <div className="meta">
        <span>
          {who} · <time title={exactText(item.at)}>{clockText(item.at, Date.now())}</time>
          {item.delivery && ` · ${deliveries[item.delivery]}`}
          {item.editedAt && ' · edited'}
          {item.isBrokenOff === true && ' · broken off'}
        </span>
        {reply && !item.erased && (
          <button
            type="button"
            className="copy"
            aria-label="Reply to this message"
            onClick={() => reply(replyTo(item))}
          >
            reply
          </button>
        )}
        {mayWrite && <AddSign signing={signing} />}
        {!item.erased && !item.streaming && item.text !== '' && <CopyButton text={item.text} what="message" />}
      </div>
      {quote && about !== undefined && (
        <button type="button" className="quoted" title="Show it where it was said" onClick={() => showMessage(about)}>
          <QuoteLine quote={quote} agent={agent} />
        </button>
      )}
      {item.erased ? (
        <div className="said quiet">erased</div>
      ) : item.role === 'agent' ? (
        <Markdown text={item.text} streaming={item.streaming} />
      ) : (
        item.text !== '' && <Said text={item.text} />
      )}
      <MessageFiles session={session} files={item.attachments} />
      <Signs given={item.signs ?? noSigns} signing={signing} mayWrite={mayWrite} />
    </div>
  )
}

/** The server's own words, with a mark that words of others never get. */
export function Notice({ text }: { text: string }): ReactNode {
  return (
    <div className="notice">
      ◇ <Legible text={text} place="prose" />
    </div>
  )
}
