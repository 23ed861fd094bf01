import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readSecretFile, writeSecretFile } from '../access/secret-file.ts'
import { ConfigError } from '../config/read-config.ts'
import { keyText } from './signed-head.ts'

/** The key by which a server's heads are known. */
export interface HeadKey {
  /** Its public half, as people copy it. */
  publicText: string
  privateKey: KeyObject
}

const seedBytes = 32
/** What stands before the seed in PKCS #8 (RFC 8410). */
const pkcs8Start = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * Reads the key from the data directory (`audit-key`, its owner's alone), or makes it at the first start. It stays the same for
 * good: heads are compared years later. Throws a `ConfigError` for a file that holds something else.
 */
export async function openHeadKey(dataDir: string): Promise<HeadKey> {
  const path = join(dataDir, 'audit-key')
  const stored = await readSecretFile(path)
  const seed = stored === undefined ? randomBytes(seedBytes) : Buffer.from(stored, 'base64url')
  if (seed.length !== seedBytes || (stored !== undefined && seed.toString('base64url') !== stored)) {
    throw new ConfigError(
      `The key in ${path} cannot be used: it is not what this server wrote. Put it back from a copy, or remove it: then there ` +
        'is a new one, and heads that were signed before are proven with the old one.',
    )
  }
  if (stored === undefined) await writeSecretFile(path, seed.toString('base64url'))
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Start, seed]), format: 'der', type: 'pkcs8' })
  return { publicText: keyText(createPublicKey(privateKey)), privateKey }
}
