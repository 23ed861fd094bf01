import type { Fence } from './fence.ts'
import type { Holder } from './holder.ts'

/** A holder that starts only what the kernel keeps together, or keeps from files as well, where that is asked for. */
export function containing(holder: Holder, contain: Contained | undefined): Holder {
  if (contain === undefined) return holder
  return {
    ...holder,
    start: (spec) => holder.start({ ...spec, contain }),
    startTerminal: (spec, size) => holder.startTerminal({ ...spec, contain }, size),
    reap: () => holder.reap(),
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  }
}

/** What it takes to be started: that the kernel keeps together all of it, and, with a fence, from the files outside of that. */
export type Contained = 'processes' | Fence
