import type { Holder } from './holder.ts'

/** A holder that starts only what the kernel keeps together, where that is asked for. */
export function containing(holder: Holder, contain: 'processes' | undefined): Holder {
  if (contain === undefined) return holder
  return {
    ...holder,
    start: (spec) => holder.start({ ...spec, contain }),
    startTerminal: (spec, size) => holder.startTerminal({ ...spec, contain }, size),
    reap: () => holder.reap(),
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  }
}
