import { commentsMessage, type LineComment } from '@hotline/core/draft/line-comments'
import type { DraftItem } from '@hotline/core/transcript/item'
import type { CommandInput } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useState } from 'react'
import { useMedia } from '../live/use-media.ts'
import { Legible } from '../parts/legible.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { countText } from '../text/amounts.ts'
import { choiceOf, choose, chooseAll, type Choices, type ReviewForm, reviewOf } from './choices.ts'
import { CommitField } from './commit-field.tsx'
import { ReviewFile } from './review-file.tsx'
import { useComments } from './use-comments.ts'

/** Sends what concerns a review; each answers why it was refused. */
export interface ReviewActs {
  make: () => Promise<Problem | undefined>
  review: (data: CommandInput<'draft.review'>) => Promise<Problem | undefined>
  /** Says it to the agent. */
  say: (text: string) => Promise<Problem | undefined>
  undo: (checkpoint: string) => Promise<Problem | undefined>
}

const reasonMax = 2_000
/** As wide as two columns of code need. */
const wide = '(min-width: 1200px)'

/** What the agent changed and nobody has looked at, file by file; it waits for as long as somebody needs. */
export function Review({
  item,
  session,
  title,
  form,
  setForm,
  acts,
  mayWrite,
  mayDecide,
  whyNot,
  messageChars,
}: {
  item: DraftItem
  session: string
  /** What the session is called: what a commit is called where nobody says anything else. */
  title: string
  /** It outlives a look that takes the place of another one: what was chosen about a file that is the same still holds. */
  form: ReviewForm
  setForm: (form: ReviewForm) => void
  acts: ReviewActs
  mayWrite: boolean
  mayDecide: boolean
  /** Why nothing can be decided just now. */
  whyNot: string | undefined
  messageChars: number
}): ReactNode {
  const { choices, reason, commit, into } = form
  const setChoices = (next: Choices): void => setForm({ ...form, choices: next })
  const [isTwo, setTwo] = useState(false)
  const [comments, setComments] = useComments(session)
  const [busy, setBusy] = useState<'deciding' | 'saying'>()
  const [problem, setProblem] = useState<Problem>()
  const hasRoom = useMedia(wide)
  const { files, changes, count } = item
  const mayChoose = mayWrite && whyNot === undefined && busy === undefined
  const chosen = (what: 'keep' | 'discard'): number => files.filter((file) => choiceOf(choices, file) === what).length
  const [keep, discard] = [chosen('keep'), chosen('discard')]
  const act = async (what: 'deciding' | 'saying', deed: Promise<Problem | undefined>): Promise<boolean> => {
    setBusy(what)
    const refusal = await deed
    setProblem(refusal)
    setBusy(undefined)
    return refusal === undefined
  }
  const message = comments.length === 0 ? '' : commentsMessage(comments)
  const fits = message.length <= messageChars
  const isSaying = comments.length > 0 && fits
  const say = async (): Promise<void> => {
    if (await act('saying', acts.say(message))) setComments([])
  }
  // What was said of lines goes along: the agent reads it together with what was discarded, and why.
  const decide = async (): Promise<void> => {
    const wish = reviewOf({ ...item, digest: item.digest ?? '' }, form)
    if ((await act('deciding', acts.review(wish))) && isSaying) await say()
  }
  const isSame = (a: LineComment, b: LineComment): boolean =>
    a.path === b.path && a.side === b.side && a.line === b.line
  const unnamed = count - files.length
  return (
    <div className="review">
      <div className="review-head">
        <h2>
          {countText(count, 'file')} to review{' '}
          {item.added !== undefined && (
            <span className="mono">
              <span className="plus">+{item.added}</span> <span className="minus">−{item.removed ?? 0}</span>
            </span>
          )}
        </h2>
        {hasRoom && (
          <button type="button" className="button plain" aria-pressed={isTwo} onClick={() => setTwo(!isTwo)}>
            Side by side
          </button>
        )}
        {mayWrite && (
          <>
            <button
              type="button"
              className="button"
              disabled={!mayChoose}
              onClick={() => setChoices(chooseAll(files, 'keep'))}
            >
              Keep all
            </button>
            <button
              type="button"
              className="button"
              disabled={!mayChoose}
              onClick={() => setChoices(chooseAll(files, 'discard'))}
            >
              Discard all
            </button>
          </>
        )}
      </div>
      {item.note !== undefined && (
        <p>
          <Legible text={item.note} place="prose" />
        </p>
      )}
      {whyNot !== undefined && <p className="small quiet">{whyNot}</p>}
      {files.map((file) => (
        <ReviewFile
          key={file.path}
          file={file}
          change={changes.find(({ path }) => path === file.path)}
          sides={isTwo && hasRoom ? 'two' : 'one'}
          choice={choiceOf(choices, file)}
          choose={mayChoose ? (choice) => setChoices(choose(choices, file, choice)) : undefined}
          mayDecide={mayDecide}
          comments={
            mayWrite
              ? {
                  all: comments.filter(({ path }) => path === file.path),
                  put: (one) => setComments([...comments.filter((other) => !isSame(one, other)), one]),
                  remove: (one) => setComments(comments.filter((other) => !isSame(one, other))),
                }
              : undefined
          }
        />
      ))}
      {unnamed > 0 && <p className="quiet small">and {countText(unnamed, 'file')} more, that are shown next</p>}
      {mayWrite ? (
        <div className="review-foot">
          {item.branch !== undefined && (
            <CommitField
              branch={item.branch}
              branches={mayDecide ? (item.branches ?? []) : []}
              wish={{ message: commit, into }}
              proposed={title}
              change={({ message: next, into: branch }) => setForm({ ...form, commit: next, into: branch })}
              disabled={!mayChoose}
            />
          )}
          {comments.length > 0 && (
            <div className="answer">
              <span className={fits ? 'quiet' : 'danger'}>
                {countText(comments.length, 'comment')}, sent as one message
                {!fits && `: too long by ${countText(message.length - messageChars, 'character')}`}
              </span>
              <button
                type="button"
                className="button"
                disabled={busy !== undefined || !fits}
                onClick={() => void say()}
              >
                Send {countText(comments.length, 'comment')}
              </button>
            </div>
          )}
          <div className="answer">
            <input
              className="input"
              aria-label="Reason, told to the agent"
              placeholder="Reason, told to the agent"
              maxLength={reasonMax}
              value={reason}
              disabled={!mayChoose}
              onChange={(event) => setForm({ ...form, reason: event.target.value })}
            />
            <button
              type="button"
              className="button strong"
              disabled={!mayChoose || keep + discard === 0 || commit?.trim() === ''}
              onClick={() => void decide()}
            >
              {busy === 'deciding'
                ? 'Deciding …'
                : decideWords({
                    keep,
                    discard,
                    commits: commit === undefined ? '' : into === undefined ? 'commit' : 'commit, merge',
                    comments: isSaying ? comments.length : 0,
                  })}
            </button>
          </div>
          <Refusal problem={problem} look="small" />
        </div>
      ) : (
        <p className="small quiet">You may read here; somebody with another role keeps and discards.</p>
      )}
    </div>
  )
}

/** All that the button will do. */
function decideWords(wish: { keep: number; discard: number; commits: string; comments: number }): string {
  const { keep, discard, commits, comments } = wish
  if (keep + discard === 0) return 'Choose for each file'
  const both = keep > 0 && discard > 0
  const parts = [
    keep === 0 ? '' : both ? `keep ${keep}` : `keep ${countText(keep, 'file')}`,
    keep > 0 ? commits : '',
    discard === 0 ? '' : both ? `discard ${discard}` : `discard ${countText(discard, 'file')}`,
    comments === 0 ? '' : `send ${countText(comments, 'comment')}`,
  ].filter(Boolean)
  const words = parts.join(', ')
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}
