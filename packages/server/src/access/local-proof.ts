import { join } from 'node:path'
import { sha256 } from '../machine/sha256.ts'
import { readSecretFile, removeSecretFile } from './secret-file.ts'
import { sameDigest } from './token.ts'

/** Where a program of this machine shows that it may write into the data directory. */
export function localProofFile(dataDir: string): string {
  return join(dataDir, 'local-proof')
}

/**
 * Whether whoever asks has just put these words into the data directory: who can do that has the log and every secret of
 * this server. They count once.
 */
export async function takeLocalProof(dataDir: string, words: string): Promise<boolean> {
  const path = localProofFile(dataDir)
  const written = await readSecretFile(path).catch(() => undefined)
  if (written === undefined || written.length < 32 || !sameDigest(sha256(written), sha256(words))) return false
  await removeSecretFile(path)
  return true
}
