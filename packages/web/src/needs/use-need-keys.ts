import { useEffect, useEffectEvent } from 'react'
import { isPlain, isTyping } from '../live/keyboard.ts'
import { walkedTo } from '../live/walk-keys.ts'

/** Walks what needs somebody by keys; keys of the arrows are the list's only while one of its rows has the focus. */
export function useNeedKeys(keys: readonly string[], open: string | undefined, go: (key: string) => void): void {
  const press = useEffectEvent((event: KeyboardEvent): boolean => {
    if (!isPlain(event) || isTyping(event.target)) return false
    const isInList = event.target instanceof Element && event.target.closest('.list .row') !== null
    if (event.key.length > 1 && !isInList) return false
    const next = walkedTo(event.key, keys, open)
    if (next === undefined) return false
    go(next)
    return true
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!event.defaultPrevented && press(event)) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}
