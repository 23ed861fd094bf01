import { existsSync, readFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { limits } from '@hotline/protocol/limits'
import { MachineLabel } from '@hotline/protocol/machine-label'
import type { HolderReach } from './process/local-holder.ts'

/** One setting: its variable, what it is for, and what holds where nothing is set. */
interface Option {
  env: string
  help: string
  unit?: string
  standard?: string
}

/** All settings of a runner. Nothing else reads the environment. */
export const options = {
  url: { env: 'HOTLINE_URL', help: 'The server to work for.', standard: 'http://localhost:4680' },
  keyFile: { env: 'HOTLINE_RUNNER_KEY_FILE', help: 'File that holds the key of this runner.' },
  key: { env: 'HOTLINE_RUNNER_KEY', help: 'The key itself, where there is no file.' },
  dataDir: { env: 'HOTLINE_DATA_DIR', help: 'Folder for state.', standard: '~/.hotline' },
  name: { env: 'HOTLINE_RUNNER_NAME', help: 'How people see this machine.', standard: 'the name of the machine' },
  sessions: {
    env: 'HOTLINE_RUNNER_SESSIONS',
    help: 'So many sessions are at work here at once; more wait for their turn.',
    unit: 'sessions',
    standard: '150',
  },
  labels: {
    env: 'HOTLINE_RUNNER_LABELS',
    help: 'What this machine is, or has, separated by commas (gpu,linux): sessions that ask for such labels begin only where all of them are.',
  },
  debug: {
    env: 'HOTLINE_DEBUG',
    help: 'Areas to log in detail, separated by commas, or *. "wire" keeps what agents say, unmasked, in files.',
  },
  stopGraceMs: {
    env: 'HOTLINE_STOP_GRACE_MS',
    help: 'What an agent is given to end by itself before it is killed.',
    unit: 'milliseconds',
    standard: '2000',
  },
  stopDeadlineMs: {
    env: 'HOTLINE_STOP_DEADLINE_MS',
    help: 'How long the runner tries to deliver what its agents said last, when it is stopped.',
    unit: 'milliseconds',
    standard: '4000',
  },
  spoolBytes: {
    env: 'HOTLINE_SPOOL_BYTES',
    help: 'What one session may hold back while the server is away; past it, its agent waits.',
    unit: 'bytes',
    standard: '16777216',
  },
  diskReserveBytes: {
    env: 'HOTLINE_DISK_RESERVE_BYTES',
    help: 'With less than this left on its disk, or on that of the data directory, no session is started.',
    unit: 'bytes',
    standard: '200000000',
  },
  reach: {
    env: 'HOTLINE_REACH',
    help: 'How agents are kept together with what they start, so that all of it is stopped and ended: best (groups of the kernel; else its namespaces, by bubblewrap, in which sudo does not work) or scan (what can be found).',
    standard: 'best',
  },
  fence: {
    env: 'HOTLINE_FENCE',
    help: '"on": agents are behind a fence where bubblewrap works, unless their profile or a start says otherwise. "off": only where a profile says "contain: files".',
    standard: 'on',
  },
  keeper: {
    env: 'HOTLINE_KEEPER',
    help: '"on": agents are held by a small process of their own and go on when this one is killed (not on Windows). "off": they end with it, however it ends.',
    standard: 'on',
  },
} as const satisfies Record<string, Option>

/** The settings as people read them: name, meaning, default. */
export function describeOptions(): string {
  const lines = Object.values<Option>(options).map(({ env, help, unit, standard }) => {
    const facts = [unit, standard === undefined ? undefined : `default: ${standard}`].filter(Boolean).join('; ')
    return `  ${env}\n      ${help}${facts === '' ? '' : ` (${facts})`}`
  })
  return `Settings of a runner, from the environment:\n${lines.join('\n')}\n`
}

/** What a runner is told. */
export interface Config {
  url: string
  token: string
  dataDir: string
  name: string
  /** So many sessions are at work here at once. */
  sessionsMax: number
  /** What it is, or has. */
  labels: readonly string[]
  debug: readonly string[]
  stopGraceMs: number
  stopDeadlineMs: number
  spoolBytes: number
  diskReserveBytes: number
  reach: HolderReach
  /** Agents are behind a fence where there can be one. */
  hasFences: boolean
  /** Agents outlive this process. */
  hasKeeper: boolean
  /** What this process was started with: agents get parts of it, by a list. */
  environment: Record<string, string | undefined>
}

/** Reads the settings. Throws an Error that says which variable is wrong and how. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const read = (option: Option): string | undefined => env[option.env] || undefined
  const dataDir = read(options.dataDir) ?? join(homedir(), '.hotline')
  if (!isAbsolute(dataDir)) throw new Error(`${options.dataDir.env} must be an absolute path.`)
  return {
    url: readUrl(read(options.url) ?? options.url.standard),
    token: readKey(read(options.key), read(options.keyFile)),
    dataDir,
    name: (read(options.name) ?? hostname()).slice(0, 100) || 'runner',
    sessionsMax: readCount(options.sessions, read(options.sessions)),
    labels: readLabels(read(options.labels) ?? ''),
    debug: (read(options.debug) ?? '').split(',').map((area) => area.trim()),
    stopGraceMs: readNumber(options.stopGraceMs, read(options.stopGraceMs)),
    stopDeadlineMs: readNumber(options.stopDeadlineMs, read(options.stopDeadlineMs)),
    spoolBytes: readNumber(options.spoolBytes, read(options.spoolBytes)),
    diskReserveBytes: readNumber(options.diskReserveBytes, read(options.diskReserveBytes)),
    reach: readReach(read(options.reach) ?? options.reach.standard),
    hasFences: readSwitch(options.fence, read(options.fence)),
    hasKeeper: readSwitch(options.keeper, read(options.keeper)),
    environment: { ...env },
  }
}

function readLabels(text: string): readonly string[] {
  const labels = text
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '')
  const wrong = labels.find((label) => !MachineLabel.safeParse(label).success)
  if (wrong !== undefined) {
    throw new Error(`${options.labels.env} takes words of 1 to 40 letters, digits, ".", "_" or "-", not "${wrong}".`)
  }
  if (labels.length > 20) throw new Error(`${options.labels.env} takes 20 labels at most, not ${labels.length}.`)
  return [...new Set(labels)]
}

function readReach(text: string): HolderReach {
  if (text === 'best' || text === 'scan') return text
  throw new Error(`${options.reach.env} takes "best" or "scan", not "${text}".`)
}

function readUrl(text: string): string {
  const url = URL.parse(text)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(`${options.url.env} must be an address that begins with http:// or https://, not "${text}".`)
  }
  return url.origin
}

function readKey(key: string | undefined, file: string | undefined): string {
  const text = key ?? (file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : '')
  const token = text.trim()
  if (token !== '') return token
  const where = file === undefined ? '' : ` There is none in "${file}".`
  throw new Error(`A runner needs a key: set ${options.keyFile.env} or ${options.key.env}.${where}`)
}

function readSwitch({ env, standard }: Option & { standard: string }, text: string | undefined): boolean {
  const said = text ?? standard
  if (said === 'on' || said === 'off') return said === 'on'
  throw new Error(`${env} must be "on" or "off", not "${said}".`)
}

function readCount(option: Option & { standard: string }, text: string | undefined): number {
  const count = readNumber(option, text)
  if (count > 0 && count <= limits.sessionsPerRunner) return count
  throw new Error(`${option.env} must be from 1 to ${limits.sessionsPerRunner}, not "${text}".`)
}

function readNumber({ env, unit, standard }: Option & { standard: string }, text: string | undefined): number {
  const digits = text ?? standard
  // `0x10`, `1e3` and ` 5` are numbers to JavaScript, and typing errors here.
  if (/^[0-9]{1,15}$/.test(digits)) return Number(digits)
  throw new Error(`${env} must be a whole number of ${unit}, not "${text}".`)
}
