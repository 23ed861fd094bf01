import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { StartError } from '../adapters/adapter.ts'

/** Of more nobody could say what they would trust. */
const filesMax = 20_000
const bytesMax = 256 * 1024 * 1024
/** Bytes of one file that are kept to be shown. */
const shownBytes = 16 * 1024
const readBytes = 256 * 1024

/** Whole worktrees of an agent's own: large, and no settings of this folder. */
const passedOver: ReadonlySet<string> = new Set(['.claude/worktrees'])

/** One file that agents read as settings. */
export interface SettingsFile {
  /** From the folder; it begins with `../` where it lies above it. */
  path: string
  bytes: number
  /** SHA-256 of its content. */
  digest: string
  /** Its beginning, where it is text. */
  text?: string | undefined
}

/** What is looked for, and where that ends. */
interface SettingsWish {
  names: readonly string[]
  /** The settings in it are the person's own, and above it are those of the machine. */
  home: string | undefined
  signal?: AbortSignal | undefined
}

/**
 * Settings for an agent that a folder and those above it bring, by path. Links are followed, as agents follow them. Throws a
 * `StartError` where there are too many to be looked at.
 */
export async function readFolderSettings(folder: string, wish: SettingsWish): Promise<readonly SettingsFile[]> {
  const { names, home, signal } = wish
  if (names.length === 0) return []
  const start = await realpath(folder)
  const end = home === undefined ? undefined : await realpath(home).catch(() => undefined)
  const look = new Look(start, signal)
  for (let at = start; at !== end && at !== dirname(at); at = dirname(at)) {
    for (const name of names) await look.visit(join(at, name), name)
  }
  return look.files.toSorted((one, other) => (one.path < other.path ? -1 : 1))
}

/** One walk over everything that is looked for, with its bounds. */
class Look {
  readonly files: SettingsFile[] = []
  readonly #start: string
  readonly #signal: AbortSignal | undefined
  /** What was visited, by where it really is: links may lead in circles, and to one place by two ways. */
  readonly #seen = new Set<string>()
  #bytes = 0

  constructor(start: string, signal: AbortSignal | undefined) {
    this.#start = start
    this.#signal = signal
  }

  async visit(path: string, name: string): Promise<void> {
    if (this.#signal?.aborted) throw new StartError('The start was given up.')
    if (passedOver.has(name)) return
    // What is not there, leads nowhere or cannot be read, its agent cannot read either.
    const facts = await stat(path).catch(() => undefined)
    if (facts?.isFile()) return this.#take(path)
    if (!facts?.isDirectory()) return
    const real = await realpath(path)
    if (this.#seen.has(real)) return
    this.#seen.add(real)
    for (const inside of await readdir(path).catch(() => [])) await this.visit(join(path, inside), `${name}/${inside}`)
  }

  async #take(path: string): Promise<void> {
    const read = await readFile(path, bytesMax - this.#bytes)
    if (read === undefined) return
    if (read === 'too large' || this.files.length === filesMax) throw tooMuch()
    this.#bytes += read.bytes
    const isOfVariables = /^\.env($|\.)/.test(basename(path))
    this.files.push({
      path: relative(this.#start, path).split(sep).join('/'),
      bytes: read.bytes,
      digest: read.digest,
      text: isOfVariables ? namesOfVariables(read.text ?? '') : read.text,
    })
  }
}

/** Reads a file to its end. Undefined where it cannot be read, or is none any more: a pipe would wait for a writer. */
async function readFile(
  path: string,
  roomBytes: number,
): Promise<Pick<SettingsFile, 'bytes' | 'digest' | 'text'> | 'too large' | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
  if (!handle) return undefined
  try {
    if (!(await handle.stat()).isFile()) return undefined
    const hash = createHash('sha256')
    const beginning: Buffer[] = []
    let bytes = 0
    for (;;) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(readBytes))
      if (bytesRead === 0) break
      const piece = buffer.subarray(0, bytesRead)
      hash.update(piece)
      if (bytes < shownBytes) beginning.push(piece.subarray(0, shownBytes - bytes))
      bytes += bytesRead
      if (bytes > roomBytes) return 'too large'
    }
    return { bytes, digest: hash.digest('hex'), text: textOf(Buffer.concat(beginning), bytes) }
  } finally {
    await handle.close()
  }
}

/** Undefined where it is no text. The last character of a beginning may be cut. */
function textOf(beginning: Buffer, bytes: number): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(beginning, {
      stream: beginning.length < bytes,
    })
  } catch {
    return undefined
  }
}

/** Values are for programs, and often secret. */
function namesOfVariables(text: string): string {
  const names = [...text.matchAll(/^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=/gm)].map(
    ([, name]) => `${name ?? ''}=…`,
  )
  return names.join('\n')
}

function tooMuch(): StartError {
  const most = `${filesMax.toLocaleString('en')} files or ${bytesMax / 2 ** 20} MiB`
  return new StartError(
    `The folder brings more than ${most} of settings for its agent: nobody could say what they trust.`,
  )
}
