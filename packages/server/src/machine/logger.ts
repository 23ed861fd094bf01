import { type DestinationStream, type Logger as Pino, pino, stdTimeFunctions } from 'pino'

/** Facts beside a line: text, numbers, switches, or an error. */
export type Facts = Readonly<Record<string, unknown>>

/** Structured lines about one area of the program. `event` is a short fixed phrase; what varies goes into the facts. */
export interface Logger {
  debug(event: string, facts?: Facts): void
  info(event: string, facts?: Facts): void
  warn(event: string, facts?: Facts): void
  error(event: string, facts?: Facts): void
  /** The same for another area; its details are written where `debugAreas` names it. */
  area(name: string): Logger
}

/** What is logged, and where to. */
export interface LoggerOptions {
  debugAreas?: readonly string[]
  /** Standard error when absent. */
  destination?: DestinationStream
}

/** Members that never appear with their value, whoever logs them. */
const secretNames = /^(password|current|next|token|ticket|secret|code|cookie|authorization|setcookie|body|query)$/i
/** The last resort: whatever looks like one of our tokens, or like one that was signed. */
const tokenPattern = /hl_[a-z]{3}_[A-Za-z0-9_-]+|eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){1,2}/g

const maxTextChars = 1_000
const maxFacts = 30
const maxItems = 20
const maxDepth = 3

/**
 * JSON lines on standard error: one line for each call, every field bounded, control characters escaped, no secret. Debug
 * lines appear for the named areas alone.
 */
export function openLogger({
  debugAreas = [],
  destination = pino.destination({ fd: 2, sync: true }),
}: LoggerOptions = {}): Logger {
  const root = pino(
    {
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      level: 'info',
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  const area = (name: string): Logger => {
    const level = debugAreas.includes(name) || debugAreas.includes('*') ? 'debug' : 'info'
    const child = root.child({ area: cleanText(name) }, { level })
    return {
      debug: (event, facts) => write(child, 'debug', event, facts),
      info: (event, facts) => write(child, 'info', event, facts),
      warn: (event, facts) => write(child, 'warn', event, facts),
      error: (event, facts) => write(child, 'error', event, facts),
      area,
    }
  }
  return area('server')
}

function write(log: Pino, level: 'debug' | 'info' | 'warn' | 'error', event: string, facts: Facts = {}): void {
  if (log.isLevelEnabled(level)) log[level](clean(facts, 0), cleanText(event))
}

function clean(value: unknown, depth: number): object | string | number | boolean | null {
  if (typeof value === 'string') return cleanText(value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  if (value instanceof Error)
    return { error: cleanText(value.name), message: cleanText(value.message), stack: cleanStack(value) }
  if (typeof value !== 'object') return typeof value
  if (depth >= maxDepth) return '…'
  if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => clean(item, depth + 1))
  const entries = Object.entries(value).slice(0, maxFacts)
  return Object.fromEntries(
    entries.map(([name, fact]) => [
      cleanText(name).slice(0, 60),
      secretNames.test(name) ? '[secret]' : clean(fact, depth + 1),
    ]),
  )
}

function cleanStack(error: Error): string {
  return cleanText((error.stack ?? '').split('\n').slice(1, 12).join('\n'))
}

/** JSON escapes C0; C1, line separators and what turns text around are made visible too, for those who read with `tail`. */
function cleanText(text: string): string {
  const cut = text.length > maxTextChars ? `${text.slice(0, maxTextChars)}… (${text.length} characters)` : text
  return cut
    .toWellFormed()
    .replace(tokenPattern, (token) => `${token.slice(0, 7)}…`)
    .replace(
      /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
}
