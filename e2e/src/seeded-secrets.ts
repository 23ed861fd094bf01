import type { SeededRandom } from '@hotline/testing/seed'

/** A secret, the random characters in it that nobody shall read anywhere, and the form in which agents find it. */
export interface SeededSecret {
  /** The variable that hands it over. */
  name: string
  value: string
  /** Letters and digits alone, which no escaping changes. */
  cores: readonly string[]
}

/** How a secret may look: around random letters and digits, what people put around theirs. */
const shapes: Readonly<Record<string, (core: (chars: number) => string) => string>> = {
  ANTHROPIC_API_KEY: (core) => `sk-ant-api03-${core(48)}-${core(16)}`,
  OPENAI_API_KEY: (core) => `sk-proj-${core(40)}`,
  GITHUB_TOKEN: (core) => `ghp_${core(36)}`,
  GITLAB_PAT: (core) => `glpat-${core(20)}`,
  SLACK_BOT_TOKEN_2: (core) => `xoxb-${core(12)}-${core(24)}`,
  AWS_SECRET_ACCESS_KEY: (core) => `${core(12)}/${core(12)}+${core(13)}=`,
  PAY_KEY_LIVE: (core) => `rk_live_${core(32)}`,
  MODEL_ACCESS_TOKEN: (core) => `hf_${core(34)}`,
  SHORTEST_KEY: (core) => core(8),
  PROGRAM_KEY: (core) => core(13),
  DATABASE_URL: (core) => `postgres://app:${core(20)}@db.internal:5432/app?sslmode=require`,
  REDIS_URL: (core) => `rediss://:${core(16)}@cache:6379/0`,
  HTTPS_PROXY: (core) => `http://dana:${core(14)}@127.0.0.1:9`,
  SESSION_JWT: (core) => `eyJ${core(20)}.eyJ${core(60)}.${core(43)}`,
  DEPLOY_KEY: (core) =>
    ['-----BEGIN PRIVATE KEY-----', core(64), core(64), core(40), '-----END PRIVATE KEY-----', ''].join('\n'),
  CRLF_KEY: (core) => `${core(24)}\r\n${core(24)}`,
  CLOUD_CREDENTIALS: (core) =>
    JSON.stringify({ type: 'service', id: core(24), key: `${core(40)}\n${core(40)}` }, null, 2),
  QUOTED_SECRET: (core) => `"${core(14)}\\${core(14)}"`,
  SHELL_PASSWORD: (core) => `it's $(${core(16)}) \`${core(10)}\``,
  URL_PASSWORD: (core) => `p&ss=${core(16)} /?#%41 ${core(10)}`,
  PATTERN_SECRET: (core) => `^.*+?()[]{}|$${core(16)}`,
  WIDE_PASSPHRASE: (core) => `schlüssel \u{1f511} ${core(18)} naïve`,
  HTML_SECRET: (core) => `<b>${core(18)}</b>&amp;`,
  TABBED_COOKIE: (core) => `sid=${core(18)};\tother=${core(12)}`,
  LONG_TOKEN: (core) => core(3_000),
  NEWLINE_TOKEN: (core) => `${core(32)}\n`,
}

const alphabet: readonly string[] = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'.split('')

/** One of each shape. */
export function seedSecrets(random: SeededRandom): SeededSecret[] {
  return Object.entries(shapes).map(([name, shape]) => {
    const cores: string[] = []
    const core = (chars: number): string => {
      const text = Array.from({ length: chars }, () => random.pick(alphabet)).join('')
      cores.push(text)
      return text
    }
    return { name, value: shape(core), cores }
  })
}

/** The ways in which an agent may say a secret: as it is, inside JSON, in an address, in base64, line by line. */
export function spoken({ value }: Pick<SeededSecret, 'value'>): readonly string[] {
  const json = JSON.stringify(value)
  return [
    value,
    json,
    JSON.stringify({ body: json }),
    encodeURIComponent(value),
    new URLSearchParams({ q: value }).toString(),
    Buffer.from(value).toString('base64'),
    Buffer.from(`a:${value}`).toString('base64'),
    Buffer.from(`me:${value}`).toString('base64url'),
    value.replaceAll('\n', '\n+'),
  ]
}

/** What of a secret nobody shall find: pieces of its random characters, and of its base64. */
export function traces({ value, cores }: SeededSecret): readonly string[] {
  const traced: string[] = []
  for (const core of cores) for (let at = 0; at + 8 <= core.length; at += 12) traced.push(core.slice(at, at + 12))
  for (const text of spoken({ value }).slice(5, 8)) {
    const middle = text.slice(8, -8)
    if (middle.length >= 16) traced.push(middle.slice(0, 16), middle.slice(-16))
  }
  return traced
}
