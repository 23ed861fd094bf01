import { type RefCallback, type RefObject, useCallback, useEffect, useEffectEvent, useRef } from 'react'
import type { VirtuosoHandle } from 'react-virtuoso'
import { isPlain, isTyping } from '../live/keyboard.ts'
import { walkedTo } from '../live/walk-keys.ts'

/**
 * Walks the rows by keys. Of a long list only what is near to sight is in the page, so a row is brought there first and
 * takes the focus when it is there. Keys of the arrows are the list's only while one of its rows has the focus. `sessions` are all rows in order, `indexOf` says where one stands in the list.
 */
export function useRowKeys({
  sessions,
  indexOf,
  open,
  list,
}: {
  sessions: readonly string[]
  indexOf: (session: string) => number
  /** The session that is shown beside the list. */
  open: string | undefined
  list: RefObject<VirtuosoHandle | null>
}): (session: string) => RefCallback<HTMLAnchorElement> {
  const box = useRef<Element>(null)
  /** The row that is to have the focus, as soon as it is in the page. */
  const aim = useRef<string>(undefined)
  /** The one that had it last; its row may have been scrolled away since. */
  const last = useRef<{ session: string; open: string | undefined }>(undefined)
  const rows = useRef(new Map<string, HTMLAnchorElement>())

  /** Gives a row the focus; what is not shown yet cannot have it, and is tried again when it is drawn anew. */
  const settle = useCallback((row: HTMLAnchorElement | undefined) => {
    row?.focus({ preventScroll: true })
    if (row && document.activeElement === row) aim.current = undefined
  }, [])

  const press = useEffectEvent((event: KeyboardEvent): boolean => {
    if (!isPlain(event) || isTyping(event.target)) return false
    const focused = event.target instanceof Element ? event.target.closest<HTMLElement>('.list .row') : null
    // A row that is scrolled far away leaves the page, and takes the focus with it.
    const isLost = document.activeElement === document.body && last.current?.open === open
    if (event.key.length > 1 && !focused && !isLost) return false
    // Where the list is out of sight, on a phone, nothing is walked.
    if (box.current && !box.current.checkVisibility()) return false
    // Who has opened another one since goes on from there.
    const left = last.current?.open === open ? last.current?.session : undefined
    const from = aim.current ?? focused?.dataset['session'] ?? left ?? open
    const session = walkedTo(event.key, sessions, from)
    if (session === undefined) return false
    last.current = { session, open }
    aim.current = session
    settle(rows.current.get(session))
    // With the first row its heading is shown.
    list.current?.scrollIntoView({ index: session === sessions[0] ? 0 : indexOf(session), behavior: 'auto' })
    return true
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!event.defaultPrevented && press(event)) event.preventDefault()
    }
    const onPointer = (): void => {
      aim.current = undefined
    }
    // Whoever went elsewhere in the page begins anew; a row that left the page took the focus to nowhere.
    const onFocus = ({ target }: FocusEvent): void => {
      if (target instanceof Element && target.closest('.list .row')) return
      aim.current = undefined
      last.current = undefined
    }
    document.addEventListener('keydown', onKey)
    document.addEventListener('pointerdown', onPointer)
    document.addEventListener('focusin', onFocus)
    return () => {
      document.removeEventListener('keydown', onKey)
      document.removeEventListener('pointerdown', onPointer)
      document.removeEventListener('focusin', onFocus)
    }
  }, [])

  return useCallback(
    (session) => (row) => {
      if (!row) return
      rows.current.set(session, row)
      box.current = row.closest('.list')
      if (aim.current === session) settle(row)
      return () => {
        if (rows.current.get(session) === row) rows.current.delete(session)
      }
    },
    [settle],
  )
}
