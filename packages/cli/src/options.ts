/**
 * One setting of the command line: its flag, its variable, what it holds when it is not given, and what it is for. The
 * flags, `--help` and the reader come from these records.
 */
export interface Option {
  flag: string
  /** Name of the flag's value; absent for a switch. */
  value?: string
  env?: string
  type: 'text' | 'url' | 'path' | 'secret' | 'port' | 'switch'
  /** In words, for `--help`. */
  standard?: string
  unit?: string
  help: string
}

/** The settings that every command takes. */
export const options = {
  url: {
    flag: '--url',
    value: '<url>',
    env: 'HOTLINE_URL',
    type: 'url',
    standard: 'the server on this machine',
    help: 'The server to speak to.',
  },
  token: {
    flag: '--token',
    value: '<token>',
    env: 'HOTLINE_TOKEN',
    type: 'secret',
    standard: 'what "hotline sign-in" stored, or what the server on this machine left for its owner',
    help: 'A personal token or an API key. The variable is better: others on this machine can read flags.',
  },
  dataDir: {
    flag: '--data-dir',
    value: '<folder>',
    env: 'HOTLINE_DATA_DIR',
    type: 'path',
    standard: '~/.hotline',
    help: 'Where the server on this machine keeps everything.',
  },
  port: {
    flag: '--port',
    value: '<port>',
    env: 'HOTLINE_PORT',
    type: 'port',
    standard: '4680, or the next free one',
    unit: 'port number',
    help: 'Where "hotline up" listens.',
  },
  json: { flag: '--json', type: 'switch', help: 'Machine-readable output: one JSON value, or one in each line.' },
} as const satisfies Record<string, Option>

/** The text of an option in `--help`. */
export function describeOption(option: Option): string {
  const given = [option.env, option.standard === undefined ? undefined : `default: ${option.standard}`]
  const facts = given.filter((fact) => fact !== undefined).join('; ')
  return facts === '' ? option.help : `${option.help} (${facts})`
}
