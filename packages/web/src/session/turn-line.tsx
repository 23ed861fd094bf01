import { type PatchedText, readGitPatch } from '@hotline/core/git-patch'
import type { FileChange } from '@hotline/protocol/events/turn'
import { type ReactNode, useId, useMemo, useState } from 'react'
import { Diff } from '../parts/diff.tsx'
import { Legible } from '../parts/legible.tsx'
import { countText } from '../text/amounts.ts'
import { durationText } from '../text/time.ts'
import type { TurnRow } from './fold-steps.ts'

const ends = {
  end: 'turn ended',
  cancelled: 'turn stopped',
  refused: 'the agent refused',
  limit: 'a limit was reached',
  error: 'turn failed',
} as const

/** Of more, nobody reads the lines. */
const shownFiles = 200

/** The thin line at the end of a turn. Where the agent tells what it changed as a patch, that opens in place. */
export function TurnLine({ item, children }: { item: TurnRow; children?: ReactNode }): ReactNode {
  const [opened, setOpened] = useState(false)
  const inside = useId()
  const changes = useMemo(() => (item.patch === undefined ? [] : byFile(readGitPatch(item.patch))), [item.patch])
  const took = item.startedAt === undefined ? '' : durationText(Date.parse(item.at) - Date.parse(item.startedAt))
  // What the agent tells of the whole turn counts more than what its steps have shown of it.
  const files = changes.length > 0 ? changes.length : item.files
  const changed = files > 0 ? `${countText(files, 'file')} changed` : ''
  const words = [ends[item.end], took, changes.length > 0 ? '' : changed].filter(Boolean).join(' · ')
  return (
    <>
      <div className="turn">
        <span>
          {words}
          {changes.length > 0 && (
            <>
              {' · '}
              <button
                type="button"
                className="changed"
                aria-expanded={opened}
                aria-controls={inside}
                onClick={() => setOpened(!opened)}
              >
                {changed}
              </button>
            </>
          )}
          {item.error !== undefined && (
            <>
              {' · '}
              <Legible text={item.error} place="prose" />
            </>
          )}
        </span>
        {children}
      </div>
      {opened && (
        <div id={inside} className="turn-changes">
          {changes.slice(0, shownFiles).map((change) => (
            <Diff key={change.path} change={change} />
          ))}
          {changes.length > shownFiles && (
            <p className="small quiet">and {countText(changes.length - shownFiles, 'more file', 'more files')}</p>
          )}
        </div>
      )}
    </>
  )
}

/** Between two places of one file. */
const gap = '⋯\n'

/** Each file once: the places that changed in it are pieces of one change. */
function byFile(parts: readonly PatchedText[]): readonly FileChange[] {
  const files = new Map<string, FileChange>()
  for (const part of parts) {
    const before = files.get(part.path)
    if (!before) files.set(part.path, { ...part })
    else {
      const { path, oldText, newText } = before
      const joined = `${oldText ?? ''}${gap}${part.oldText ?? ''}`
      files.set(path, { ...before, oldText: joined, newText: `${newText}${gap}${part.newText}`, partial: true })
    }
  }
  return [...files.values()]
}
