import { type Placed, readPlaced } from './placed-json.ts'

/** A member of an object as it is written: `source` is its value in JSON, byte for byte. */
export interface WrittenMember {
  name: string
  kind: Placed['kind']
  source: string
}

/** What JSON has of numbers. */
const numberText = /^\s*-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\s*$/

/** What is wrong with what was typed for a member, where its kind says it better than JSON does; undefined where it does not. */
export function faultOfMember(kind: WrittenMember['kind'], source: string): string | undefined {
  return kind === 'number' && !numberText.test(source) ? 'It must be a number, such as 5 or -1.5.' : undefined
}

/** More of them, or a longer text, is edited as a text. */
const membersMax = 40
const charsMax = 64 * 1024

/** The members of an object in their order; undefined where the text is no object of which each could be edited by itself. */
export function writtenMembers(text: string): readonly WrittenMember[] | undefined {
  const read = text.length > charsMax ? undefined : readPlaced(text)
  if (!read?.ok || read.value.kind !== 'object' || read.value.members.size === 0) return undefined
  if (read.value.members.size > membersMax) return undefined
  return [...read.value.members].map(([name, { kind, at, end }]) => ({ name, kind, source: text.slice(at, end) }))
}

/** A text with other values in some of its members, and which member each place of it is in. */
export interface ChangedText {
  text: string
  memberAt: (at: number) => string | undefined
}

/**
 * Puts values in the place of others, by the names of their members. All else stays as it is written: the order, blanks, numbers
 * of any length, and members that nobody here knows.
 */
export function changeMembers(text: string, changed: ReadonlyMap<string, string>): ChangedText {
  const read = readPlaced(text)
  const members = read.ok && read.value.kind === 'object' ? [...read.value.members] : []
  const spans: { name: string; start: number; end: number }[] = []
  let whole = ''
  let from = 0
  for (const [name, { at, end }] of members) {
    whole += text.slice(from, at)
    const start = whole.length
    whole += changed.get(name) ?? text.slice(at, end)
    spans.push({ name, start, end: whole.length })
    from = end
  }
  return {
    text: whole + text.slice(from),
    // A fault behind a value, or before the next, is of the one that was typed before it.
    memberAt: (at) => spans.findLast(({ start }) => start <= at)?.name,
  }
}
