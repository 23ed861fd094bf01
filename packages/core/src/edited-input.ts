import { type Placed, readPlaced } from './placed-json.ts'

/** Why an edited input cannot be sent, and where that is: lines and columns count from 1, `at` from 0. */
export interface EditFault {
  why: string
  at: number
  line: number
  column: number
}

/**
 * What is wrong with an input that somebody has edited; undefined where it can run in place of the one that was asked.
 * Where that one is JSON, this one has to be, and what was there keeps its type: a tool that is given a text for a number
 * fails, or does something that nobody has read. A member may be left out and one may be added, since some are optional.
 */
export function faultOfEdit(asked: string, edited: string): EditFault | undefined {
  const before = readPlaced(asked)
  // What was asked as words is words.
  if (!before.ok || (before.value.kind !== 'object' && before.value.kind !== 'array')) return undefined
  const after = readPlaced(edited)
  const fault = after.ok ? otherType('The whole', before.value, after.value) : after
  return fault && { why: fault.why, at: fault.at, ...placeIn(edited, fault.at) }
}

/** Where a place in a text is for whoever reads it. */
function placeIn(text: string, at: number): { line: number; column: number } {
  const lines = text.slice(0, at).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

const words: Record<Placed['kind'], string> = {
  object: 'an object { … }',
  array: 'a list [ … ]',
  text: 'a text in "double quotes"',
  number: 'a number',
  'yes or no': 'true or false',
  null: 'null',
}

function otherType(name: string, before: Placed, after: Placed): { why: string; at: number } | undefined {
  // What was empty may be anything.
  if (before.kind === 'null') return undefined
  if (before.kind !== after.kind) {
    return { why: `${name} was ${words[before.kind]}, and now it is ${words[after.kind]}.`, at: after.at }
  }
  if (before.kind === 'object' && after.kind === 'object') {
    for (const [member, value] of after.members) {
      const was = before.members.get(member)
      const fault = was && otherType(`"${member.slice(0, 50)}"`, was, value)
      if (fault) return fault
    }
  }
  if (before.kind === 'array' && after.kind === 'array') {
    const kinds = new Set(before.items.map(({ kind }) => kind))
    const [only] = kinds
    const strange = kinds.size === 1 && only !== 'null' ? after.items.find(({ kind }) => kind !== only) : undefined
    if (only && strange) {
      return { why: `All in this list were ${words[only]}, and this is ${words[strange.kind]}.`, at: strange.at }
    }
  }
  return undefined
}
