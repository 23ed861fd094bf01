import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '@hotline/server/config/data-dir'
import { fail } from './failure.ts'
import { readLine, writeSecretFile } from './secret-file.ts'

/** A token that `sign-in` stored, and its id at the server, so that `sign-out` can revoke it. */
export interface Credential {
  token: string
  key?: string
  /** Whose it is. */
  name?: string
}

function fileIn(configDir: string): string {
  return join(configDir, 'credentials.json')
}

/** What was written by hand, or by a later version, and is no credential, is passed over. */
function readAll(configDir: string): Record<string, Credential> {
  const text = readLine(fileIn(configDir))
  if (text === undefined) return {}
  try {
    const all = JSON.parse(text) as Record<string, Partial<Credential> | null>
    const whole = Object.entries(all).filter(
      (entry): entry is [string, Credential] => typeof entry[1]?.token === 'string',
    )
    return Object.fromEntries(whole)
  } catch {
    // Whoever signs in again gets a new one.
    return {}
  }
}

/** What is stored for a server, by its origin. */
export function readCredential(configDir: string, origin: string): Credential | undefined {
  const all = readAll(configDir)
  return Object.hasOwn(all, origin) ? all[origin] : undefined
}

/** Before a token is made that could not be kept. Throws a `Failure` where nothing can be written. */
export function prepareCredentials(configDir: string): void {
  try {
    makeDirectory(configDir)
    // With the slash a file of that name is refused.
    accessSync(`${configDir}/`, constants.W_OK)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw fail('invalid_request', `No credential can be kept in ${configDir} (${why}). Set XDG_CONFIG_HOME.`)
  }
}

/** Stores it in a file that only its owner can read, or forgets it. Throws what the file system throws. */
export function storeCredential(configDir: string, origin: string, credential: Credential | undefined): void {
  const { [origin]: _, ...others } = readAll(configDir)
  const all = credential ? { ...others, [origin]: credential } : others
  writeSecretFile(fileIn(configDir), `${JSON.stringify(all, null, 2)}\n`)
}
