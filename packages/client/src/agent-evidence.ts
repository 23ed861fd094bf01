import type { Evidence } from '@hotline/protocol/evidence'
import { type Clock, systemClock } from './clock.ts'
import type { Link, Readable } from './link.ts'
import { watchable } from './readable.ts'

/** What was not told again for so long is no longer shown: its machine, or the server, does not answer. */
const freshMs = 15_000

/** What a machine sees of an agent, and what follows from two looks at it. */
export interface SeenAgent extends Evidence {
  /** Of one processor: 1.5 is one and a half of them. Absent at the first look. */
  cpuShare?: number
}

/** How an agent stands while somebody looks, as its machine tells it every few seconds; undefined where that is not known. */
export function watchEvidence(
  link: Pick<Link, 'ephemeral' | 'connection'>,
  session: string,
  clock: Clock = systemClock,
): { seen: Readable<SeenAgent | undefined> } & Disposable {
  const stream = `session:${session}`
  const seen = watchable<SeenAgent | undefined>(undefined)
  let cancel = (): void => undefined
  const forget = (): void => {
    cancel()
    if (seen.value) seen.set(undefined)
  }
  const leave = link.ephemeral(({ kind, stream: of, evidence }) => {
    if (kind !== 'evidence' || of !== stream || !evidence) return
    const cpuShare = shareOf(seen.value, evidence)
    seen.set({ ...evidence, ...(cpuShare === undefined ? {} : { cpuShare }) })
    cancel()
    cancel = clock.after(freshMs, forget)
  })
  const unwatch = link.connection.watch(({ status }) => {
    if (status !== 'open') forget()
  })
  return {
    seen,
    [Symbol.dispose]: () => {
      leave()
      unwatch()
      cancel()
    },
  }
}

/** Processes that ended in between took their time with them: then nothing can be said of it. */
function shareOf(before: Evidence | undefined, now: Evidence): number | undefined {
  if (!before?.tree || !now.tree) return undefined
  const passedMs = Date.parse(now.tree.at) - Date.parse(before.tree.at)
  const usedMs = now.tree.cpuMs - before.tree.cpuMs
  return passedMs > 0 && usedMs >= 0 ? usedMs / passedMs : undefined
}
