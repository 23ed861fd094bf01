import { parseCursor } from '@hotline/protocol/stream'

/** Where a connection stands in the stream of each of its projects, as `epoch.seq`. */
export type Positions = ReadonlyMap<string, string>

/** One word for an address: nobody but the server reads it. */
export function writePositions(positions: Positions): string {
  const sorted = [...positions].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Buffer.from(sorted.map((pair) => pair.join(' ')).join('\n')).toString('base64url')
}

/** Undefined where it was not written here. */
export function readPositions(word: string): Positions | undefined {
  const positions = new Map<string, string>()
  for (const line of Buffer.from(word, 'base64url').toString('utf8').split('\n')) {
    const [project = '', cursor = '', ...more] = line.split(' ')
    if (line === '') continue
    if (project === '' || more.length > 0 || typeof parseCursor(cursor) !== 'object') return undefined
    positions.set(project, cursor)
  }
  return positions
}
