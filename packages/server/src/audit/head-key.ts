import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../config/read-config.ts'
import { isSignedByBoth, KeyChange, signKeyChange } from './key-change.ts'
import { keyText } from './signed-head.ts'

/** The key by which a server's heads are known. */
export interface HeadKey {
  /** Its public half, as people copy it. */
  publicText: string
  privateKey: KeyObject
  /** The 32 bytes that it is made of. */
  seed: Buffer
}

const seedBytes = 32
/** What stands before the seed in PKCS #8 (RFC 8410). */
const pkcs8Start = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * The key that signs heads, and how it came after those before it. All of it is in one file of the data directory (`audit-key`,
 * its owner's alone): the seed of the key that signs now, and below it each change, oldest first. The seeds of the keys before
 * are kept nowhere.
 */
export class HeadKeys {
  readonly #path: string
  readonly #listeners = new Set<() => void>()
  #current: HeadKey
  #changes: readonly KeyChange[]

  private constructor(path: string, current: HeadKey, changes: readonly KeyChange[]) {
    this.#path = path
    this.#current = current
    this.#changes = changes
  }

  /** Reads the file, or makes it at the first start. Throws a `ConfigError` for one that holds something else. */
  static open(dataDir: string): HeadKeys {
    const path = join(dataDir, 'audit-key')
    const stored = readLines(path)
    if (stored === undefined) {
      const made = new HeadKeys(path, newHeadKey(), [])
      made.#write()
      return made
    }
    const [seedText = '', ...rest] = stored
    const seed = Buffer.from(seedText, 'base64url')
    const changes = rest.map(readChange)
    const known = changes.filter((change) => change !== undefined)
    if (seed.length !== seedBytes || seed.toString('base64url') !== seedText || known.length < changes.length) {
      throw new ConfigError(
        `The key in ${path} cannot be used: it is not what this server wrote. Put it back from a copy, or remove it: then there ` +
          'is a new one, and heads that were signed before are proven with the old one.',
      )
    }
    return new HeadKeys(path, headKeyOf(seed), known)
  }

  get current(): HeadKey {
    return this.#current
  }

  /** Oldest first. */
  get changes(): readonly KeyChange[] {
    return this.#changes
  }

  /**
   * From now on this key signs, and the one before is forgotten. Done at once, so that nothing is signed by the one after the time
   * that is said for the other. Throws what the file system throws; then nothing has changed.
   */
  replace(next: HeadKey, at: string): void {
    const before = { current: this.#current, changes: this.#changes }
    this.#changes = [...this.#changes, signKeyChange(this.#current, next, at)]
    this.#current = next
    try {
      this.#write()
    } catch (error) {
      this.#current = before.current
      this.#changes = before.changes
      throw error
    }
    for (const listener of this.#listeners) listener()
  }

  /** Told after each change. */
  onReplaced(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #write(): void {
    const lines = [this.#current.seed.toString('base64url'), ...this.#changes.map((change) => JSON.stringify(change))]
    const draft = `${this.#path}.${randomUUID()}`
    const file = openSync(draft, 'wx', 0o600)
    try {
      writeSync(file, lines.map((line) => `${line}\n`).join(''))
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(draft, this.#path)
  }
}

/** A key that nobody has yet. */
export function newHeadKey(): HeadKey {
  return headKeyOf(randomBytes(seedBytes))
}

function headKeyOf(seed: Buffer): HeadKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Start, seed]), format: 'der', type: 'pkcs8' })
  return { publicText: keyText(createPublicKey(privateKey)), privateKey, seed }
}

/** Undefined where there is no such file. Takes rights away that others have on it. */
function readLines(path: string): readonly string[] | undefined {
  try {
    chmodSync(path, 0o600)
    return readFileSync(path, 'utf8').trimEnd().split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function readChange(line: string): KeyChange | undefined {
  try {
    const change = KeyChange.safeParse(JSON.parse(line))
    return change.success && isSignedByBoth(change.data) ? change.data : undefined
  } catch {
    return undefined
  }
}
