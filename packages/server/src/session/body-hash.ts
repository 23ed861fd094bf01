import type { Command } from '@hotline/protocol/command'
import { sha256 } from '../machine/sha256.ts'

/** What a command id stands for: the same id with another hash is another command. Order of members does not matter. */
export function bodyHash(command: Command): string {
  return sha256(JSON.stringify([command.stream, command.type, sorted(command.data)]))
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const members = value as Record<string, unknown>
  const copy: Record<string, unknown> = {}
  // No member is called `__proto__`: the door refuses it.
  for (const name of Object.keys(members).toSorted()) copy[name] = sorted(members[name])
  return copy
}
