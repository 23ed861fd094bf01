/** The part of a browser's Web Locks that is used here. */
export interface Locks {
  request(
    name: string,
    options: { signal?: AbortSignal; ifAvailable?: boolean; steal?: boolean },
    granted: (lock: object | null) => Promise<void>,
  ): Promise<unknown>
}

/** What it needs of the tab. */
export interface LeadershipPorts {
  locks: Locks
  /** Of the lock: one for each account and server. */
  name: string
  /** This tab leads from now on. */
  elected: () => void
  /** It does not lead any more: it gave the lock back, or another tab took it away. */
  deposed: () => void
}

/**
 * Who of all tabs leads: whoever holds one Web Lock.
 *
 *   away ──stand──▶ standing ──(granted)──▶ leading ──step down, or robbed──▶ away
 *
 * A tab that is closed or crashes loses its lock at once, and the next in the queue has it. A tab that is frozen keeps it,
 * which is why the lock alone is not enough: those who wait for a sign of life in vain `seize` it.
 */
export class Leadership {
  readonly #ports: LeadershipPorts
  /** Takes a request out of the queue. */
  #standing: AbortController | undefined
  /** Gives the lock back. */
  #stepDown: (() => void) | undefined
  #seizing = false
  #closed = false

  constructor(ports: LeadershipPorts) {
    this.#ports = ports
  }

  get leads(): boolean {
    return this.#stepDown !== undefined
  }

  /** Waits for the lock, behind the others. */
  stand(): void {
    if (this.#closed || this.#standing || this.leads) return
    const standing = new AbortController()
    this.#standing = standing
    void this.#request({ signal: standing.signal }, () => undefined)
  }

  /** Takes the lock from whoever does not answer. Of many tabs that want to at once, one does. */
  async seize(): Promise<void> {
    if (this.#closed || this.leads || this.#seizing) return
    this.#seizing = true
    try {
      await this.#ports.locks.request(`${this.#ports.name} seize`, { ifAvailable: true }, async (turn) => {
        if (!turn || this.#closed || this.leads) return
        this.#standing?.abort()
        await new Promise<void>((taken) => void this.#request({ steal: true }, taken).then(taken))
      })
    } finally {
      this.#seizing = false
    }
  }

  /** Gives up the lock, or the place in the queue, until it stands again. */
  withdraw(): void {
    this.#standing?.abort()
    this.#standing = undefined
    this.#stepDown?.()
  }

  close(): void {
    this.#closed = true
    this.withdraw()
  }

  /** Resolves when the lock was given back, taken away, or not had. */
  async #request(options: { signal?: AbortSignal; steal?: boolean }, granted: () => void): Promise<void> {
    let had = false
    try {
      await this.#ports.locks.request(this.#ports.name, options, async () => {
        this.#standing = undefined
        if (!this.#closed && !this.leads && !options.signal?.aborted) {
          had = true
          const over = new Promise<void>((resolve) => (this.#stepDown = resolve))
          this.#ports.elected()
          granted()
          await over
        }
      })
    } catch {
      // Taken out of the queue, or robbed of the lock.
    }
    if (!had) return
    this.#stepDown = undefined
    this.#ports.deposed()
  }
}
