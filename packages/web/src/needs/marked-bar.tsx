import { decideMany, type OneOutcome } from '@hotline/client/decide-many'
import { Actor } from '@hotline/protocol/actor'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { isPlain, isTyping } from '../live/keyboard.ts'
import { Legible } from '../parts/legible.tsx'
import { clockText } from '../text/time.ts'
import { type Marked, useNeeds } from './needs-context.tsx'

interface Told {
  verdict: 'allow' | 'deny'
  of: readonly Marked[]
  outcomes: readonly OneOutcome[]
}

/** Answers what was marked, each by itself, and says what became of each. */
export function MarkedBar(): ReactNode {
  const { link, names } = useLive()
  const { marked, unmarkAll } = useNeeds()
  const [busy, setBusy] = useState(false)
  const [told, setTold] = useState<Told>()
  const of = [...marked.values()]

  async function decide(verdict: 'allow' | 'deny'): Promise<void> {
    if (busy || of.length === 0) return
    setBusy(true)
    const decisions = of.map(({ line: _line, ...one }) => ({ ...one, verdict }))
    setTold({ verdict, of, outcomes: await decideMany(link, decisions) })
    setBusy(false)
    unmarkAll()
  }
  const press = useEffectEvent((event: KeyboardEvent): boolean => {
    if (!isPlain(event) || event.repeat || isTyping(event.target)) return false
    if (event.key === 'A') void decide('allow')
    else if (event.key === 'D') void decide('deny')
    else return false
    return of.length > 0
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (press(event)) event.preventDefault()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  if (of.length === 0 && !told) return undefined
  return (
    <section className="marks" aria-label="Marked">
      {of.length > 0 && (
        <>
          <strong className="small">{of.length} marked: each is answered as it was shown</strong>
          <div className="answer">
            <button type="button" className="button strong" disabled={busy} onClick={() => void decide('allow')}>
              {busy ? 'Sending …' : 'Allow them'} <kbd className="key">A</kbd>
            </button>
            <button type="button" className="button" disabled={busy} onClick={() => void decide('deny')}>
              Deny them <kbd className="key">D</kbd>
            </button>
            <button type="button" className="button plain" disabled={busy} onClick={unmarkAll}>
              Unmark
            </button>
          </div>
        </>
      )}
      {told && of.length === 0 && (
        <div role="status">
          <ul className="small">
            {told.outcomes.map((outcome, at) => (
              <li key={outcome.approval} className={outcome.ok ? '' : 'danger'}>
                {outcome.ok ? (told.verdict === 'allow' ? '✓ Allowed' : '✗ Denied') : 'Not decided'}:{' '}
                <span className="mono">
                  <Legible text={told.of[at]?.line ?? ''} place="name" />
                </span>
                {!outcome.ok && <span> {whyNot(outcome.problem, names)}</span>}
              </li>
            ))}
          </ul>
          <button type="button" className="button plain small" onClick={() => setTold(undefined)}>
            Close
          </button>
        </div>
      )}
    </section>
  )
}

/** The server's words, with who was quicker and when. */
function whyNot(problem: Problem, names: ReadonlyMap<string, string>): string {
  const by = Actor.safeParse(problem['by'])
  const at = problem['at']
  if (problem.code !== 'already_resolved' || !by.success) return problem.detail
  const when = typeof at === 'string' ? `, ${clockText(at, Date.now())}` : ''
  return `${problem.detail.replace(/\.$/, '')}: by ${names.get(by.data.id) ?? 'somebody'}${when}.`
}
