/** Names that no JSON reader of ours takes: with them, an object could be given another prototype. */
const refusedNames: ReadonlySet<string> = new Set(['__proto__', 'prototype'])

/**
 * A value of an agent as the server will read it. JSON may hold more than the log takes: halves of characters, numbers
 * beyond those that every reader reads alike, names that stand for prototypes. A frame with one of them would be refused
 * whole, with all that other agents of this machine have in it, so they are shown in another way.
 */
export function sendable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value) ? String(value) : value
  if (Array.isArray(value)) return value.map(sendable)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      refusedNames.has(name) ? `[${name}]` : name.toWellFormed(),
      sendable(member),
    ]),
  )
}
