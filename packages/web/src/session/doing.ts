import { stepObject } from '@hotline/core/step-object'
import type { StepItem } from '@hotline/core/transcript/item'
import type { Transcript } from '@hotline/core/transcript/transcript'
import { legibleName } from '../text/legible.ts'

const verbs: Record<StepItem['stepKind'], string> = {
  read: 'reading',
  edit: 'editing',
  delete: 'deleting',
  move: 'moving',
  search: 'searching',
  execute: 'running',
  think: 'thinking about',
  fetch: 'fetching',
  other: 'at',
}
/** The step that runs now: what it does in a few words, and since when. Undefined between steps. */
export function doingNow({ items }: Transcript): { words: string; since: string } | undefined {
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at]
    // What ran before the end of a turn, or of the agent, runs no more.
    if (item?.kind === 'turn' || item?.kind === 'state') return undefined
    if (item?.kind === 'step' && item.outcome === undefined)
      return { words: doingWords(item.stepKind, stepObject(item)), since: item.at }
  }
  return undefined
}

/** "editing src/auth.ts": what a step of some kind is at. Kinds that this version does not know are just "at" it. */
export function doingWords(kind: string, object: string): string {
  return `${Object.hasOwn(verbs, kind) ? verbs[kind as StepItem['stepKind']] : 'at'} ${legibleName(object)}`
}
