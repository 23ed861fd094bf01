import type { StepKind } from '@hotline/protocol/events/turn'

/** A line is read at a glance; the whole of it is in the conversation. */
const objectChars = 60
/** A path that is longer loses its beginning. */
const pathChars = 32

/** What a step is at, in a few words: its first file, or its command; of a long one the beginning and the end. */
export function stepObject(step: { stepKind: StepKind; title: string; locations: readonly string[] }): string {
  const { stepKind, title, locations } = step
  const [path] = locations
  const whole = stepKind === 'execute' || path === undefined ? title : endOf(path)
  const object = whole.split('\n', 1)[0] ?? ''
  // Long before it is cut into characters: a title may be as long as an event.
  const letters = Array.from(object.length <= 4 * objectChars ? object : ends(object, 2 * objectChars))
  if (letters.length <= objectChars) return letters.join('')
  // The end of a path is its name.
  return `${letters.slice(0, objectChars / 3).join('')}…${letters.slice(-(objectChars * 2) / 3 + 1).join('')}`
}

/** A long path by its last folder and its name: where it begins is the same for all that an agent does. */
function endOf(path: string): string {
  const parts = path.length <= pathChars ? [] : path.split('/')
  return parts.length > 3 ? `…/${parts.slice(-2).join('/')}` : path
}

function ends(text: string, chars: number): string {
  return `${text.slice(0, chars)}${text.slice(-chars)}`
}
