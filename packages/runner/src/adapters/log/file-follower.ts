import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FilePlace } from '@hotline/protocol/events/output'
import { Doorbell } from './doorbell.ts'
import { identify, OpenFile } from './open-file.ts'
import { missedBetween } from './rotations.ts'

/** Whoever still writes to a file that was moved away has so long of silence before the next one is read. */
const lingerMs = 1_000

/** What is to be followed, and from where. */
export interface Followed {
  /** Absolute. */
  path: string
  /** Where there is no place to go on from. A file that was not there yet is read from its start. */
  from: 'start' | 'end'
  /** Where an earlier life of this runner had got to. */
  place?: FilePlace | undefined
}

/** Who hears what a file says. */
export interface FollowerEars {
  /** Undefined where more may come at once. */
  room(): Promise<void> | undefined
  /** What was written to it, and the place after it. */
  text(text: string, bytes: number, place: FilePlace): void
  /** What became of the file, as a sentence, and the place from which it goes on. */
  note(sentence: string, place: FilePlace | undefined): void
}

/**
 * Follows a file by its name: while it grows, when it is moved away and another one takes its name, when it is emptied in
 * place, removed, made again, or not there yet. The old file is read to its end, and until it is silent, before the new one;
 * so the order of what was written is kept. It looks at the file itself: what the system tells of changes only wakes it.
 */
export class FileFollower {
  readonly #path: string
  readonly #from: 'start' | 'end'
  readonly #place: FilePlace | undefined
  readonly #ears: FollowerEars
  #file: OpenFile | undefined
  /** What is wrong with the name just now; said once. */
  #trouble: string | undefined
  /** When the file last grew, in milliseconds of a clock that only goes forward. */
  #grewAt = 0

  constructor({ path, from, place }: Followed, ears: FollowerEars) {
    this.#path = path
    this.#from = from
    this.#place = place
    this.#ears = ears
  }

  /** Follows until the signal says that it is enough. */
  async follow(signal: AbortSignal): Promise<void> {
    const doorbell = new Doorbell(this.#path)
    try {
      await this.#trying(() => this.#begin())
      while (!signal.aborted) {
        if (!(await this.#trying(() => this.#step(signal)))) await doorbell.wait(signal)
      }
    } finally {
      doorbell[Symbol.dispose]()
      await this.#file?.[Symbol.asyncDispose]()
    }
  }

  /** A file that cannot be read now may be readable later: that is said, once, and tried again. */
  async #trying(work: () => Promise<boolean>): Promise<boolean> {
    try {
      return await work()
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error))
      this.#complain(`${this.#path} cannot be read: ${why}. It is tried again.`)
      return false
    }
  }

  async #begin(): Promise<boolean> {
    const file = await OpenFile.open(this.#path)
    if (this.#place) return await this.#goOn(file, this.#place)
    if (!file) return this.#missing()
    if (this.#from === 'end') file.position = await file.sizeBytes()
    this.#file = file
    const { position } = file
    this.#ears.note(`Following ${this.#path}${position > 0 ? ` from byte ${position}` : ''}.`, await file.place())
    return true
  }

  /** After a restart: the same file at the same byte, or what is left of the old one, wherever it is now. */
  async #goOn(file: OpenFile | undefined, place: FilePlace): Promise<boolean> {
    if (await file?.goTo(place)) {
      this.#file = file
      return true
    }
    const moved = await this.#findMoved(place)
    if (moved) {
      await file?.[Symbol.asyncDispose]()
      this.#file = moved
      return true
    }
    this.#file = file
    const lost = `What was written to it after byte ${place.end} and before that cannot be read any more.`
    const what = file?.id === place.file ? 'emptied' : 'replaced'
    this.#ears.note(`${this.#path} was ${what} while nobody followed it. ${lost}`, await file?.place())
    return file ? true : this.#missing()
  }

  /** The file of that place under another name beside it, as rotation leaves it. */
  async #findMoved(place: FilePlace): Promise<OpenFile | undefined> {
    const folder = dirname(this.#path)
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name)
      if ((await identify(path).catch(() => undefined)) !== place.file) continue
      const file = await OpenFile.open(path)
      if (await file?.goTo(place)) return file
      await file?.[Symbol.asyncDispose]()
    }
    return undefined
  }

  /** Does one thing; true where there may be more to do at once. */
  async #step(signal: AbortSignal): Promise<boolean> {
    const file = this.#file
    if (!file) return await this.#open()
    if (await file.wasCut()) {
      const { position } = file
      file.rewind()
      this.#ears.note(
        `${this.#path} was emptied. What was written to it after byte ${position} and before that was not seen.`,
        await file.place(),
      )
      return true
    }
    await this.#ears.room()
    if (signal.aborted) return false
    if (await this.#tell(file, 'later')) return true
    return await this.#nextFile(file)
  }

  async #tell(file: OpenFile, whole: 'later' | 'never'): Promise<boolean> {
    const read = await file.read(whole)
    if (!read) return false
    this.#grewAt = performance.now()
    this.#ears.text(read.text, read.bytes, await file.place())
    return true
  }

  /** At the end of what there is: whether the name means another file by now. */
  async #nextFile(file: OpenFile): Promise<boolean> {
    const id = await identify(this.#path)
    if (id === file.id) {
      this.#trouble = undefined
      return false
    }
    if (id === undefined) return this.#missing()
    if (performance.now() - this.#grewAt < lingerMs) return false
    await this.#tell(file, 'never')
    const missed = await missedBetween(this.#path, { id: file.id, modifiedNs: await file.modifiedNs() }, id)
    this.#file = undefined
    await file[Symbol.asyncDispose]()
    if (missed !== undefined) this.#ears.note(missed, undefined)
    return await this.#open()
  }

  async #open(): Promise<boolean> {
    const file = await OpenFile.open(this.#path)
    if (!file) return this.#missing()
    this.#file = file
    this.#trouble = undefined
    this.#ears.note(`Following ${this.#path} from its start: it is a new file.`, await file.place())
    return true
  }

  #missing(): false {
    const isGone = this.#file !== undefined
    this.#complain(
      isGone ? `${this.#path} is gone. It is waited for.` : `${this.#path} is not there. It is waited for.`,
    )
    return false
  }

  #complain(sentence: string): void {
    if (this.#trouble === sentence) return
    this.#trouble = sentence
    this.#ears.note(sentence, undefined)
  }
}
