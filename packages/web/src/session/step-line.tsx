import type { StepItem } from '@hotline/core/transcript/item'
import { type ReactNode, useState } from 'react'
import { Diff } from '../parts/diff.tsx'
import { ExactText } from '../parts/exact-text.tsx'
import { Fields } from '../parts/fields.tsx'
import { Given } from '../parts/given.tsx'
import { Legible } from '../parts/legible.tsx'
import { LongText } from '../parts/long-text.tsx'
import { countText } from '../text/amounts.ts'
import { changeCounts } from '@hotline/core/line-diff'
import { durationText } from '../text/time.ts'
import { groupText, type Row, type StepGroup } from './fold-steps.ts'
import { kindWord } from './step-words.ts'

/** How a step came out. */
export const outcomes: Readonly<Record<NonNullable<StepItem['outcome']>, string>> = {
  done: '✓',
  failed: '✗ failed',
  denied: '✗ denied',
  cancelled: 'stopped',
}

/** One tool call as a line; opened, what went in, what came out, and what it changed. `nested`: what a sub-agent did for it. */
export function StepLine({ item, nested = [] }: { item: StepItem; nested?: readonly Row[] }): ReactNode {
  const [opened, setOpened] = useState(false)
  const kind = kindWord(item.stepKind, item.title)
  return (
    <details className="step" onToggle={({ currentTarget }) => setOpened(currentTarget.open)}>
      <summary>
        {kind !== '' && <span>{kind}</span>}
        <span className="title">
          <Legible text={item.title} place="name" />
        </span>
        {nested.length > 0 && <span className="small">{countText(stepsIn(nested), 'step')} inside</span>}
        <StepCounts item={item} />
        <span className={item.outcome === 'failed' ? 'danger' : ''}>
          {item.outcome ? outcomes[item.outcome] : runsText(item)}
        </span>
        {item.endedAt && <span className="small">{durationText(Date.parse(item.endedAt) - Date.parse(item.at))}</span>}
      </summary>
      {/* What nobody looks at is not laid out. */}
      {opened && <Inside item={item} nested={nested} />}
    </details>
  )
}

function Inside({ item, nested }: { item: StepItem; nested: readonly Row[] }): ReactNode {
  const places = item.locations.filter((path) => !item.changes.some((change) => change.path === path))
  return (
    <div className="inside">
      {places.length > 0 && (
        <ul className="plain places mono" aria-label="Where">
          {places.map((path) => (
            <li key={path}>
              <Legible text={path} place="name" />
            </li>
          ))}
        </ul>
      )}
      {item.input !== undefined && (
        <div>
          <p className="small quiet">Input</p>
          <Given what="input">
            <Input input={item.input} />
          </Given>
        </div>
      )}
      {item.changes.map((change) => (
        <Diff key={change.path} change={change} />
      ))}
      {nested.length > 0 && (
        <div className="nested">
          {nested.map((row) => (
            <StepRow key={row.key} row={row} />
          ))}
        </div>
      )}
      <StepResult item={item} />
      {item.outcome !== undefined && isBare(item) && nested.length === 0 && (
        <p className="quiet small">The agent said nothing more about it.</p>
      )}
    </div>
  )
}

/** What came of it: what it printed, and why it failed. */
export function StepResult({ item }: { item: StepItem }): ReactNode {
  return (
    <>
      {item.output !== undefined && item.output !== '' && <LongText text={item.output} what="output" />}
      {item.error !== undefined && (
        <p className="danger said">
          <Legible text={item.error} place="prose" />
        </p>
      )}
    </>
  )
}

/** A row that holds nothing but steps. */
export function StepRow({ row }: { row: Row }): ReactNode {
  if (row.kind === 'step') return <StepLine item={row} />
  if (row.kind === 'nest') return <StepLine item={row.step} nested={row.rows} />
  return row.kind === 'steps' ? <StepsLine group={row} /> : undefined
}

/** Many steps of one kind, opened to each of them. */
export function StepsLine({ group }: { group: StepGroup }): ReactNode {
  const last = group.steps.at(-1)
  return (
    <details className="step">
      <summary>
        <span className="title">{groupText(group)}</span>
        <span>✓</span>
        {last?.endedAt && group.steps[0] && (
          <span className="small">{durationText(Date.parse(last.endedAt) - Date.parse(group.steps[0].at))}</span>
        )}
      </summary>
      <div className="inside">
        {group.steps.map((item) => (
          <StepLine key={item.key} item={item} />
        ))}
      </div>
    </details>
  )
}

/** Arguments by their names; else as the agent gave them. */
function Input({ input }: { input: unknown }): ReactNode {
  if (typeof input === 'object' && input !== null && isTidy(input, 0)) return <Fields value={input} />
  return <ExactText text={typeof input === 'string' ? input : JSON.stringify(input, null, 2)} />
}

/** Few enough to be read one below the other. */
function isTidy(input: object, depth: number): boolean {
  const values = Object.values(input) as unknown[]
  return (
    depth < 4 &&
    values.length > 0 &&
    values.length <= 12 &&
    values.every((value) => typeof value !== 'object' || value === null || isTidy(value, depth + 1))
  )
}

/** `+12 −3` of what it changed. */
export function StepCounts({ item }: { item: StepItem }): ReactNode {
  if (item.changes.length === 0) return undefined
  let [added, removed] = [0, 0]
  for (const change of item.changes) {
    const counts = changeCounts(change)
    added += counts.added
    removed += counts.removed
  }
  return (
    <span className="mono small">
      <span className="plus">+{added}</span> <span className="minus">−{removed}</span>
    </span>
  )
}

/** That it is at work, and how far where the agent tells. */
export function runsText({ progress }: StepItem): string {
  return progress === undefined ? '…' : `${Math.round(progress * 100)} %`
}

function isBare(item: StepItem): boolean {
  return item.input === undefined && !item.output && item.error === undefined && item.changes.length === 0
}

function stepsIn(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => {
    if (row.kind === 'steps') return sum + row.steps.length
    return sum + (row.kind === 'nest' ? 1 + stepsIn(row.rows) : 1)
  }, 0)
}
