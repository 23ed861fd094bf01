import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/**
 * A folder that is held open. What is reached through it lies in that very folder, whatever names are swapped meanwhile:
 * the kernel goes on from the descriptor and follows no link. Node has no `openat`; on Linux `/proc/self/fd/<n>/<name>` is
 * the same. Elsewhere the folder is compared with its path right before each use, which leaves a gap of microseconds.
 */
export class HeldFolder implements Disposable {
  readonly #fd: number
  readonly #path: string
  #isOpen = true

  private constructor(fd: number, path: string) {
    this.#fd = fd
    this.#path = path
  }

  /** The folder at `path` itself; throws where it is a link, or no folder. */
  static open(path: string): HeldFolder {
    return new HeldFolder(openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path)
  }

  /** A folder in this one. */
  folder(name: string): HeldFolder {
    return new HeldFolder(openSync(this.at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW), join(this.#path, name))
  }

  /** The same; it is made where there is none. */
  makeFolder(name: string): HeldFolder {
    try {
      mkdirSync(this.at(name))
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    return this.folder(name)
  }

  /** A path of something in this folder, for one call right now. */
  at(name: string): string {
    if (process.platform === 'linux') return `/proc/self/fd/${this.#fd}/${name}`
    const held = fstatSync(this.#fd)
    const named = lstatSync(this.#path)
    if (held.ino !== named.ino || held.dev !== named.dev) throw new Error(`"${this.#path}" was replaced.`)
    return join(this.#path, name)
  }

  /** The folder in which the last part of `path` lies. Throws ENOENT or ENOTDIR where the way is not there. */
  parentOf(path: string, missing: 'make' | 'fail'): { parent: HeldFolder; name: string } {
    const parts = path.split('/')
    const name = parts.pop() ?? ''
    if ([...parts, name].some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
      throw new Error(`"${path}" is no path of a file in a folder.`)
    }
    let at = HeldFolder.open(this.at('.'))
    for (const part of parts) {
      try {
        const next = missing === 'make' ? at.makeFolder(part) : at.folder(part)
        at[Symbol.dispose]()
        at = next
      } catch (error) {
        at[Symbol.dispose]()
        throw error
      }
    }
    return { parent: at, name }
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    closeSync(this.#fd)
  }
}

/** The code of a refusal of the operating system, where it is one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
