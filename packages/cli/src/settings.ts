import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { options as serverOptions } from '@hotline/server/config/options'
import { readCredential } from './credentials.ts'
import { fail } from './failure.ts'
import { options } from './options.ts'
import { readLine } from './secret-file.ts'

/** Where the command line finds a server and how it proves who it is. The only reader of the environment here. */
export interface Settings {
  /** Absolute. */
  dataDir: string
  /** Where `sign-in` keeps its tokens. Absolute. */
  configDir: string
  /** An origin. */
  url: string
  token: string | undefined
  /** Of the server on this machine, where its log is in PostgreSQL. */
  databaseUrl: string | undefined
  /** The runner of this data directory, once it has been at a server; agents are started on it unless another is named. */
  runner: string | undefined
  /** For `up`; absent: the server's own choice. */
  port: string | undefined
}

/** What was said on the command line. */
export interface Flags {
  url?: string
  token?: string
  dataDir?: string
  port?: string
  json?: boolean
}

/** What this process was started with. */
export type Environment = Readonly<Record<string, string | undefined>>

const standardPort = '4680'

/**
 * A flag wins over the environment, which wins over what is stored. A token goes only where it belongs: one that was
 * stored by `sign-in` to the server it was made by, and the one in the data directory to the server of that directory.
 * Throws a `Failure` for a value that makes no sense.
 */
export function readSettings(flags: Flags, env: Environment): Settings {
  const home = env['HOME'] || homedir()
  const given = (flag: string | undefined, name: string): string | undefined => flag ?? (env[name] || undefined)
  const dataDir = readFolder(given(flags.dataDir, options.dataDir.env) ?? join(home, '.hotline'), home)
  const configHome = env['XDG_CONFIG_HOME']
  const configDir = join(configHome && isAbsolute(configHome) ? configHome : join(home, '.config'), 'hotline')
  const port = readPort(given(flags.port, options.port.env))
  // Of port 0 only the server knows which one it became.
  const localPort = port === undefined || Number(port) === 0 ? standardPort : port
  const local = readOrigin(readLine(join(dataDir, 'url')) ?? `http://localhost:${localPort}`)
  const url = readOrigin(given(flags.url, options.url.env) ?? local)
  const own = url === local ? readLine(join(dataDir, 'cli-token')) : undefined
  return {
    dataDir,
    configDir,
    url,
    token: given(flags.token, options.token.env) ?? readCredential(configDir, url)?.token ?? own,
    databaseUrl: given(undefined, serverOptions.databaseUrl.env),
    runner: readLine(join(dataDir, 'runner', 'id')),
    port,
  }
}

/** The same for the server that a command was told. Throws a `Failure` for what is no address. */
export function withUrl(settings: Settings, given: string | undefined): Pick<Settings, 'url' | 'configDir'> {
  return { configDir: settings.configDir, url: given === undefined ? settings.url : readOrigin(given) }
}

function readFolder(text: string, home: string): string {
  return resolve(text === '~' || text.startsWith('~/') ? join(home, text.slice(1)) : text)
}

function readOrigin(text: string): string {
  const url = URL.parse(text)
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url.origin
  throw fail('invalid_request', `"${text}" is no address of a server: it must begin with http:// or https://.`)
}

function readPort(text: string | undefined): string | undefined {
  if (text === undefined || (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535)) return text
  throw fail('invalid_request', `"${text}" is no port: it must be a whole number from 0 to 65535.`)
}
