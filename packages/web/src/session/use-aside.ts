import { askKey } from '@hotline/core/account/ask-key'
import type { Item } from '@hotline/core/transcript/item'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'

/** Tells of what is asked in a session whether the one who looks has put it aside; of everything else that they have not. */
export function useAside(session: string): (item: Item | { kind: string }) => boolean {
  const snoozed = useReadable(useLive().snoozes.picture)
  return (item) => {
    const ask = 'approval' in item ? item.approval : 'question' in item ? item.question : undefined
    return ask !== undefined && snoozed.has(askKey(session, ask))
  }
}
