import type { Command } from '@hotline/protocol/command'
import { sha256 } from '../machine/sha256.ts'

/** What a command id stands for: the same id with another hash is another command. Order of members does not matter. */
export function bodyHash(command: Command): string {
  return sha256(JSON.stringify([command.stream, command.type, sorted(command.data)]))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  )
}
