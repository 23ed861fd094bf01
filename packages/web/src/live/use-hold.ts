import { useEffect, useEffectEvent, useState } from 'react'
import { isPlain, isTyping } from './keyboard.ts'

/** How long a key is held before it does what cannot be taken back. */
export const holdMs = 700

/** Whether a key is being held just now; held for long enough, it does it. A short press does nothing. */
export function useHold(key: string, wanted: boolean, done: () => void): boolean {
  const [held, setHeld] = useState(false)
  const act = useEffectEvent(done)
  useEffect(() => {
    if (!wanted) return undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const release = (): void => {
      clearTimeout(timer)
      timer = undefined
      setHeld(false)
    }
    const onDown = (event: KeyboardEvent): void => {
      if (event.key !== key || event.repeat || !isPlain(event) || isTyping(event.target)) return
      event.preventDefault()
      release()
      setHeld(true)
      timer = setTimeout(() => {
        release()
        act()
      }, holdMs)
    }
    const onUp = (event: KeyboardEvent): void => {
      if (event.key === key) release()
    }
    document.addEventListener('keydown', onDown)
    document.addEventListener('keyup', onUp)
    addEventListener('blur', release)
    return () => {
      document.removeEventListener('keydown', onDown)
      document.removeEventListener('keyup', onUp)
      removeEventListener('blur', release)
      release()
    }
  }, [key, wanted])
  return held
}
