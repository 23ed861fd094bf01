import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Tee } from './wire.ts'

/** Files of this size are full: debugging must not fill a disk. */
const fileBytes = 64 * 1024 * 1024

/** Writes what an agent and the runner say to each other to a file of the session, word for word, for its owner alone. */
export function teeToFiles(folder: string): (session: string) => Tee {
  return (session) => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const file = createWriteStream(join(folder, `${session}.ndjson`), { flags: 'a', mode: 0o600 })
    // A disk that is full costs the file, not the session.
    file.on('error', () => undefined)
    return (direction, line) => {
      if (file.bytesWritten < fileBytes) file.write(`${JSON.stringify({ at: Date.now(), direction, line })}\n`)
    }
  }
}
