import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where the command line finds a server and how it proves who it is. The only reader of the environment here. */
export interface Settings {
  dataDir: string
  url: string
  token: string | undefined
}

export interface Flags {
  url?: string
  token?: string
  dataDir?: string
}

/** A flag wins over the environment, which wins over what the server on this machine left in its data directory. */
export function readSettings(flags: Flags, env: NodeJS.ProcessEnv): Settings {
  const dataDir = flags.dataDir ?? env['HOTLINE_DATA_DIR'] ?? join(homedir(), '.hotline')
  const local = readLine(join(dataDir, 'url')) ?? 'http://localhost:4680'
  const url = flags.url ?? env['HOTLINE_URL'] ?? local
  // The token that the server on this machine left is for that server alone, whatever address somebody names.
  const own = url.replace(/\/$/, '') === local ? readLine(join(dataDir, 'cli-token')) : undefined
  return { dataDir, url, token: flags.token ?? env['HOTLINE_TOKEN'] ?? own }
}

function readLine(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined
  } catch {
    // Not there, or not ours to read: the caller says what to do.
    return undefined
  }
}
