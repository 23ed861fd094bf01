import type { SessionState } from '@hotline/core/session/state'
import type { ReactNode } from 'react'
import { TabList, tabProps } from '../parts/tab-list.tsx'

/** The views of a session. */
export type Tab = 'talk' | 'output' | 'changes' | 'console'

const words: readonly (readonly [tab: Tab, word: string])[] = [
  ['talk', 'Conversation'],
  ['output', 'Output'],
  ['changes', 'Changes'],
  ['console', 'Console'],
]

/** Chooses one of them; there are changes only where there can be some. */
export function SessionTabs({
  state,
  shown,
  show,
}: {
  state: SessionState
  shown: Tab
  show: (tab: Tab) => void
}): ReactNode {
  return (
    <TabList label="View">
      {words
        .filter(([tab]) => tab !== 'changes' || hasChanges(state))
        .map(([tab, word]) => (
          <button
            key={tab}
            type="button"
            {...tabProps(shown === tab)}
            className="button plain"
            onClick={() => show(tab)}
          >
            {word}
            {tab === 'changes' && state.draft?.phase === 'ready' && state.draft.files !== undefined && (
              <span className="quiet">{state.draft.files}</span>
            )}
          </button>
        ))}
    </TabList>
  )
}

/** Where nothing of files was ever kept there is nothing to review. */
function hasChanges({ checkpoints, draft }: SessionState): boolean {
  return (checkpoints ?? 0) > 0 || draft !== undefined
}
