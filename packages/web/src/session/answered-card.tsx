import type { ApprovalItem } from '@hotline/core/transcript/item'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useState } from 'react'
import { useExactInput } from '../live/use-exact-input.ts'
import { useLive } from '../live/hotline.tsx'
import { ExactText } from '../parts/exact-text.tsx'
import { Legible } from '../parts/legible.tsx'
import { clockText, exactText } from '../text/time.ts'
import { MissingInput } from './missing-input.tsx'

/** An approval that was answered, as one line: what became of it, by whom, when and where; opened, what was asked and what ran. */
export function AnsweredCard({
  item,
  session,
  problem,
}: {
  item: ApprovalItem
  session: string
  problem: Problem | undefined
}): ReactNode {
  const { names } = useLive()
  const [opened, setOpened] = useState(false)
  const input = useExactInput(session, item.request, opened)
  const words = {
    allowed: '✓ Allowed',
    allowed_modified: '✓ Edited and allowed',
    denied: '✗ Denied',
    timed_out: 'Nobody answered',
    cancelled: 'No longer asked',
  } as const
  const who = item.by?.kind === 'person' ? ` by ${names.get(item.by.id) ?? 'somebody'}` : ''
  const where = whereText(item.channel)
  const outcome = item.outcome ?? 'cancelled'
  return (
    <details className="step answered" onToggle={({ currentTarget }) => setOpened(currentTarget.open)}>
      <summary>
        <span className={outcome === 'denied' ? 'danger' : ''}>
          {words[outcome]}
          {who}
        </span>
        <span className="title">
          <Legible text={item.request?.title ?? ''} place="name" />
        </span>
        {item.resolvedAt !== undefined && (
          <span className="small">
            <time dateTime={item.resolvedAt} title={exactText(item.resolvedAt)}>
              {clockText(item.resolvedAt, Date.now())}
            </time>
            {item.by?.kind === 'person' && where !== '' && ` · ${where}`}
          </span>
        )}
        {problem && <span className="danger">your answer did not count: somebody was before you</span>}
        {item.dispatch === 'unknown' && <span className="danger">unknown whether the agent heard it</span>}
      </summary>
      <div className="inside">
        {input.text === undefined ? (
          <MissingInput input={input} bytes={item.request?.content?.bytes} />
        ) : (
          <ExactText text={input.text} />
        )}
        {item.modifiedInput !== undefined && (
          <>
            <p className="quiet small">What ran in its place:</p>
            <ExactText text={item.modifiedInput} />
          </>
        )}
        {item.reason !== undefined && (
          <p className="quiet said">
            <Legible text={item.reason} place="prose" />
          </p>
        )}
      </div>
    </details>
  )
}

/** Through what somebody answered, in words; nothing where it is not known. */
function whereText(channel: string | undefined): string {
  const words: Record<string, string> = { web: 'on the web', cli: 'in a terminal', api: 'over the API' }
  return words[channel?.split(':', 1)[0] ?? ''] ?? ''
}
