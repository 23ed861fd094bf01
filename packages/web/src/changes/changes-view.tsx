import type { SessionPicture } from '@hotline/client/session-view'
import { whyNoReview } from '@hotline/core/session/decide-draft'
import type { SessionState } from '@hotline/core/session/state'
import type { DraftItem } from '@hotline/core/transcript/item'
import type { ReviewedFile } from '@hotline/protocol/events/draft'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { Legible } from '../parts/legible.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { countText } from '../text/amounts.ts'
import { legibleName } from '../text/legible.ts'
import { clockText, exactText } from '../text/time.ts'
import { emptyForm, type ReviewForm } from './choices.ts'
import { Review, type ReviewActs } from './review.tsx'

/** What the agent changed in files: what nobody has looked at, to keep or to discard, or what became of it. */
export function ChangesView({
  picture,
  state,
  acts,
  mayWrite,
  mayDecide,
}: {
  picture: SessionPicture
  state: SessionState
  acts: ReviewActs
  mayWrite: boolean
  mayDecide: boolean
}): ReactNode {
  const { transcript } = picture
  const { draft } = state
  const found = draft && transcript.items[transcript.places.get(`draft:${draft.draft}`) ?? -1]
  const item = found?.kind === 'draft' ? found : undefined
  const last = transcript.items.findLast((one): one is DraftItem => one.kind === 'draft')
  const done = transcript.items.findLast((one): one is DraftItem => one.kind === 'draft' && one.phase === 'done')
  const before = transcript.items.findLast((one): one is DraftItem => one.kind === 'draft' && one !== item)
  // Somebody has decided about files that were others by then: what there is now is shown in its place.
  const notDone = item && before?.isDecided === true && before.phase === 'refused' ? before.reason : undefined
  const [kept, setKept] = useState<{ form: ReviewForm; after: string | undefined }>()
  // With a review that was done begins another one.
  const form = kept?.after === done?.draft ? (kept?.form ?? emptyForm) : emptyForm
  const whyNot = whyNoReview(state)
  const look = <LookButton acts={acts} whyNot={mayWrite ? whyNot : 'You may read here.'} isAgain={last !== undefined} />
  return (
    <div className="changes" role="region" aria-label="Changes">
      {done && <Outcome item={done} isFolded={draft !== undefined} undo={mayWrite ? acts.undo : undefined} />}
      {notDone !== undefined && (
        <p className="small danger" role="alert">
          Nothing was done. <Legible text={notDone} place="prose" />
        </p>
      )}
      {draft?.phase === 'ready' && item ? (
        <Review
          item={item}
          session={state.session}
          title={state.title}
          form={form}
          setForm={(next) => setKept({ form: next, after: done?.draft })}
          acts={acts}
          mayWrite={mayWrite}
          mayDecide={mayDecide}
          whyNot={whyNot}
          messageChars={state.personMessageChars}
        />
      ) : draft && draft.phase !== 'ready' ? (
        <p className="notice" role="status">
          {draft.phase === 'wanted' ? 'Its machine looks what there is …' : 'Being kept and discarded …'}
        </p>
      ) : (
        <>
          {last?.phase === 'done' ? (
            <p className="small quiet">Nothing else is up for review.</p>
          ) : (
            <p className="notice">
              {draft ? 'These changes were shown further above.' : (last?.reason ?? 'Nothing is up for review.')}
            </p>
          )}
          {look}
        </>
      )}
    </div>
  )
}

function LookButton({
  acts,
  whyNot,
  isAgain,
}: {
  acts: ReviewActs
  whyNot: string | undefined
  isAgain: boolean
}): ReactNode {
  const [problem, setProblem] = useState<Problem>()
  if (whyNot !== undefined) return <p className="small quiet">{whyNot}</p>
  return (
    <div className="actions">
      <button type="button" className="button" onClick={() => void acts.make().then(setProblem)}>
        {isAgain ? 'Look again' : 'Look what it changed'}
      </button>
      <Refusal problem={problem} look="small" />
    </div>
  )
}

/** What became of the files that were reviewed last. */
function Outcome({
  item,
  isFolded,
  undo,
}: {
  item: DraftItem
  /** There is something else to look at. */
  isFolded: boolean
  undo: ReviewActs['undo'] | undefined
}): ReactNode {
  const { names } = useLive()
  const [problem, setProblem] = useState<Problem>()
  const { before, at } = item
  const who = item.by.kind === 'person' ? (names.get(item.by.id) ?? 'somebody') : 'somebody'
  const of = (outcome: ReviewedFile['outcome']): number => item.outcomes.filter((one) => one.outcome === outcome).length
  const words = (['kept', 'discarded', 'open'] as const).flatMap((one) => (of(one) > 0 ? [`${of(one)} ${one}`] : []))
  return (
    <details className="step outcome" key={isFolded ? 'folded' : 'open'} open={!isFolded} aria-label="What was decided">
      <summary>
        <span>{countText(item.outcomes.length, 'file')} reviewed</span>
        <span className="title">
          {words.join(', ')} · {who} <time title={exactText(at)}>{clockText(at, Date.now())}</time>
        </span>
      </summary>
      <div className="inside">
        {item.reason !== undefined && (
          <p className="small">
            Reason: <Legible text={item.reason} place="prose" />
          </p>
        )}
        <ul className="plain planned">
          {item.outcomes.map(({ path, outcome, why }) => (
            <li key={path}>
              <span className="quiet">{outcome}</span>{' '}
              <span className="mono path">
                <Legible text={path} place="name" />
              </span>{' '}
              {why !== undefined && (
                <span className="small quiet">
                  <Legible text={why} place="prose" />
                </span>
              )}
            </li>
          ))}
        </ul>
        {item.commit !== undefined && (
          <p className="small">
            Committed on <span className="mono">{legibleName(item.branch ?? '')}</span> as{' '}
            <span className="mono" title={item.commit}>
              {item.commit.slice(0, 10)}
            </span>{' '}
            <CopyButton text={item.commit} what="commit" />
          </p>
        )}
        {item.merge && (
          <p className={item.merge.conflicts.length > 0 ? 'small danger' : 'small'}>
            {item.merge.conflicts.length === 0 ? 'It merges into ' : 'Merging it into '}
            <span className="mono">{legibleName(item.merge.into)}</span>
            {item.merge.conflicts.length === 0 ? ' without conflicts. ' : ' conflicts, and nothing was merged, in '}
            {item.merge.conflicts.length > 0 && (
              <span className="mono path">
                <Legible text={item.merge.conflicts.join(', ')} place="prose" />
              </span>
            )}
            {item.merge.conflicts.length === 0 && (
              <CopyButton text={`git merge ${item.branch ?? ''}`} what="command for it" />
            )}
          </p>
        )}
        {item.merged && (
          <p className="small">
            Merged into <span className="mono">{legibleName(item.merged.into)}</span> as{' '}
            <span className="mono" title={item.merged.commit}>
              {item.merged.commit.slice(0, 10)}
            </span>{' '}
            <CopyButton text={item.merged.commit} what="commit" />
          </p>
        )}
        {item.unmerged !== undefined && (
          <p className="small danger">
            Not merged: <Legible text={item.unmerged} place="prose" />
          </p>
        )}
        {item.uncommitted !== undefined && (
          <p className="small danger">
            Not committed: <Legible text={item.uncommitted} place="prose" />
          </p>
        )}
        {undo && before !== undefined && of('discarded') > 0 && (
          <div className="actions">
            <button type="button" className="button plain" onClick={() => void undo(before).then(setProblem)}>
              Undo the discarding …
            </button>
          </div>
        )}
        <Refusal problem={problem} look="small" />
      </div>
    </details>
  )
}
