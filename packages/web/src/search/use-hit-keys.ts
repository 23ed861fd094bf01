import { type KeyboardEvent, useRef } from 'react'
import { walkedTo } from '../live/walk-keys.ts'

/** Walks from the field through what was found by the keys of a list; only the arrows lead out of the field. */
export function useHitKeys(): {
  box: React.RefObject<HTMLDivElement | null>
  onKeyDown: (event: KeyboardEvent) => void
} {
  const box = useRef<HTMLDivElement>(null)
  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof HTMLElement)) return
    const hits = [...(box.current?.querySelectorAll<HTMLElement>('a.hit') ?? [])]
    const names = hits.map((_, at) => String(at))
    const from = hits.indexOf(event.target)
    const isField = event.target.matches('input[type=search]')
    if (from < 0 && !(isField && event.key === 'ArrowDown')) return
    if (from === 0 && event.key === 'ArrowUp') {
      box.current?.querySelector<HTMLElement>('input[type=search]')?.focus()
      return event.preventDefault()
    }
    const to = walkedTo(event.key, names, from < 0 ? undefined : String(from))
    if (to === undefined) return
    hits[Number(to)]?.focus()
    event.preventDefault()
  }
  return { box, onKeyDown }
}
