import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Step } from './script.ts'
import { parseScript } from './script-schema.ts'

/** What a start of the agent can be told. */
export interface AgentOptions {
  /** Played for each prompt that carries no script of its own; null: the demonstration. */
  script: readonly Step[] | null
  /** File that gets every inbound message; null: none. */
  journalFile: string | null
  /** Stretches the demonstration's pauses; 0 removes them. */
  pace: number
  /** Where transcripts lie; null: in each session's cwd. */
  stateFolder: string | null
}

const MAX_PACE = 10

/** Each option once: its flag, its variable (the flag wins) and its help. */
const OPTIONS = {
  script: {
    variable: 'HOTLINE_DEMO_SCRIPT',
    help: 'play this script (JSON file; the variable also takes the JSON itself) instead of the demonstration',
  },
  journal: { variable: 'HOTLINE_DEMO_JOURNAL', help: 'append every inbound message to this file, one JSON line each' },
  pace: { variable: 'HOTLINE_DEMO_PACE', help: 'stretch the demonstration: 1 is human pace, 0 has no pauses' },
  state: {
    variable: 'HOTLINE_DEMO_STATE',
    help: 'keep transcripts in this folder instead of .hotline-demo in each cwd',
  },
} as const

/** The text of --help. */
export const HELP: string = [
  'hotline-demo-agent: a scripted agent without a model, speaking the Agent Client Protocol (ACP v1) on stdin and stdout.',
  'It is meant to be started by a client such as Hotline.\n',
  ...Object.entries(OPTIONS).map(([flag, { variable, help }]) => `  --${flag} <value>, ${variable}\n      ${help}`),
  '  --help\n',
].join('\n')

/** Reads flags and environment. 'help' when help was asked for. Throws an Error that says what is wrong. */
export function parseOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): AgentOptions | 'help' {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...argv],
    options: { script: text, journal: text, pace: text, state: text, help: { type: 'boolean' } },
  })
  if (values.help) return 'help'
  const read = (flag: keyof typeof OPTIONS): string | null => values[flag] || env[OPTIONS[flag].variable] || null
  const script = read('script')
  return {
    script: script === null ? null : parseScript(isInline(script) ? script : readFileSync(script, 'utf8')),
    journalFile: read('journal'),
    pace: parsePace(read('pace')),
    stateFolder: read('state'),
  }
}

function isInline(script: string): boolean {
  return script.trimStart().startsWith('[')
}

function parsePace(text: string | null): number {
  const pace = text === null ? 1 : Number(text)
  if (Number.isNaN(pace) || pace < 0 || pace > MAX_PACE) {
    throw new Error(`pace must be a number from 0 to ${MAX_PACE}, not ${text}`)
  }
  return pace
}
