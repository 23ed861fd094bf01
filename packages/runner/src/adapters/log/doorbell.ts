import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** A file is looked at so often, whatever the system tells of it. */
const lookEveryMs = 250

/**
 * Wakes whoever follows a file. The system's word of changes is only a hint that it is worth looking now: it does not come
 * from network drives and some containers, may be merged or lost, and ends with a folder that is removed.
 */
export class Doorbell implements Disposable {
  #watcher: FSWatcher | undefined
  #wake: (() => void) | undefined
  #hasRung = false

  constructor(path: string) {
    const name = basename(path)
    try {
      this.#watcher = watch(dirname(path), { persistent: false }, (_, changed) => {
        if (changed === null || changed === name) this.#ring()
      })
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // The folder is not there, or nothing more can be watched: looking is enough.
    }
  }

  /** Until it rings, or for as long as nobody may go without looking. */
  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    if (!this.#hasRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, lookEveryMs)
        const go = (): void => {
          clearTimeout(timer)
          resolve()
        }
        this.#wake = go
        signal.addEventListener('abort', go, { once: true })
      })
    }
    this.#wake = undefined
    this.#hasRung = false
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
  }

  #ring(): void {
    this.#hasRung = true
    this.#wake?.()
  }
}
