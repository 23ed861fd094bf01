import type { UndoItem } from '@hotline/core/transcript/item'
import type { PlannedFile } from '@hotline/protocol/events/checkpoint'
import type { CommandInput } from '@hotline/protocol/command'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Diff } from '../parts/diff.tsx'
import { Legible } from '../parts/legible.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { countText } from '../text/amounts.ts'

/** Sends what concerns an undo; each answers why it was refused. */
export interface UndoActs {
  plan: (to: CommandInput<'undo.plan'>) => Promise<Problem | undefined>
  apply: (data: CommandInput<'undo.apply'>) => Promise<Problem | undefined>
  drop: (undo: string) => Promise<Problem | undefined>
}

const changes = { restore: 'put back', bring_back: 'bring back', remove: 'remove' } as const
const asks = {
  changed_since: 'somebody else has changed it since: what they wrote would be lost',
  mixed: 'somebody else has changed it in between: what they wrote would be lost',
  unsure: 'it is not sure that the agent alone wrote it',
} as const

/** Taking back what an agent did to files: what would happen, and then, as somebody chose, what happened. */
export function UndoCard({ item, mayUndo, acts }: { item: UndoItem; mayUndo: boolean; acts: UndoActs }): ReactNode {
  switch (item.phase) {
    case 'wanted':
      return <div className="notice">Undo: its machine looks what would happen …</div>
    case 'approved':
      return <div className="notice">Undo: files are put back …</div>
    case 'dropped':
      return undefined
    case 'refused':
      return (
        <div className="notice">
          Undo: not done. <Legible text={item.reason ?? ''} place="prose" />
        </div>
      )
    case 'planned':
      return <Preview item={item} mayUndo={mayUndo} acts={acts} />
    case 'done':
      return <Done item={item} mayUndo={mayUndo} acts={acts} />
  }
}

function Preview({ item, mayUndo, acts }: { item: UndoItem; mayUndo: boolean; acts: UndoActs }): ReactNode {
  // Those whose choice differs from what is proposed: files that ask are left out, the others are in.
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set())
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const isIn = ({ path, ask }: PlannedFile): boolean => (ask === undefined) !== turned.has(path)
  const turn = (path: string): void => {
    const next = new Set(turned)
    if (!next.delete(path)) next.add(path)
    setTurned(next)
  }
  const unnamed = item.count - item.files.length
  const chosen = item.files.filter(isIn).length + Math.max(0, unnamed)
  const act = async (deed: Promise<Problem | undefined>): Promise<void> => {
    setBusy(true)
    const refusal = await deed
    setProblem(refusal)
    if (refusal) setBusy(false)
  }
  const apply = (): Promise<void> => {
    const named = item.files.filter(({ path }) => turned.has(path))
    const also = named.filter(({ ask }) => ask !== undefined).map(({ path }) => path)
    const except = named.filter(({ ask }) => ask === undefined).map(({ path }) => path)
    return act(acts.apply({ undo: item.undo, digest: item.digest ?? '', also, except }))
  }
  return (
    <article className="card undo" aria-label="Undo: what would happen">
      <header>
        <span>{item.count === 0 ? 'There is nothing to undo' : `Undo ${countText(item.count, 'file')}?`}</span>
        <span className="small quiet">{sinceText(item)}</span>
      </header>
      {item.files.length > 0 && (
        <ul className="plain planned">
          {item.files.map((file) => (
            <li key={file.path}>
              <label>
                <input
                  type="checkbox"
                  checked={isIn(file)}
                  disabled={busy || !mayUndo}
                  onChange={() => turn(file.path)}
                />
                <span className="quiet">{changes[file.change]}</span>
                <span className="mono path">
                  <Legible text={file.path} place="name" />
                </span>
              </label>
              {file.ask !== undefined && <span className="small danger">{asks[file.ask]}</span>}
            </li>
          ))}
          {unnamed > 0 && <li className="quiet small">and {countText(unnamed, 'file')} more</li>}
        </ul>
      )}
      {item.changes.length > 0 && (
        <details className="why">
          <summary>Show the changes</summary>
          {item.changes.map((change) => (
            <Diff key={change.path} change={change} />
          ))}
        </details>
      )}
      <Listed title="What is not undone" lines={item.cannot} />
      <Listed
        title="In no snapshot, so never put back"
        lines={item.leftOut.map(({ path, why }) => `${path} (${why})`)}
      />
      {mayUndo ? (
        <div className="answer">
          {item.count > 0 && (
            <button
              type="button"
              className="button strong"
              disabled={busy || chosen === 0}
              onClick={() => void apply()}
            >
              {busy ? 'Undoing …' : `Undo ${countText(chosen, 'file')}`}
            </button>
          )}
          <button type="button" className="button" disabled={busy} onClick={() => void act(acts.drop(item.undo))}>
            {item.count > 0 ? 'Keep everything' : 'Close'}
          </button>
        </div>
      ) : (
        <p className="facts quiet">You may read here; somebody with another role undoes.</p>
      )}
      <Refusal problem={problem} look="facts" />
    </article>
  )
}

function Done({ item, mayUndo, acts }: { item: UndoItem; mayUndo: boolean; acts: UndoActs }): ReactNode {
  const { names } = useLive()
  const [problem, setProblem] = useState<Problem>()
  const restored = item.outcomes.filter(({ outcome }) => outcome === 'restored')
  const kept = item.outcomes.filter(({ outcome }) => outcome === 'kept')
  const who = item.by.kind === 'person' ? ` by ${names.get(item.by.id) ?? 'somebody'}` : ''
  const { before } = item
  return (
    <details className="step">
      <summary>
        <span>{`↶ Undone${who}`}</span>
        <span className="title">
          {countText(restored.length, 'file')}
          {kept.length > 0 && `, ${kept.length} kept as they are`}
        </span>
      </summary>
      <div className="inside">
        <ul className="plain planned">
          {item.outcomes.map(({ path, outcome, why }) => (
            <li key={path}>
              <span className="quiet">{outcome === 'restored' ? 'done' : 'kept'}</span>{' '}
              <span className="mono path">
                <Legible text={path} place="name" />
              </span>{' '}
              {why !== undefined && <span className="small quiet">{why}</span>}
            </li>
          ))}
        </ul>
        {mayUndo && before !== undefined && restored.length > 0 && (
          <button
            type="button"
            className="button plain"
            onClick={() => void acts.plan({ checkpoint: before }).then(setProblem)}
          >
            Undo this undo …
          </button>
        )}
        <Refusal problem={problem} look="facts" />
      </div>
    </details>
  )
}

function Listed({ title, lines }: { title: string; lines: readonly string[] }): ReactNode {
  if (lines.length === 0) return undefined
  return (
    <details className="why">
      <summary>
        {title} <span className="quiet">({lines.length})</span>
      </summary>
      <ul className="small">
        {lines.map((line) => (
          <li key={line}>
            <Legible text={line} place="prose" />
          </li>
        ))}
      </ul>
    </details>
  )
}

function sinceText({ to }: UndoItem): string {
  if (to.turn !== undefined) return 'what the agent did since the beginning of this turn'
  if (to.step !== undefined) return 'what the agent did since this step'
  return to.checkpoint === undefined ? 'what the agent did since the start' : 'back to a snapshot'
}
