import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Outbox, WaitingCommand } from '@hotline/client/outbox'

interface Line {
  put?: WaitingCommand
  remove?: string
}

/** An outbox in a file that only grows, one line for each change: what was written survives the death of the process. */
export function openFileOutbox(path: string): Outbox {
  const write = (line: Line): Promise<void> => Promise.resolve(appendFileSync(path, `${JSON.stringify(line)}\n`))
  return {
    put: (command) => write({ put: command }),
    remove: (id) => write({ remove: id }),
    all: () => Promise.resolve(waitingIn(path)),
  }
}

/** Every command that was ever kept there, in order. */
export function keptIn(path: string): readonly WaitingCommand[] {
  return [...new Map(linesOf(path).flatMap(({ put }) => (put ? [[put.id, put] as const] : []))).values()]
}

function waitingIn(path: string): readonly WaitingCommand[] {
  const removed = new Set(linesOf(path).map(({ remove }) => remove))
  return keptIn(path).filter(({ id }) => !removed.has(id))
}

/** A last line that a dying process did not finish is no line. */
function linesOf(path: string): readonly Line[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Line)
}
