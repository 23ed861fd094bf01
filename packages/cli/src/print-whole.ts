import { pipeline } from 'node:stream/promises'
import { fail } from './failure.ts'

/** As fast as it is taken, and no further. Throws a `Failure` where it breaks off. */
export async function printWhole(bytes: ReadableStream<Uint8Array>): Promise<void> {
  try {
    await pipeline(bytes, process.stdout, { end: false })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw fail('unreachable', `The export broke off (${why}): what was printed is not whole.`)
  }
}
