import { fail } from './failure.ts'

/** With fewer letters somebody else's could be meant: everything begins with nothing. */
const beginningMinChars = 4

/** Those that a text names: the one with that id, or else those that begin with it. Throws a `Failure` for too little of an id. */
export function namedBy<R>(text: string, all: readonly R[], idOf: (one: R) => string): readonly R[] {
  const exact = all.filter((one) => text !== '' && idOf(one) === text)
  if (exact.length > 0) return exact
  if (text.length < beginningMinChars) throw tooShort(text)
  return all.filter((one) => idOf(one).startsWith(text))
}

function tooShort(text: string): Error {
  return fail(
    'invalid_request',
    `"${text}" is too little of an id: give it whole, or ${beginningMinChars} letters of its beginning.`,
  )
}
