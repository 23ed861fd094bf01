import type { LineComment } from '@hotline/core/draft/line-comments'
import type { DraftFile } from '@hotline/protocol/events/draft'
import type { FileChange } from '@hotline/protocol/events/turn'
import { type ReactNode, useState } from 'react'
import { Diff, type DiffComments, type LinePlace } from '../parts/diff.tsx'
import { Legible } from '../parts/legible.tsx'
import { type Choice, isByName } from './choices.ts'
import { CommentBox } from './comment-box.tsx'

const kinds = { added: 'new file', changed: 'changed', removed: 'removed' } as const
const asks = {
  changed_since: 'Somebody else has changed it since: to discard it loses what they wrote.',
  mixed: 'Somebody else has changed it in between: to discard it loses what they wrote.',
  unsure: 'It is not sure that the agent alone wrote it: to discard it may lose what somebody else wrote.',
} as const

/** Comments on one file, and what changes them. */
export interface FileComments {
  all: readonly LineComment[]
  put: (comment: LineComment) => void
  remove: (comment: LineComment) => void
}

/** One file that the agent changed: what changed, whether it stays, and what somebody says of its lines. */
export function ReviewFile({
  file,
  change,
  sides,
  choice,
  choose,
  mayDecide,
  comments,
}: {
  file: DraftFile
  /** Absent where its text is not shown. */
  change: FileChange | undefined
  sides: 'one' | 'two'
  choice: Choice | undefined
  /** Absent where nothing can be decided now. */
  choose: ((choice: Choice) => void) | undefined
  mayDecide: boolean
  /** Absent where nothing can be said now. */
  comments: FileComments | undefined
}): ReactNode {
  // The lines of a part have other numbers than those of the file.
  const said = useSaid(file.path, change?.partial === true ? undefined : comments)
  const button = (what: Choice, word: string): ReactNode => (
    <button
      type="button"
      className="button"
      aria-label={`${word} ${file.path}`}
      aria-pressed={choice === what}
      disabled={!choose || (what === 'keep' && isByName(file, what) && !mayDecide)}
      onClick={() => choose?.(what)}
    >
      {word}
    </button>
  )
  const aside = (
    <span className="choice-of" role="group" aria-label={`What becomes of ${file.path}`}>
      {button('keep', 'Keep')}
      {button('discard', 'Discard')}
    </span>
  )
  const note = <Notes file={file} mayDecide={mayDecide} />
  if (change) return <Diff change={change} sides={sides} comments={said} aside={aside} note={note} />
  return (
    <figure className="diff" aria-label={`Changes of ${file.path}`}>
      <figcaption className="meta mono">
        <span className="path">
          <Legible text={file.path} place="name" />
        </span>
        <span className="quiet">{kinds[file.change]}</span>
        {aside}
      </figcaption>
      {note}
      <p className="file-note quiet">Its change is not shown: it is no text, or there was no room for it.</p>
    </figure>
  )
}

function Notes({ file, mayDecide }: { file: DraftFile; mayDecide: boolean }): ReactNode {
  const { guarded, ask, change } = file
  return (
    <>
      {change === 'removed' && <p className="file-note">The agent has removed this file.</p>}
      {guarded !== undefined && (
        <p className="file-note needs">
          ! It <Legible text={guarded} place="prose" />.{' '}
          {mayDecide ? 'To keep it is a decision of its own.' : 'Somebody with the right to decide keeps it.'}
        </p>
      )}
      {ask !== undefined && <p className="file-note danger">{asks[ask]}</p>}
    </>
  )
}

/** What stands below lines, and the one that is being written. */
function useSaid(path: string, comments: FileComments | undefined): DiffComments | undefined {
  const [begun, setBegun] = useState<LinePlace>()
  if (!comments) return undefined
  const isAt = ({ side, line }: LinePlace, at: { side: string; line: number }): boolean =>
    at.side === side && at.line === line
  return {
    begin: (place) => setBegun(place),
    below: (place) => {
      const { side, line, text: quote } = place
      const before = comments.all.find((one) => isAt(place, one))
      const put = (text: string): void => {
        setBegun(undefined)
        comments.put({ path, side, line, quote, text })
      }
      if (before) return <CommentBox line={line} text={before.text} save={put} leave={() => comments.remove(before)} />
      if (!begun || !isAt(place, begun)) return undefined
      return <CommentBox line={line} save={put} leave={() => setBegun(undefined)} />
    },
  }
}
