import { sep } from 'node:path'

interface Use {
  root: string
  title: string
  isBusy: boolean
  /** On the clock of `performance.now()`: when it was last at work. */
  lastBusyMs: number
}

/** Sessions of this machine that work in the same folder, or one inside of the folder of the other. */
export class Neighbours {
  readonly #uses = new Map<string, Use>()

  /** A session begins in a folder; answers the titles of those that are there already. */
  enter(session: string, root: string, title: string): readonly string[] {
    this.#uses.set(session, { root, title, isBusy: false, lastBusyMs: Number.NEGATIVE_INFINITY })
    return this.#besides(session).map((use) => use.title)
  }

  /** The titles of those that work in this very folder. */
  in(root: string): readonly string[] {
    return [...this.#uses.values()].filter((use) => use.root === root).map(({ title }) => title)
  }

  /** Its agent may write from now on, or does not any more. */
  busy(session: string, isBusy: boolean): void {
    const use = this.#uses.get(session)
    if (!use) return
    if (use.isBusy || isBusy) use.lastBusyMs = performance.now()
    use.isBusy = isBusy
  }

  leave(session: string): void {
    this.#uses.delete(session)
  }

  /** Somebody else's agent may have written there since then: nobody knows whose a change is. */
  wereBusy(session: string, sinceMs: number): boolean {
    return this.#besides(session).some(({ isBusy, lastBusyMs }) => isBusy || lastBusyMs >= sinceMs)
  }

  #besides(session: string): readonly Use[] {
    const own = this.#uses.get(session)
    if (!own) return []
    const others = [...this.#uses].filter(([other, { root }]) => other !== session && isNear(root, own.root))
    return others.map(([, use]) => use)
  }
}

function isNear(one: string, other: string): boolean {
  return one === other || one.startsWith(other + sep) || other.startsWith(one + sep)
}
