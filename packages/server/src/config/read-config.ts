import { BlockList, isIP } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { isWebhookUrl, secretPattern } from './webhook-target.ts'
import { isTarget } from './private-targets.ts'
import { expectedOf, type Option, type OptionName, options } from './options.ts'

/** A setting is missing, unknown or wrong; the message names it and says what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Limits that an operator may set; units as in `options`. */
export interface ConfigLimits {
  bodyBytes: number
  openApprovals: number
  waitingApprovals: number
  socketsPerAddress: number
  socketsPerAccount: number
  /** In 10 seconds. */
  requestsPerPrincipal: number
  /** In 10 seconds. */
  requestsPerNetwork: number
  signInTriesPerAccount: number
  signInTriesPerNetwork: number
  signInLockSeconds: number
}

/** All settings, checked. Nothing else reads the environment. */
export interface Config {
  /** Absolute. */
  dataDir: string
  port: number
  /** IP addresses. */
  listen: readonly string[]
  /** An origin, for example `https://hotline.example.org`. */
  publicUrl: string | undefined
  /** Origins of pages from elsewhere that may use the API with a token. */
  corsOrigins: readonly string[]
  tls: { certPath: string; keyPath: string } | undefined
  /** Addresses and networks of proxies; empty where there is none. */
  trustedProxies: readonly string[]
  databaseUrl: string | undefined
  debugAreas: readonly string[]
  failpoint: string | undefined
  /** Where signed heads of the log go, and how often. */
  /** Hosts with ports, beside the internet. */
  webhookTargets: readonly string[]
  auditHeads: {
    file: string | undefined
    webhook: string | undefined
    /** What the posts are signed with; none where they are not. */
    secrets: readonly string[]
    events: number
    minutes: number
  }
  /** Days for which output of a session is kept after its end; 0: for ever. */
  keepOutputDays: number
  /** Large batches go compressed to whoever takes them so. */
  compressBatches: boolean
  limits: ConfigLimits
}

/** What this process was started with. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Settings of the command line, the runner and the tests live beside ours. */
const ofOthers = /^HOTLINE_(TEST|RUNNER|CLI|DEMO)_|^HOTLINE_(URL|TOKEN)$/

/**
 * Reads all settings. Throws a `ConfigError` for an unknown `HOTLINE_…` name, a value of the wrong type, or a combination
 * that would leave the server open.
 */
export function readConfig(env: Environment): Config {
  refuseUnknown(env)
  const read = (name: OptionName): string | undefined => env[options[name].env]?.trim() || undefined
  const wrong = (name: OptionName, why = ''): ConfigError => {
    const option: Option = options[name]
    return new ConfigError(`${option.env} is "${env[option.env] ?? ''}"${why}. Expected: ${expectedOf(option)}`)
  }
  const isOn = (name: 'behindProxy' | 'compressBatches'): boolean => {
    const text = read(name)
    if (text !== undefined && text !== 'true' && text !== 'false') throw wrong(name)
    return text === undefined ? options[name].default : text === 'true'
  }
  const whole = (name: WholeName): number => {
    const text = read(name)
    const { default: unset, min, max } = options[name]
    if (text === undefined) return unset
    const value = Number(text)
    if (!/^[0-9]{1,10}$/.test(text) || value < min || value > max) throw wrong(name)
    return value
  }
  const list = (name: 'listen' | 'trustedProxies' | 'corsOrigins' | 'webhookTargets' | 'debug'): readonly string[] =>
    read(name)
      ?.split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '') ?? options[name].default
  const path = (name: 'dataDir' | 'tlsCert' | 'tlsKey' | 'auditHeadsFile'): string | undefined => {
    const text = read(name) ?? options[name].default
    const home = env['HOME'] || homedir()
    return text === undefined
      ? undefined
      : resolve(text === '~' || text.startsWith('~/') ? join(home, text.slice(1)) : text)
  }

  const listen = list('listen').flatMap((address) => (address === 'localhost' ? ['127.0.0.1', '::1'] : [address]))
  for (const address of listen) if (isIP(address) === 0) throw wrong('listen', ` with "${address}"`)
  if (listen.length === 0) throw wrong('listen')
  const trustedProxies = list('trustedProxies')
  for (const proxy of trustedProxies) if (!isNetwork(proxy)) throw wrong('trustedProxies', ` with "${proxy}"`)
  const webhookTargets = list('webhookTargets')
  for (const target of webhookTargets) if (!isTarget(target)) throw wrong('webhookTargets', ` with "${target}"`)
  const publicUrl = readUrl(read('publicUrl'), () => wrong('publicUrl'))
  const corsOrigins = list('corsOrigins').map((text) =>
    readCorsOrigin(text, () => wrong('corsOrigins', ` with "${text}"`)),
  )
  const behindProxy = isOn('behindProxy')
  const databaseUrl = read('databaseUrl')
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    // The value may hold a password: it is not repeated.
    throw new ConfigError(`${options.databaseUrl.env} must begin with postgres://`)
  }
  const certPath = path('tlsCert')
  const keyPath = path('tlsKey')
  if ((certPath === undefined) !== (keyPath === undefined)) {
    throw new ConfigError(`${options.tlsCert.env} and ${options.tlsKey.env} belong together: set both or none.`)
  }
  const config: Config = {
    dataDir: path('dataDir') ?? '',
    port: whole('port'),
    listen,
    publicUrl,
    corsOrigins,
    tls: certPath === undefined || keyPath === undefined ? undefined : { certPath, keyPath },
    trustedProxies: behindProxy ? trustedProxies : [],
    databaseUrl,
    debugAreas: list('debug'),
    failpoint: read('failpoint'),
    compressBatches: isOn('compressBatches'),
    keepOutputDays: whole('keepOutputDays'),
    webhookTargets,
    auditHeads: {
      file: path('auditHeadsFile'),
      webhook: readWebhook(read('auditHeadsWebhook')),
      secrets: readWebhookSecrets(read('auditHeadsSecrets')),
      events: whole('auditHeadsEvents'),
      minutes: whole('auditHeadsMinutes'),
    },
    limits: {
      bodyBytes: whole('bodyBytes'),
      openApprovals: whole('openApprovals'),
      waitingApprovals: whole('waitingApprovals'),
      socketsPerAddress: whole('socketsPerAddress'),
      socketsPerAccount: whole('socketsPerAccount'),
      requestsPerPrincipal: whole('requestsPerPrincipal'),
      requestsPerNetwork: whole('requestsPerNetwork'),
      signInTriesPerAccount: whole('signInTriesPerAccount'),
      signInTriesPerNetwork: whole('signInTriesPerNetwork'),
      signInLockSeconds: whole('signInLockSeconds'),
    },
  }
  if (behindProxy && trustedProxies.length === 0) {
    throw new ConfigError(
      `${options.behindProxy.env} is true, but ${options.trustedProxies.env} is empty: name the addresses of the proxies.`,
    )
  }
  if (!behindProxy && trustedProxies.length > 0) {
    throw new ConfigError(`${options.trustedProxies.env} has no effect without ${options.behindProxy.env}=true.`)
  }
  refuseOpenDoors(config)
  return config
}

type WholeName = { [N in OptionName]: (typeof options)[N]['type'] extends 'whole' ? N : never }[OptionName]

/** True for 127.0.0.0/8 and ::1; false for names, also for those that begin like one of them. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) !== 0 && /^(::ffff:)?127\./.test(address))
}

function refuseUnknown(env: Environment): void {
  const known = new Set<string>(Object.values(options).map((option) => option.env))
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith('HOTLINE_') && !known.has(name) && !ofOthers.test(name),
  )
  if (unknown.length === 0) return
  throw new ConfigError(`There is no setting ${unknown.join(', ')}. Known are: ${[...known].join(', ')}.`)
}

/** A server that others on the network reach without encryption does not start. */
function refuseOpenDoors(config: Config): void {
  const wide = config.listen.filter((address) => !isLoopback(address))
  const safe = config.tls !== undefined || config.trustedProxies.length > 0
  if (wide.length > 0 && !safe) {
    throw new ConfigError(
      `${options.listen.env} opens ${wide.join(', ')} to the network without encryption. Either set ${options.tlsCert.env} ` +
        `and ${options.tlsKey.env}, or put a proxy with https in front and set ${options.behindProxy.env}=true and ` +
        `${options.trustedProxies.env}, or leave ${options.listen.env} away to listen on this machine alone.`,
    )
  }
  const url = config.publicUrl === undefined ? undefined : new URL(config.publicUrl)
  if ((wide.length > 0 || config.trustedProxies.length > 0) && url?.protocol !== 'https:') {
    throw new ConfigError(
      `${options.publicUrl.env} must be the https:// address at which people reach this server, because it is reached ` +
        'from outside.',
    )
  }
  const outside = url !== undefined && url.hostname !== 'localhost' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''))
  if (outside && !safe) {
    throw new ConfigError(
      `${options.publicUrl.env} names another machine's address, but nothing here speaks https: set ` +
        `${options.tlsCert.env} and ${options.tlsKey.env}, or ${options.behindProxy.env}=true and ${options.trustedProxies.env}.`,
    )
  }
}

/** Whole, as browsers say it: https, or http on this machine. */
function readCorsOrigin(text: string, wrong: () => ConfigError): string {
  const origin = readUrl(text, wrong) ?? ''
  const { protocol, hostname } = new URL(origin)
  if (hostname.includes('*')) throw wrong()
  const isHere = hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''))
  if (protocol === 'https:' || isHere) return origin
  throw wrong()
}

function readUrl(text: string | undefined, wrong: () => ConfigError): string | undefined {
  if (text === undefined) return undefined
  if (!URL.canParse(text)) throw wrong()
  const url = new URL(text)
  const bare =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if (!bare || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw wrong()
  return url.origin
}

/** The address may be a secret: it is not repeated. */
function readWebhook(text: string | undefined): string | undefined {
  if (text === undefined || isWebhookUrl(text)) return text
  throw new ConfigError(
    `${options.auditHeadsWebhook.env} must begin with https://, or with http:// and localhost, 127.0.0.1 or [::1], without a password in it.`,
  )
}

/** They are secrets: they are not repeated. */
function readWebhookSecrets(text: string | undefined): readonly string[] {
  const secrets = text?.split(/\s+/) ?? []
  if (secrets.length <= 2 && secrets.every((secret) => secretPattern.test(secret))) return secrets
  throw new ConfigError(
    `${options.auditHeadsSecrets.env} must be whsec_ and 24 to 64 bytes in base64, or two of those with a blank between them.`,
  )
}

function isNetwork(text: string): boolean {
  try {
    addNetwork(new BlockList(), text)
    return true
  } catch {
    return false
  }
}

/** Adds an address or a network in CIDR notation to a list. Throws where it is neither. */
export function addNetwork(list: BlockList, text: string): void {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) throw new RangeError(`not an address or network: "${text}"`)
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  if (prefix === undefined) list.addAddress(address, kind)
  else if (/^[0-9]{1,3}$/.test(prefix)) list.addSubnet(address, Number(prefix), kind)
  else throw new RangeError(`not a network: "${text}"`)
}
