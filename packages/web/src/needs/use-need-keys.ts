import { useEffect, useEffectEvent } from 'react'
import { isPlain, isTyping } from '../live/keyboard.ts'

/** Where a key leads from a place. */
const steps: Record<string, (at: number, last: number) => number> = {
  j: (at, last) => Math.min(last, at + 1),
  k: (at) => Math.max(0, at - 1),
  ArrowDown: (at, last) => Math.min(last, at + 1),
  ArrowUp: (at) => Math.max(0, at - 1),
  Home: () => 0,
  End: (_, last) => last,
}

/** Walks what needs somebody by keys; keys of the arrows are the list's only while one of its rows has the focus. */
export function useNeedKeys(keys: readonly string[], open: string | undefined, go: (key: string) => void): void {
  const press = useEffectEvent((event: KeyboardEvent): boolean => {
    const step = Object.hasOwn(steps, event.key) ? steps[event.key] : undefined
    if (!step || !isPlain(event) || isTyping(event.target) || keys.length === 0) return false
    const isInList = event.target instanceof Element && event.target.closest('.list .row') !== null
    if (event.key.length > 1 && !isInList) return false
    const at = open === undefined ? -1 : keys.indexOf(open)
    const next = keys[at < 0 ? (event.key === 'End' ? keys.length - 1 : 0) : step(at, keys.length - 1)]
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
