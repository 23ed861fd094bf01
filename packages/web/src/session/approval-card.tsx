import type { ApprovalItem, StepItem } from '@hotline/core/transcript/item'
import { faultOfEdit } from '@hotline/core/edited-input'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { useOnScreen } from '../live/use-on-screen.ts'
import { useExactInput } from '../live/use-exact-input.ts'
import { useLive } from '../live/hotline.tsx'
import { isPlain, isTyping } from '../live/keyboard.ts'
import { Legible } from '../parts/legible.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { legibleName } from '../text/legible.ts'
import { AnsweredCard } from './answered-card.tsx'
import { ApprovalFacts, ApprovalHead } from './approval-head.tsx'
import { AskedInput, RawInput } from './asked-input.tsx'
import { EditBox } from './edit-box.tsx'
import { LastingAllow } from './lasting-allow.tsx'
import { Snooze } from './snooze.tsx'
import { MissingInput } from './missing-input.tsx'
import { isUnderWay, TakeBack } from './take-back.tsx'
import { useThumb } from './thumb.tsx'
import { type Decide, type Remember, useDecision } from './use-decision.ts'
import { useSeen } from './use-seen.ts'
import { isTyped, useWordToType, WordField } from './word-to-type.tsx'

/** What somebody has begun to write on cards, by approval; a card that leaves the window and comes back has it still. */
export type Drafts = Map<string, { reason: string; edited: string | undefined; read: boolean }>

/** An approval: open, as a card with exactly what will run; answered, as one line with who, when and what. */
export function ApprovalCard({
  item,
  session,
  project,
  decide,
  remember,
  drafts,
  first,
  mayDecide,
  mayDecideHigh,
  agent,
  isPaused,
  isAway,
  subAgent,
  ran,
  mark,
}: {
  item: ApprovalItem
  session: string
  /** Of the session. */
  project: string
  decide: Decide
  remember: Remember
  drafts: Drafts
  first: boolean
  mayDecide: boolean
  mayDecideHigh: boolean
  agent: string
  isPaused: boolean
  /** The machine of its agent is out of contact. */
  isAway: boolean
  /** The step of the agent for which it is asked, where that is another's. */
  subAgent: string | undefined
  /** The step that is asked for; once that is answered they are one line. */
  ran: StepItem | undefined
  /** To answer it together with others; offered where it could be allowed with one click. */
  mark?: ((canMark: boolean) => ReactNode) | undefined
}): ReactNode {
  const draft = drafts.get(item.approval)
  const [reason, setReason] = useState(draft?.reason ?? '')
  /** The input as somebody is changing it; absent while it stands as it was asked. */
  const [edited, setEdited] = useState(draft?.edited)
  /** Somebody tried to send it as it stood: from then on what is wrong is said while they mend it. */
  const [tried, setTried] = useState(false)
  const editBox = useRef<HTMLDivElement>(null)
  const card = useRef<HTMLElement>(null)
  const { contact } = useLive()
  const canEdit = item.verdicts.includes('modify') && item.request !== undefined && !item.request.redacted
  const open = item.outcome === undefined
  const input = useExactInput(session, item.request, open)
  const { frame, seen, read, onScroll } = useSeen(draft?.read ?? false, open, input.text !== undefined)
  // What deceives the eye, or could do lasting harm, is not for a click: a word has to be typed.
  const wanted = useWordToType(open ? toRun(input.text, edited) : undefined, item, agent)
  const [typed, setTyped] = useState('')
  const word = useRef<HTMLInputElement>(null)
  const mayAllow = mayDecideHigh || wanted?.isHigh !== true
  const isReady = seen && mayAllow && isTyped(wanted, typed)
  const { pending, problem, unwritten, answer, allowByRule } = useDecision(
    item,
    { decide, remember },
    { reason, edited },
  )

  const onScreen = useOnScreen(card, open && first)
  const editSeen = useOnScreen(editBox, edited !== undefined)
  const place = useThumb()
  const thumb = first ? place : null

  useEffect(() => {
    if (open) drafts.set(item.approval, { reason, edited, read: read.current })
    else drafts.delete(item.approval)
  }, [drafts, item.approval, open, reason, edited, seen, read])

  const fault = useMemo(
    () => (tried && edited !== undefined ? faultOfEdit(input.text ?? '', edited) : undefined),
    [tried, edited, input.text],
  )
  const startEdit = (): void => setEdited((now) => now ?? input.text)
  const allowEdited = (): void => {
    const wrong = faultOfEdit(input.text ?? '', edited ?? '')
    setTried(wrong !== undefined)
    if (!wrong) return answer('modify')
    const text = editBox.current?.querySelector<HTMLTextAreaElement>('.edit')
    text?.focus()
    text?.setSelectionRange(wrong.at, wrong.at)
  }
  const allowByKey = (): void => {
    if (isReady) answer('allow')
    else word.current?.focus()
  }
  const acts = useRef({ answer, startEdit, allowByKey })
  acts.current = { answer, startEdit, allowByKey }
  useEffect(() => {
    // A key means what one sees: not a card that is elsewhere, nor one that came up under a finger that was on its way.
    if (!open || !first || !onScreen || !mayDecide) return
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || event.repeat || !isPlain(event)) return
      if (event.key === 'a' && seen) acts.current.allowByKey()
      else if (event.key === 'd') acts.current.answer('deny')
      else if (event.key === 'e' && seen && canEdit) acts.current.startEdit()
      else if (event.key === 'c') card.current?.querySelector<HTMLInputElement>('.answer input')?.focus()
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [open, first, onScreen, seen, canEdit, mayDecide])

  if (!open) {
    return (
      <>
        <AnsweredCard item={item} ran={ran} session={session} problem={problem} />
        {mayDecide && (isAway || isPaused) && isUnderWay(item) && (
          <TakeBack approval={item.approval} session={session} isAway={isAway} />
        )}
        <Refusal
          problem={
            unwritten && { ...unwritten, detail: `It was allowed once; the rule was not written: ${unwritten.detail}` }
          }
          look="notice"
        />
      </>
    )
  }
  const { request } = item
  const words = request?.plan ? planWords : askWords
  // Elsewhere than on the card they mean it only while it is in sight.
  const unseen = thumb !== null && !onScreen
  const allow = (
    <button
      type="button"
      className={edited === undefined ? 'button strong' : 'button'}
      disabled={!isReady || unseen || pending !== undefined || edited !== undefined}
      onClick={() => answer('allow')}
    >
      {pending === 'allow' ? (contact.here ? 'Allowing …' : 'Allow waits') : words.allow}
      {first && <kbd className="key">a</kbd>}
    </button>
  )
  const deny = (
    <button type="button" className="button" disabled={unseen || pending !== undefined} onClick={() => answer('deny')}>
      {pending === 'deny' ? (contact.here ? 'Denying …' : 'Deny waits') : words.deny}
      {first && <kbd className="key">d</kbd>}
    </button>
  )
  const toEdit = canEdit && edited === undefined && (
    <button
      type="button"
      className="button"
      aria-expanded={false}
      disabled={!seen || pending !== undefined}
      onClick={startEdit}
    >
      Edit and allow
      {first && <kbd className="key">e</kbd>}
    </button>
  )
  const asEdited = edited !== undefined && (
    <>
      <button
        type="button"
        className="button strong"
        disabled={
          !isReady || (thumb !== null && !editSeen) || pending !== undefined || edited === input.text || edited === ''
        }
        onClick={allowEdited}
      >
        {pending === 'modify' ? 'Allowing …' : 'Allow as edited'}
      </button>
      <button type="button" className={thumb ? 'button' : 'button plain'} onClick={() => setEdited(undefined)}>
        Leave as it was
      </button>
    </>
  )
  return (
    <article
      ref={card}
      className="card"
      data-keys={onScreen || undefined}
      aria-label={`Needs you: ${legibleName(request?.title ?? 'approval')}`}
    >
      <ApprovalHead {...{ item, agent, subAgent, isPaused, mayDecide, session }} />
      <div
        className="exact"
        ref={frame}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        tabIndex={0}
        onScroll={onScroll}
      >
        {input.text !== undefined && request ? (
          <AskedInput text={input.text} request={request} />
        ) : (
          <MissingInput input={input} bytes={request?.content?.bytes} />
        )}
      </div>
      {input.text !== undefined && request && <RawInput text={input.text} request={request} />}
      {request?.reason !== undefined && (
        <details className="why">
          <summary>Why, in the agent&rsquo;s words</summary>
          <div className="said">
            <Legible text={request.reason} place="prose" />
          </div>
        </details>
      )}
      {edited !== undefined && (
        <EditBox
          box={editBox}
          asked={input.text ?? ''}
          text={edited}
          change={setEdited}
          leave={() => setEdited(undefined)}
          fault={fault}
        />
      )}
      {request?.plan && (
        <p className="facts">To go ahead runs nothing by itself: what the agent does then is asked as before.</p>
      )}
      <ApprovalFacts item={item} seen={seen} text={input.text} />
      {mayDecide && !mayAllow && (
        <p className="facts danger">
          {wanted?.why ?? 'High risk.'} Your role may deny it; an admin or owner of the project may allow it.
        </p>
      )}
      {mayDecide && mayAllow && wanted && (
        <WordField
          wanted={wanted}
          box={word}
          typed={typed}
          change={setTyped}
          enter={() => {
            if (isReady && pending === undefined && edited === undefined) answer('allow')
          }}
        />
      )}
      <Refusal problem={problem} look="facts" />
      {mayDecide ? (
        <div className="answer">
          {!thumb && allow}
          {toEdit}
          {!thumb && asEdited}
          {!thumb && deny}
          <input
            className="input"
            aria-label="Comment for the agent"
            placeholder={`${words.comment}${first && !thumb ? '  c' : ''}`}
            maxLength={2_000}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
      ) : (
        <p className="facts quiet">Your role may not decide; an approver does.</p>
      )}
      {edited === undefined && (
        <Snooze
          session={session}
          ask={item.approval}
          endsMs={isPaused ? undefined : Date.parse(item.expiresAt)}
          hasKey={first && onScreen}
        />
      )}
      {mark?.(mayDecide && isReady && wanted === undefined && edited === undefined && pending === undefined)}
      {mayDecide && (
        <LastingAllow
          item={item}
          agent={agent}
          project={project}
          disabled={!isReady || unseen || pending !== undefined || edited !== undefined}
          allow={(scope) => answer('allow', scope)}
          remember={allowByRule}
        />
      )}
      {thumb &&
        mayDecide &&
        createPortal(
          // While somebody edits, the same place means what they wrote.
          asEdited || (
            <>
              {allow}
              {deny}
            </>
          ),
          thumb,
        )}
    </article>
  )
}

/** What the answers are called: of a plan both of them are a way on. */
const askWords = { allow: 'Allow', deny: 'Deny', comment: 'Comment for the agent' } as const
const planWords = { allow: 'Go ahead', deny: 'Keep planning', comment: 'What to change in the plan' } as const

/** What would run: what was asked, or in its place what could run there. What could not is refused before anything else. */
function toRun(asked: string | undefined, edited: string | undefined): string | undefined {
  return edited === undefined || faultOfEdit(asked ?? '', edited) ? asked : edited
}
