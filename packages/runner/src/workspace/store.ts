import type { Stats } from 'node:fs'
import type { LeftOut } from '@hotline/protocol/events/checkpoint'
import { type Bounds, Skipped } from './bounds.ts'
import type { ShadowGit } from './git.ts'
import { codeOf, HeldFolder } from './held-folder.ts'
import { branchOf, type Kept, type Note, readKept, readStates } from './history.ts'
import { placesOf } from './places.ts'
import { emptyTree, ImportStream, quoted } from './import-stream.ts'
import { blobOid, type EntryContent, readEntry } from './read-entry.ts'
import { scan } from './scan.ts'

/** A file that was written so shortly before it was read may have been written once more without showing it. */
const unsureMs = 2_100
/** Who wrote it says nothing to anybody: the store is ours alone. */
const writer = 'Hotline <hotline@localhost>'
/** Files that a snapshot names as changed. */
const namedMax = 200

/** What is known of a file since it was last read. */
interface Known {
  /** As in the history: mode, content, odd rights. */
  state: string
  /** What the file system said then; absent where it has to be read again whatever that says. */
  looks: string | undefined
  seen: number
}

/** What became of a snapshot. */
export interface Taken {
  /** Absent where nothing is different from the last one. */
  kept?: Kept
  files: number
  changed: readonly string[]
  changedCount: number
  leftOut: readonly LeftOut[]
  leftOutCount: number
}

/** What a snapshot is taken of. */
export interface StorePorts {
  git: ShadowGit
  root: string
  bounds: Bounds
  never: ReadonlySet<string>
  /** The rights that files get that nobody gave others. */
  umask: number
  wallMs: () => number
}

/**
 * The snapshots of one folder, for all sessions that work in it: what is the same is kept once. What a file was when it
 * was last read is known from what the file system says of it, so that only what changed is read again.
 */
export class Store {
  readonly #ports: StorePorts
  readonly #known = new Map<string, Known>()
  readonly #keptFolders = new Map<string, number>()
  /** The tree that `known` says; undefined before anything was read. */
  #tree: string | undefined
  #generation = 0
  readonly #last = new Map<string, Kept | undefined>()

  constructor(ports: StorePorts) {
    this.#ports = ports
  }

  get root(): string {
    return this.#ports.root
  }

  get git(): ShadowGit {
    return this.#ports.git
  }

  get bounds(): Bounds {
    return this.#ports.bounds
  }

  get umask(): number {
    return this.#ports.umask
  }

  /** The last snapshot of a session. */
  async lastOf(session: string): Promise<Kept | undefined> {
    if (!this.#last.has(session)) this.#last.set(session, (await readKept(this.#ports.git, session)).at(-1))
    return this.#last.get(session)
  }

  /**
   * Looks at every file and keeps what is new. Either all of it is kept, or nothing: then it throws, `Skipped` where that is
   * no fault.
   */
  async take(session: string, note: Note, need: 'if_changed' | 'always' = 'if_changed'): Promise<Taken> {
    const { git, root, bounds, never } = this.#ports
    const last = await this.lastOf(session)
    if (this.#tree === undefined) await this.#recall(last)
    this.#generation += 1
    const deadlineMs = performance.now() + bounds.timeMs
    const suspects: { path: string; stats: Stats }[] = []
    const found = (path: string, stats: Stats): void => {
      const known = this.#known.get(path)
      if (known) known.seen = this.#generation
      if (known?.looks === undefined || known.looks !== looksOf(stats)) suspects.push({ path, stats })
    }
    const isKept = (folder: string): boolean => this.#keptFolders.has(folder)
    const { files, leftOut, leftOutCount } = scan({ root, bounds, deadlineMs, never, isKept, found })
    const gone: string[] = []
    for (const [path, { seen }] of this.#known) if (seen !== this.#generation) gone.push(path)
    const readAtMs = this.#ports.wallMs()
    // Of a folder that is seen for the first time it is known before anything is read.
    const unread = suspects.reduce((sum, { stats }) => sum + (stats.size > bounds.fileBytes ? 0 : stats.size), 0)
    if (this.#known.size === 0 && unread > bounds.bytes) throw tooMany(bounds.bytes, root)

    const changes = new Map<string, string | undefined>(gone.map((path) => [path, undefined]))
    const looks = new Map<string, string | undefined>()
    let folder: HeldFolder | undefined
    let writing: ImportStream | undefined
    let bytes = 0
    try {
      folder = openRoot(root)
      for (const { path, stats } of suspects) {
        if (performance.now() > deadlineMs) throw new Skipped('time', `Reading "${root}" took too long.`)
        const content = read(folder, path, bounds.fileBytes)
        const state = this.#stateOf(content, stats)
        if (state === undefined) {
          // It went between the two looks.
          if (this.#known.has(path)) changes.set(path, undefined)
          continue
        }
        const isSettled = Math.max(stats.mtimeMs, stats.ctimeMs) < readAtMs - unsureMs
        looks.set(path, isSettled && content.kind !== 'unreadable' ? looksOf(stats) : undefined)
        if (this.#known.get(path)?.state === state) continue
        changes.set(path, state)
        if ('bytes' in content) {
          bytes += content.bytes.length
          if (bytes > bounds.bytes) throw tooMany(bounds.bytes, root)
          writing ??= new ImportStream(git)
          await writing.blob(content.bytes)
        }
      }
      const said = { files, leftOut, leftOutCount, changed: [...changes.keys()].toSorted().slice(0, namedMax) }
      const taken = { ...said, changedCount: changes.size }
      if (need === 'if_changed' && changes.size === 0 && last !== undefined && last.tree === this.#tree) {
        this.#learn(changes, looks)
        return taken
      }
      writing ??= new ImportStream(git)
      const kept = await this.#commit(writing, session, note, last, changes)
      this.#learn(changes, looks)
      this.#tree = kept.tree
      this.#last.set(session, kept)
      return { ...taken, kept }
    } catch (error) {
      await writing?.abandon()
      if (!(error instanceof Skipped)) this.#forget()
      throw error
    } finally {
      folder?.[Symbol.dispose]()
    }
  }

  /** After a fault nothing is taken for granted: the next look begins with what is on the disk. */
  #forget(): void {
    this.#known.clear()
    this.#keptFolders.clear()
    this.#last.clear()
    this.#tree = undefined
  }

  /** What an earlier life knew: contents without looks, so every file is read once, and only what is new is written. */
  async #recall(last: Kept | undefined): Promise<void> {
    this.#tree = last?.tree ?? emptyTree
    if (!last) return
    for (const [path, state] of await readStates(this.#ports.git, last.tree)) {
      this.#put(path, { state, looks: undefined, seen: 0 })
    }
  }

  async #commit(
    stream: ImportStream,
    session: string,
    note: Note,
    last: Kept | undefined,
    changes: ReadonlyMap<string, string | undefined>,
  ): Promise<Kept> {
    const message = Buffer.from(JSON.stringify(note))
    const seconds = Math.floor(this.#ports.wallMs() / 1_000)
    const branch = branchOf(session)
    await stream.write(`commit ${branch}\nmark :1\ncommitter ${writer} ${seconds} +0000\ndata ${message.length}\n`)
    await stream.write(message)
    await stream.write(`\n${last ? `from ${last.commit}\n` : ''}M 040000 ${this.#tree ?? emptyTree} ""\n`)
    // What goes, goes first: a folder may stand now where a file was.
    for (const path of changes.keys()) {
      const before = this.#known.get(path)?.state
      for (const { place } of before === undefined ? [] : placesOf(path, before)) {
        await stream.write(`D ${quoted(place)}\n`)
      }
    }
    for (const [path, state] of changes) {
      for (const { place, value } of state === undefined ? [] : placesOf(path, state)) {
        await stream.write(`M ${value ?? '100644 inline'} ${quoted(place)}\n${value === undefined ? 'data 0\n\n' : ''}`)
      }
    }
    await stream.write('\n')
    const { commit, tree } = await stream.finish()
    return { commit, tree, note }
  }

  #learn(changes: ReadonlyMap<string, string | undefined>, looks: ReadonlyMap<string, string | undefined>): void {
    for (const [path, state] of changes) {
      if (state === undefined) this.#drop(path)
      else this.#put(path, { state, looks: looks.get(path), seen: this.#generation })
    }
    for (const [path, look] of looks) {
      const known = this.#known.get(path)
      if (known) known.looks = look
    }
  }

  #put(path: string, known: Known): void {
    if (!this.#known.has(path)) this.#count(path, 1)
    this.#known.set(path, known)
  }

  #drop(path: string): void {
    if (this.#known.delete(path)) this.#count(path, -1)
  }

  /** Every folder on the way to a file that is kept. */
  #count(path: string, by: 1 | -1): void {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at)
      const count = (this.#keptFolders.get(folder) ?? 0) + by
      if (count > 0) this.#keptFolders.set(folder, count)
      else this.#keptFolders.delete(folder)
    }
  }

  #stateOf(content: EntryContent, stats: Stats): string | undefined {
    switch (content.kind) {
      case 'none':
        return undefined
      case 'link':
        return `120000 ${blobOid(content.bytes)}`
      case 'large':
        return `large ${content.sizeBytes}@${stats.mtimeMs}`
      case 'unreadable':
        return `large unreadable@${stats.mtimeMs}`
      case 'file': {
        const isProgram = (content.mode & 0o100) !== 0
        const usual = (isProgram ? 0o777 : 0o666) & ~this.#ports.umask
        const rights = content.mode === usual ? '' : ` ${content.mode.toString(8)}`
        return `${isProgram ? '100755' : '100644'} ${blobOid(content.bytes)}${rights}`
      }
    }
  }
}

function tooMany(bytes: number, root: string): Skipped {
  return new Skipped('bytes', `More than ${bytes} bytes in "${root}" are new.`)
}

function openRoot(root: string): HeldFolder {
  try {
    return HeldFolder.open(root)
  } catch (error) {
    throw new Skipped('folder', `"${root}" cannot be read (${codeOf(error) ?? 'error'}).`)
  }
}

function read(root: HeldFolder, path: string, maxBytes: number): EntryContent {
  let at
  try {
    at = root.parentOf(path, 'fail')
  } catch {
    // A folder on the way went, or is a link now: what is behind it is none of ours.
    return { kind: 'none' }
  }
  try {
    return readEntry(at.parent, at.name, maxBytes)
  } finally {
    at.parent[Symbol.dispose]()
  }
}

/** What the file system says of a file; the same for a file that nobody wrote to. */
function looksOf({ dev, ino, size, mode, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mode} ${mtimeMs} ${ctimeMs}`
}
