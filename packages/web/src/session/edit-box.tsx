import type { EditFault } from '@hotline/core/edited-input'
import { writtenMembers } from '@hotline/core/member-edits'
import { type ReactNode, type RefObject, useEffect, useId, useState } from 'react'
import { TabList, tabProps } from '../parts/tab-list.tsx'
import { EditForm } from './edit-form.tsx'

interface Editing {
  text: string
  change: (text: string) => void
  leave: () => void
  fault: EditFault | undefined
}

/**
 * Where somebody changes what will run, with what is wrong with it: an object by its members or as the text that it is, anything else
 * as text. `asked`: as it was asked.
 */
export function EditBox({
  box,
  asked,
  ...editing
}: Editing & { asked: string; box: RefObject<HTMLDivElement | null> }): ReactNode {
  const hasForm = writtenMembers(asked) !== undefined
  // What was begun as a text, and is none yet, is gone on with as a text.
  const canForm = hasForm && writtenMembers(editing.text) !== undefined
  const [way, setWay] = useState<'form' | 'text'>(canForm ? 'form' : 'text')
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
    <div ref={box} className="editing">
      {hasForm && (
        <TabList label="How to change it">
          {(['form', 'text'] as const).map((one) => (
            <button
              key={one}
              type="button"
              {...tabProps(way === one)}
              className="button plain"
              disabled={one === 'form' && way === 'text' && !canForm}
              onClick={() => setWay(one)}
            >
              {one === 'form' ? 'By its parts' : 'As text'}
            </button>
          ))}
        </TabList>
      )}
      {way === 'form' ? <EditForm {...editing} /> : <EditText {...editing} />}
    </div>
  )
}

function EditText({ text, change, leave, fault }: Editing): ReactNode {
  const described = useId()
  return (
    <>
      <textarea
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
