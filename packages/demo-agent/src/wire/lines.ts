/** One line of the input; a line over the bound is dropped and only its size is told. */
export type Line = { text: string } | { droppedBytes: number }

const NEWLINE = 10

/**
 * Splits a byte stream at newlines, at most `maxBytes` per line. A last line without a newline counts as a line, so
 * that `printf '{...}' | hotline-demo-agent` works.
 */
export async function* splitLines(input: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line, void> {
  let pieces: Uint8Array[] = []
  let sizeBytes = 0
  const add = (piece: Uint8Array): void => {
    sizeBytes += piece.length
    if (sizeBytes <= maxBytes) pieces.push(piece)
    else pieces = []
  }
  const take = (): Line => {
    const line =
      sizeBytes > maxBytes ? { droppedBytes: sizeBytes } : { text: Buffer.concat(pieces).toString('utf8').trim() }
    pieces = []
    sizeBytes = 0
    return line
  }
  for await (const chunk of input) {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, at))
      from = at + 1
      yield take()
    }
    if (from < chunk.length) add(chunk.subarray(from))
  }
  if (sizeBytes > 0) yield take()
}
