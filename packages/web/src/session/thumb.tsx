import { isOpenApproval, type Item } from '@hotline/core/transcript/item'
import { createContext, type ReactNode, useContext, useState } from 'react'
import { phone, useMedia } from '../live/use-media.ts'
import { legibleName } from '../text/legible.ts'

const ThumbContext = createContext<HTMLElement | null>(null)

/** Where a card puts its allow and deny, if not below what will run. */
export function useThumb(): HTMLElement | null {
  return useContext(ThumbContext)
}

/**
 * On a phone, allow and deny of what is asked first stand above the message box, where a thumb is. The place is there for
 * as long as something is asked, so nothing moves under the thumb; the buttons are the card's own, and mean it only while
 * it is in sight.
 */
export function ThumbPlace({
  items,
  show,
  mayDecide,
  children,
}: {
  items: readonly Item[]
  /** Brings the card that is asked first into sight. */
  show: () => void
  mayDecide: boolean
  children: ReactNode
}): ReactNode {
  const narrow = useMedia(phone)
  const [host, setHost] = useState<HTMLElement | null>(null)
  const asked = items.filter(isOpenApproval)
  const [first] = asked
  return (
    <ThumbContext value={host}>
      {children}
      {narrow && mayDecide && first && (
        <div className="thumb" role="group" aria-label="Answer what is asked first">
          <button type="button" className="which" onClick={show}>
            {legibleName(first.request?.title ?? 'Needs you')} {asked.length > 1 ? `· 1 of ${asked.length} ` : ''}
            <span className="quiet">· show</span>
          </button>
          <div className="host" ref={setHost} />
        </div>
      )}
    </ThumbContext>
  )
}
