import { scriptOf } from './programs.ts'
import { type PiecesReading, readPieces } from './read-command.ts'

/** The programs of a text that are joined; where it is one shell that is told what to run, those, with all that both of them write. */
export function readScript(text: string): PiecesReading {
  const outer = readPieces(text)
  const [argv = [], ...more] = outer.ok ? outer.pieces : []
  const script = more.length === 0 ? scriptOf(argv) : undefined
  if (!outer.ok || script === undefined) return outer
  const inner = readPieces(script)
  return inner.ok ? { ...inner, writes: [...outer.writes, ...inner.writes] } : inner
}

/** Files that a shell writes itself for a command, as they are named there; none where it cannot be read. */
export function writesOf(text: string): readonly string[] {
  const read = readScript(text)
  return read.ok ? read.writes : []
}
