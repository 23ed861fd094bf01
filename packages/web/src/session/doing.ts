import type { StepItem } from '@hotline/core/transcript/item'
import type { Transcript } from '@hotline/core/transcript/transcript'

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
/** A line is read at a glance; the whole of it is in the conversation. */
const objectChars = 60

/** The step that runs now: what it does in a few words, and since when. Undefined between steps. */
export function doingNow({ items }: Transcript): { words: string; since: string } | undefined {
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at]
    // What ran before the end of a turn, or of the agent, runs no more.
    if (item?.kind === 'turn' || item?.kind === 'state') return undefined
    if (item?.kind === 'step' && item.outcome === undefined) return { words: wordsOf(item), since: item.at }
  }
  return undefined
}

function wordsOf({ stepKind, locations, title }: StepItem): string {
  const [path] = locations
  const object = (stepKind === 'execute' ? title : (path ?? title)).split('\n', 1)[0] ?? ''
  return `${verbs[stepKind]} ${object.length <= objectChars ? object : shortened(object)}`
}

/** Loses its middle: the end of a path is its name. */
function shortened(text: string): string {
  return `${text.slice(0, objectChars / 3)}…${text.slice(-(objectChars * 2) / 3 + 1)}`
}
