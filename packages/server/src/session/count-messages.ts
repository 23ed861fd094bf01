import { limits } from '@hotline/protocol/limits'
import type { LogStore } from '../log/log-store.ts'

/** Pages that are read at most: who has read that far back finds the rest told as read. */
const pagesMax = 20

/** Messages that were said after one event and up to another: as they are counted in the state of a session. */
export async function countMessages(
  store: Pick<LogStore, 'read'>,
  stream: string,
  after: number,
  upTo: number,
): Promise<number> {
  let count = 0
  let at = after
  for (let page = 0; page < pagesMax && at < upTo; page += 1) {
    const events = await store.read(stream, { after: at, upTo, limit: limits.pageEvents, maxBytes: limits.pageBytes })
    count += events.filter(({ type }) => type === 'message.posted' || type === 'message.completed').length
    const last = events.at(-1)
    if (!last) return count
    at = last.seq
  }
  return count
}
