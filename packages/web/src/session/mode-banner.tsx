import { modeMark } from '@hotline/core/policy/mode-words'
import type { SessionState } from '@hotline/core/session/state'
import { isLive } from '@hotline/protocol/session-status'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useNow } from '../live/use-now.ts'
import { clockText } from '../text/time.ts'

/** That something is not asked in this session, for how long and who said so; one tap ends it. Nothing where all is asked. */
export function ModeBanner({ state, end }: { state: SessionState; end: (() => void) | undefined }): ReactNode {
  const { names } = useLive()
  const now = useNow(1_000)
  const { policyMode, status } = state
  const mark = isLive(status) ? modeMark(policyMode, now) : undefined
  if (!policyMode || mark === undefined) return undefined
  const { mode, until, by } = policyMode
  const isHandsFree = mode === 'hands_free'
  const title = isHandsFree && until !== undefined ? `Hands-free until ${clockText(until, now)}` : 'Edits are free'
  const left = isHandsFree ? mark.slice(mark.indexOf(', ') + 2) : undefined
  return (
    <section className="banner mode" aria-label="What is not asked">
      <span>
        <strong role="status">{title}</strong>
        {left !== undefined && ` · ${left}`}
        <span className="quiet small"> · by {names.get(by.id) ?? 'somebody'}</span>
        <span className="meant small">
          {isHandsFree
            ? 'What could do lasting harm is still asked, and rules come first.'
            : 'Changes to files in its folder are not asked, but for protected ones.'}
        </span>
      </span>
      {end && (
        <button type="button" className="button" onClick={end}>
          Ask for everything
        </button>
      )}
    </section>
  )
}
