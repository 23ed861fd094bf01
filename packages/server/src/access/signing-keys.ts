import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { SigningKeySet } from '@hotline/protocol/http'
import { z } from 'zod'
import { ConfigError } from '../config/read-config.ts'
import type { Clock } from '../machine/clock.ts'
import { readSecretFile, writeSecretFile } from './secret-file.ts'

const seedBytes = 32
/** What stands before the seed in PKCS #8 (RFC 8410). */
const pkcs8Start = Buffer.from('302e020100300506032b657004220420', 'hex')
/** A key signs for so long; then there is a new one, and it is still believed for what it signed. */
const signsMs = 30 * 24 * 60 * 60 * 1_000
const believedMs = 60 * 60 * 1_000
/** Seeds that anybody can read in a standard (RFC 8032 7.1, RFC 8037 A.1), or that are no secret. */
const known = new Set([
  'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  'TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs',
  'xaqN9D-fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPc',
])

const KeyFile = z.strictObject({
  issuer: z.string().regex(/^urn:hotline:[0-9a-f-]{36}$/),
  keys: z
    .array(z.strictObject({ seed: z.string(), createdAt: z.iso.datetime() }))
    .min(1)
    .max(100),
})
type KeyFile = z.infer<typeof KeyFile>

/** One key of the server. */
export interface SigningKey {
  /** Which key it is, in the head of what it signed. */
  kid: string
  privateKey: KeyObject
  publicKey: KeyObject
  createdMs: number
}

/**
 * The Ed25519 keys that this server signs short-lived tokens with: made at the first start, in a file that its owner alone
 * can read, each used for a month. The newest signs; the one before is believed a little longer than what it signed lives.
 * Without the file there are new ones, and what was signed before is worth nothing.
 */
export class SigningKeys {
  /** Under which name this server signs, and for whom alone. */
  readonly issuer: string
  readonly #path: string
  readonly #clock: Clock
  #file: KeyFile
  #keys: readonly SigningKey[]
  #rotating: Promise<SigningKey> | undefined

  private constructor(path: string, clock: Clock, file: KeyFile) {
    this.issuer = file.issuer
    this.#path = path
    this.#clock = clock
    this.#file = file
    this.#keys = file.keys.map((one) => readKey(one, path))
  }

  /** Reads the keys, or makes the first one. Throws a `ConfigError` for keys that are too short, known or damaged. */
  static async open(dataDir: string, clock: Clock): Promise<SigningKeys> {
    const path = join(dataDir, 'signing-keys')
    const text = await readSecretFile(path)
    if (text !== undefined) return new SigningKeys(path, clock, readKeyFile(text, path))
    const file = { issuer: `urn:hotline:${randomUUID()}`, keys: [newKey(clock)] }
    await writeSecretFile(path, JSON.stringify(file))
    return new SigningKeys(path, clock, file)
  }

  /** The key that signs now; a new one where the last has signed for long enough. */
  async current(): Promise<SigningKey> {
    const newest = this.#keys.at(-1)
    if (newest && this.#clock.wallMs() - newest.createdMs < signsMs) return newest
    this.#rotating ??= this.#rotate().finally(() => {
      this.#rotating = undefined
    })
    return this.#rotating
  }

  /** The public half of a key that is still believed. */
  find(kid: string | undefined): KeyObject | undefined {
    const at = this.#keys.findIndex((key) => key.kid === kid)
    const next = this.#keys[at + 1]
    // The one after it has taken over then.
    if (next && this.#clock.wallMs() - next.createdMs > believedMs) return undefined
    return this.#keys[at]?.publicKey
  }

  /** The public halves of all that are believed now, for programs that look at a token themselves. */
  published(): SigningKeySet {
    const believed = this.#keys.filter(({ kid }) => this.find(kid) !== undefined)
    return {
      keys: believed.map(({ kid, publicKey }) => {
        const { x = '' } = publicKey.export({ format: 'jwk' })
        return { kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA', kid, x }
      }),
    }
  }

  async #rotate(): Promise<SigningKey> {
    const added = newKey(this.#clock)
    const file = { ...this.#file, keys: [...this.#file.keys.slice(-1), added] }
    await writeSecretFile(this.#path, JSON.stringify(file))
    const key = readKey(added, this.#path)
    this.#file = file
    this.#keys = [...this.#keys.slice(-1), key]
    return key
  }
}

function newKey(clock: Clock): KeyFile['keys'][number] {
  return { seed: randomBytes(seedBytes).toString('base64url'), createdAt: new Date(clock.wallMs()).toISOString() }
}

function readKeyFile(text: string, path: string): KeyFile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw unusable(path, 'it is not what this server wrote')
  }
  const file = KeyFile.safeParse(value)
  if (!file.success) throw unusable(path, 'it is not what this server wrote')
  return file.data
}

function readKey({ seed, createdAt }: KeyFile['keys'][number], path: string): SigningKey {
  const bytes = Buffer.from(seed, 'base64url')
  if (bytes.length !== seedBytes) throw unusable(path, `a key has ${bytes.length} bytes and not ${seedBytes}`)
  const isWeak = known.has(bytes.toString('base64url')) || new Set(bytes).size < seedBytes / 4
  if (isWeak) throw unusable(path, 'a key is one that others know or can guess')
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Start, bytes]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const kid = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64url')
    .slice(0, 22)
  return { kid, privateKey, publicKey, createdMs: Date.parse(createdAt) }
}

function unusable(path: string, why: string): ConfigError {
  return new ConfigError(
    `The signing keys in ${path} cannot be used: ${why}. Remove the file; the server makes new ones.`,
  )
}
