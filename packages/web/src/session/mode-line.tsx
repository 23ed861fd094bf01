import type { ModeItem } from '@hotline/core/transcript/item'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { clockText } from '../text/time.ts'
import { Notice } from './message-line.tsx'

/** Where in the conversation something is not asked any more, or is again, and who said so. */
export function ModeLine({ item: { mode, until, isOver, by } }: { item: ModeItem }): ReactNode {
  const { names } = useLive()
  const who = names.get(by.id) ?? 'Somebody'
  if (isOver) return <Notice text="The time of hands-free is over: everything is asked again." />
  const end = until === undefined ? '' : ` until ${clockText(until, Date.now())}`
  const words = {
    ask: 'everything is asked from here on',
    edits_free: 'changes to files in its folder are free from here on',
    hands_free: `hands-free from here on${end}`,
  }
  return <Notice text={`${who}: ${words[mode]}.`} />
}
