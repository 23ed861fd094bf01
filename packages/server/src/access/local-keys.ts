import { join } from 'node:path'
import type { Lists } from '../log/lists.ts'
import type { KeyTable } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import { type AccessLog, serverActor } from './access-log.ts'
import { allScopes } from './build-principal.ts'
import { keyEvents, newKeyRow } from './keys.ts'
import { readSecretFile, writeSecretFile } from './secret-file.ts'
import { mintToken, parseToken, sameDigest } from './token.ts'

/** The built-in runner's key has no end: whoever can read its file has the data directory, and with it everything. */
const noEnd = '9999-12-31T23:59:59.999Z'
const dayMs = 24 * 60 * 60 * 1_000
const commandLineDays = 365
/** The command line's token is replaced at a start when it has less than this left. */
const renewBeforeMs = 30 * dayMs

/** What the keys of this machine need of the world. */
export interface LocalKeyPorts {
  dataDir: string
  lists: Lists
  log: AccessLog
  clock: Clock
  ids: Ids
}

/** Writes the built-in runner's key to `runner-key`, where that file does not hold a key that works. */
export async function ensureRunnerKey(ports: LocalKeyPorts): Promise<void> {
  const path = join(ports.dataDir, 'runner-key')
  if (await keyInFile(path, ports.lists)) return
  const row = { account: null, name: 'built-in', scopes: [], expiresAt: noEnd }
  await makeKey(path, 'run', row, ports)
}

/** Writes a personal token of the first account to `cli-token`, for the command line on this machine. */
export async function makeCommandLineToken(account: string, ports: LocalKeyPorts): Promise<void> {
  const expiresAt = new Date(ports.clock.wallMs() + commandLineDays * dayMs).toISOString()
  const row = { account, name: 'command line on the server', scopes: allScopes, expiresAt }
  await makeKey(join(ports.dataDir, 'cli-token'), 'pat', row, ports)
}

/** Replaces the command line's token before it ends. One that was revoked or removed stays away. */
export async function renewCommandLineToken(ports: LocalKeyPorts): Promise<void> {
  const row = await keyInFile(join(ports.dataDir, 'cli-token'), ports.lists)
  if (!row || row.account === null) return
  if (Date.parse(row.expires_at) - ports.clock.wallMs() > renewBeforeMs) return
  await makeCommandLineToken(row.account, ports)
}

async function keyInFile(path: string, lists: Lists): Promise<KeyTable | undefined> {
  const text = await readSecretFile(path)
  const token = text === undefined ? undefined : parseToken(text)
  const row = token ? await lists.key(token.id) : undefined
  const holds = token && row && row.revoked_at === null && sameDigest(row.secret_hash, token.hash)
  return holds ? row : undefined
}

/** The row comes first: a file with a key that does not work would look like a fault of the runner. */
async function makeKey(
  path: string,
  kind: 'run' | 'pat',
  what: Omit<Parameters<typeof newKeyRow>[1], 'createdAt'>,
  { log, clock, ids }: LocalKeyPorts,
): Promise<void> {
  const token = mintToken(kind, ids.uuid())
  const row = newKeyRow(token, { ...what, createdAt: timestamp(clock) })
  const written = await log.write({
    actor: serverActor,
    events: keyEvents(row),
    rows: [{ table: 'keys', insert: row }],
  })
  if (!written.ok) throw new Error(`the key for ${path} could not be stored: ${written.reason}`)
  await writeSecretFile(path, token.text)
}
