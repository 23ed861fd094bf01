import { parseArgs } from 'node:util'

/** The flags of the bench, each with what it means and what holds without it. */
export const flags = {
  quick: { type: 'boolean', default: false, help: 'shorter windows and fewer cells; not for publishing' },
  smoke: { type: 'boolean', default: false, help: 'a fraction of a second each: does every subject work?' },
  strict: { type: 'boolean', default: false, help: 'with --smoke: what the machine lacks is a failure' },
  help: { type: 'boolean', default: false, help: 'print this' },
  repeats: { type: 'string', default: '3', help: 'accepted samples for each cell and contender' },
  minutes: { type: 'string', default: '120', help: 'when they are over, cells that were not begun are left out' },
  only: {
    type: 'string',
    multiple: true,
    help: 'only contenders of this name (or with this in it); may be given again',
  },
  report: {
    type: 'string',
    default: '',
    help: 'file for everything that was found, as JSON (default: bench/.cache/report.json)',
  },
  profile: { type: 'string', default: '', help: 'directory for CPU profiles of all that runs on Node; slows it down' },
  scratch: { type: 'string', default: '', help: 'directory on the disk to measure (default: the temporary directory)' },
} as const

export interface Options {
  scenarios: readonly string[]
  profile: Profile
  strictness: 'strict' | 'lenient'
  help: boolean
  repeats: number
  budgetMs: number
  only: readonly string[]
  /** Empty: in the cache of the bench; after a smoke run nowhere. */
  report: string
  /** Empty: nothing is profiled. */
  profileDir: string
  scratch: string
}

/** How much is measured: `smoke` proves that it runs, `quick` gives an idea, `full` is what is published. */
export type Profile = 'smoke' | 'quick' | 'full'

/** Reads the command line. Throws on an unknown flag and on a number that is none. */
export function parseOptions(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({ args: [...argv], options: flags, allowPositionals: true, strict: true })
  return {
    scenarios: positionals,
    profile: values.smoke ? 'smoke' : values.quick ? 'quick' : 'full',
    strictness: values.strict ? 'strict' : 'lenient',
    help: values.help,
    repeats: parseCount('repeats', values.repeats),
    budgetMs: parseCount('minutes', values.minutes) * 60_000,
    only: values.only ?? [],
    report: values.report,
    profileDir: values.profile,
    scratch: values.scratch,
  }
}

function parseCount(name: string, text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1)
    throw new RangeError(`--${name} needs a whole number from 1, not "${text}"`)
  return count
}

/** The help text. `scenarios`: names and one sentence each. */
export function usage(scenarios: readonly { name: string; title: string }[]): string {
  const rows = Object.entries(flags).map(([name, flag]) => `  --${name.padEnd(9)} ${flag.help}`)
  const names = scenarios.map(({ name, title }) => `  ${name.padEnd(11)} ${title}`)
  return ['usage: node bench/src/main.ts [scenario ...] [flags]', '', ...names, '', ...rows, ''].join('\n')
}
