import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { ConfigError } from '../config/read-config.ts'
import { readSecretFile, writeSecretFile } from './secret-file.ts'

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/**
 * Encrypts secrets that the server must be able to read again (AES-256-GCM), with a key in a file of its own beside the
 * database: who gets hold of the database alone, or of a dump of it, cannot read them. `of` says what a secret belongs to; it
 * opens for that alone, so that one cannot be put in the place of another.
 */
export class Sealing {
  readonly #key: Buffer

  private constructor(key: Buffer) {
    this.#key = key
  }

  /** Reads the key, or makes it. Throws a `ConfigError` for a file that holds no key. */
  static async open(dataDir: string): Promise<Sealing> {
    const path = join(dataDir, 'sealing-key')
    const text = await readSecretFile(path)
    if (text === undefined) {
      const made = randomBytes(keyBytes)
      await writeSecretFile(path, made.toString('base64url'))
      return new Sealing(made)
    }
    const key = Buffer.from(text, 'base64url')
    if (key.length === keyBytes) return new Sealing(key)
    throw new ConfigError(
      `The key in ${path} cannot be used: it has ${key.length} bytes and not ${keyBytes}. Put back the one that was there, or remove the file: then people sign in with a recovery code and set up their app anew.`,
    )
  }

  /** A secret of 32 bytes that belongs to this and is the same each time: nothing has to keep it. */
  derive(of: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#key, Buffer.alloc(0), `derived:${of}`, keyBytes))
  }

  seal(plain: string, of: string): string {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(of))
    const sealed = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return sealed.toString('base64url')
  }

  /** Undefined for what was sealed with another key or for something else, or was changed since. */
  unseal(sealed: string, of: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url')
    if (bytes.length < nonceBytes + tagBytes) return undefined
    const nonce = bytes.subarray(0, nonceBytes)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(of))
      .setAuthTag(bytes.subarray(-tagBytes))
    try {
      return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      return undefined
    }
  }
}
