import { useEffect, useEffectEvent, useState } from 'react'

/** Takes files that are dropped anywhere on the page; whether some are held over it. */
export function useFileDrop(take: ((files: readonly File[]) => void) | undefined): boolean {
  const [isOver, setOver] = useState(false)
  const isTaken = take !== undefined
  const drop = useEffectEvent((files: readonly File[]) => take?.(files))
  useEffect(() => {
    if (!isTaken) return undefined
    const over = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes('Files') !== true) return
      event.preventDefault()
      setOver(true)
    }
    const leave = (event: DragEvent): void => {
      // Within the page it only goes from one part to another.
      if (event.relatedTarget === null) setOver(false)
    }
    const dropped = (event: DragEvent): void => {
      setOver(false)
      const files = [...(event.dataTransfer?.files ?? [])]
      if (files.length === 0) return
      event.preventDefault()
      drop(files)
    }
    document.addEventListener('dragover', over)
    document.addEventListener('dragleave', leave)
    document.addEventListener('drop', dropped)
    return () => {
      document.removeEventListener('dragover', over)
      document.removeEventListener('dragleave', leave)
      document.removeEventListener('drop', dropped)
      setOver(false)
    }
  }, [isTaken])
  return isOver
}
