import { constants, type Stats } from 'node:fs'
import { chmodSync, closeSync, fstatSync, lstatSync, openSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { copyFile, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, type HeldFolder } from '../workspace/held-folder.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, COPYFILE_FICLONE, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } = constants

/** What may be copied for one session. */
export interface CopyBounds {
  files: number
  bytes: number
  timeMs: number
}

/** Enough for a project with what was installed for it. */
export const copyBounds: CopyBounds = { files: 300_000, bytes: 8 * 1024 * 1024 * 1024, timeMs: 180_000 }

/** It was too much, or somebody does not want it any more; the message is for people. */
export class CopyRefusal extends Error {
  override readonly name = 'CopyRefusal'
}

/**
 * Copies files and links from one folder into another, each to the same path; what is neither is left out. Nothing is
 * written outside of the target: it is held open on the way, and no link is followed.
 */
export class Copier {
  readonly #from: string
  readonly #to: HeldFolder
  readonly #bounds: CopyBounds
  readonly #signal: AbortSignal | undefined
  readonly #deadlineMs: number
  #files = 0
  #bytes = 0

  constructor(of: { from: string; to: HeldFolder; bounds: CopyBounds; signal?: AbortSignal | undefined }) {
    this.#from = of.from
    this.#to = of.to
    this.#bounds = of.bounds
    this.#signal = of.signal
    this.#deadlineMs = performance.now() + of.bounds.timeMs
  }

  /** Files and links that were copied. */
  get files(): number {
    return this.#files
  }

  /** Takes a path away in the target. */
  remove(path: string): void {
    try {
      const { parent, name } = this.#to.parentOf(path, 'fail')
      try {
        rmSync(parent.at(name), { recursive: true, force: true })
      } finally {
        parent[Symbol.dispose]()
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR' && codeOf(error) !== 'ELOOP') throw error
    }
  }

  /** A file, a link, or a folder with all that is in it. One that is gone by now is passed over. */
  async copy(path: string): Promise<void> {
    const stats = lstatSync(join(this.#from, path), { throwIfNoEntry: false })
    if (stats) await this.#copy(path, stats)
  }

  /** Everything in the folder but what `isLeft` names. */
  async copyAll(isLeft: (path: string, stats: Stats) => boolean): Promise<void> {
    for await (const { name } of await opendir(this.#from)) {
      const stats = lstatSync(join(this.#from, name), { throwIfNoEntry: false })
      if (stats && !isLeft(name, stats)) await this.#copy(name, stats)
    }
  }

  async #copy(path: string, stats: Stats): Promise<void> {
    const kind = stats.mode & S_IFMT
    this.#stayWithin()
    if (kind === S_IFDIR) {
      this.#at(path, (at, name) => at.makeFolder(name)[Symbol.dispose]())
      for await (const { name } of await opendir(join(this.#from, path))) await this.copy(`${path}/${name}`)
      return
    }
    if (kind !== S_IFLNK && kind !== S_IFREG) return
    this.#files += 1
    this.#bytes += stats.size
    this.#stayWithin()
    if (kind === S_IFLNK) {
      const target = readlinkSync(join(this.#from, path))
      return this.#at(path, (at, name) => {
        rmSync(at.at(name), { recursive: true, force: true })
        symlinkSync(target, at.at(name))
      })
    }
    await this.#copyFile(path)
  }

  async #copyFile(path: string): Promise<void> {
    // Opened first: what lies there may have been swapped for a link or a pipe.
    const source = join(this.#from, path)
    const fd = openSync(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const { parent, name } = this.#parentOf(path)
    try {
      const { mode } = fstatSync(fd)
      if ((mode & S_IFMT) !== S_IFREG) return
      rmSync(parent.at(name), { recursive: true, force: true })
      await copyFile(process.platform === 'linux' ? `/proc/self/fd/${fd}` : source, parent.at(name), COPYFILE_FICLONE)
      chmodSync(parent.at(name), mode & 0o777)
    } finally {
      parent[Symbol.dispose]()
      closeSync(fd)
    }
  }

  #at(path: string, act: (at: HeldFolder, name: string) => void): void {
    const { parent, name } = this.#parentOf(path)
    try {
      act(parent, name)
    } finally {
      parent[Symbol.dispose]()
    }
  }

  /** Where a link or a file is in the way of a folder, it goes: the source has a folder there. */
  #parentOf(path: string): { parent: HeldFolder; name: string } {
    try {
      return this.#to.parentOf(path, 'make')
    } catch (error) {
      if (codeOf(error) !== 'ENOTDIR' && codeOf(error) !== 'ELOOP') throw error
      const parts = path.split('/')
      for (let depth = 1; depth < parts.length; depth += 1) {
        const above = parts.slice(0, depth).join('/')
        const { parent, name } = this.#to.parentOf(above, 'make')
        try {
          const stats = lstatSync(parent.at(name), { throwIfNoEntry: false })
          if (stats && !stats.isDirectory()) rmSync(parent.at(name), { force: true })
        } finally {
          parent[Symbol.dispose]()
        }
      }
      return this.#to.parentOf(path, 'make')
    }
  }

  #stayWithin(): void {
    const { files, bytes } = this.#bounds
    if (this.#signal?.aborted) throw new CopyRefusal('The start was given up.')
    if (this.#files > files) throw new CopyRefusal(`There are more than ${files} files to copy.`)
    if (this.#bytes > bytes) throw new CopyRefusal(`There are more than ${bytes} bytes to copy.`)
    if (performance.now() > this.#deadlineMs) throw new CopyRefusal('Copying the files took too long.')
  }
}
