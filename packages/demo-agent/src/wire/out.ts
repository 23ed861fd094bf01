import type { Writable } from 'node:stream'

type Piece = string | Uint8Array

/** The agent's stdout: whole messages in order, each handed over only when the one before is out. */
export interface Out {
  /**
   * Writes the pieces with nothing of others in between. Resolves when the system has taken the last byte, so that
   * whoever waits for it never holds more than one message in memory. Rejects when stdout is broken.
   */
  write(...pieces: Piece[]): Promise<void>
  /** Like write, for messages too large to hold: pieces are made one at a time. */
  writePieces(pieces: Iterable<Piece>): Promise<void>
  /** Resolves when everything handed over so far is out or has failed. */
  drained(): Promise<void>
}

/** Puts an ordered, back-pressured writer in front of a stream. */
export function openOut(stream: Writable): Out {
  let tail: Promise<void> = Promise.resolve()
  const push = (piece: Piece): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.write(piece, (error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  const pushAll = async (before: Promise<void>, pieces: Iterable<Piece>): Promise<void> => {
    await before
    for (const piece of pieces) await push(piece)
  }
  const writePieces = (pieces: Iterable<Piece>): Promise<void> => {
    const done = pushAll(tail, pieces)
    tail = done.catch(() => undefined) // whoever wrote it has been told; the next writer finds out on its own
    return done
  }
  return { write: (...pieces) => writePieces(pieces), writePieces, drained: () => tail }
}
