import type { LogStore } from './log-store.ts'

const pageStreams = 500

/** All streams of a log, by their names. */
export async function* walkStreams(log: Pick<LogStore, 'streams'>): AsyncGenerator<string, void, undefined> {
  for (let after = ''; ;) {
    const page = await log.streams(after, pageStreams)
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < pageStreams) return
    after = last
  }
}
