import type { EditFault } from '@hotline/core/edited-input'
import { type ReactNode, type RefObject, useEffect, useId } from 'react'

/** Where somebody changes what will run, with what is wrong with it. */
export function EditBox({
  text,
  change,
  leave,
  fault,
  box,
}: {
  text: string
  change: (text: string) => void
  leave: () => void
  fault: EditFault | undefined
  box: RefObject<HTMLTextAreaElement | null>
}): ReactNode {
  const described = useId()
  // It opens below what will run, and a phone's keyboard comes up after it: in both cases it is to be seen.
  useEffect(() => {
    const show = (): void => box.current?.scrollIntoView({ block: 'nearest' })
    const frame = requestAnimationFrame(show)
    window.visualViewport?.addEventListener('resize', show)
    window.addEventListener('resize', show)
    return () => {
      cancelAnimationFrame(frame)
      window.visualViewport?.removeEventListener('resize', show)
      window.removeEventListener('resize', show)
    }
  }, [box])
  return (
    <>
      <textarea
        ref={box}
        className="input edit mono"
        aria-label="What will run in its place"
        aria-invalid={fault !== undefined}
        aria-describedby={fault && described}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- it was asked for with this very key
        autoFocus
        rows={Math.min(16, text.split('\n').length + 1)}
        spellCheck={false}
        value={text}
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') leave()
        }}
      />
      {fault && (
        <p id={described} className="facts danger" role="alert">
          Line {fault.line}, column {fault.column}: {fault.why} Nothing was sent.
        </p>
      )}
    </>
  )
}
