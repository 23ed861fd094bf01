import { useEffect, useEffectEvent } from 'react'
import { isPlain, isTyping } from '../live/keyboard.ts'

/** What keys do that have no place of their own on the page. */
export interface KeyActs {
  openStart: () => void
  openKeys: () => void
  openPalette: () => void
  peek: (session: string) => void
}

/** The keys of the whole page; those of the list, of a card and of a session are beside what they do. */
export function useKeys(acts: KeyActs): void {
  const press = useEffectEvent((event: KeyboardEvent): boolean => {
    if (event.key.toLowerCase() === 'k' && (event.metaKey || event.ctrlKey) && !event.altKey) {
      acts.openPalette()
      return true
    }
    if (!isPlain(event) || isTyping(event.target)) return false
    if (event.key === 'n') acts.openStart()
    else if (event.key === '?') acts.openKeys()
    else if (event.key === '/') find(acts.openPalette)
    else if (event.key === ' ') {
      const session = document.activeElement?.closest<HTMLElement>('.list .row')?.dataset['session']
      if (session === undefined) return false
      acts.peek(session)
    } else return false
    return true
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (press(event)) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}

/** To where one finds: the list's own place where it is in sight, or else the palette. */
function find(openPalette: () => void): void {
  const box = document.querySelector<HTMLInputElement>('.list input[type=search], .searching input[type=search]')
  if (box?.checkVisibility()) box.focus()
  else openPalette()
}
