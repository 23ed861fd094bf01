import { hash, verify } from '@node-rs/argon2'

/** OWASP's first choice for argon2id: 19 MiB, two passes. */
const cost = { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 } as const
/** Hashing is memory that an attacker can ask for: so many at once, the others wait in line, and a longer line is refused. */
const runningMax = 4
const waitingMax = 64

/** Passwords that everybody tries first, in parts: a password made of them alone is refused. */
const common = [
  'password',
  'passwort',
  'qwertyuiop',
  'qwerty',
  'letmein',
  'iloveyou',
  'hotline',
  'welcome',
  'administrator',
  'admin',
  'changeme',
  'secret',
  'monkey',
  'dragon',
  'football',
  'baseball',
  'sunshine',
  'princess',
  'master',
  'trustno',
  'asdfghjkl',
  'zxcvbnm',
  'abcdef',
  'correcthorsebatterystaple',
]

/** Why a password is refused, or undefined. Length is checked by the schema. */
export function weakness(password: string, name: string): string | undefined {
  const plain = password.toLowerCase()
  if (new Set(plain).size < 5) return 'The password repeats a few characters. Use a longer sentence.'
  let rest = plain.replaceAll(/[^a-z]/g, '')
  for (const word of [name.toLowerCase(), ...common].filter((word) => word.length > 2)) rest = rest.replaceAll(word, '')
  if (rest.length < 3 && !/[^\d\s]{8,}/.test(plain.replaceAll(/[a-z]/g, ''))) {
    return 'The password is made of words and numbers that are tried first. Use a sentence of your own.'
  }
  return undefined
}

export interface Passwords {
  hash(password: string): Promise<string | 'busy'>
  /** The same work whether there is a hash or not, so that time does not tell which names exist. */
  verify(stored: string | undefined, password: string): Promise<boolean | 'busy'>
}

export function openPasswords(): Passwords {
  let running = 0
  const waiting: (() => void)[] = []
  const decoy = hash('no account has this password', cost)

  async function inLine<T>(work: () => Promise<T>): Promise<T | 'busy'> {
    if (running >= runningMax) {
      if (waiting.length >= waitingMax) return 'busy'
      await new Promise<void>((go) => waiting.push(go))
    } else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }

  return {
    hash: (password) => inLine(() => hash(password, cost)),
    verify: (stored, password) =>
      inLine(async () => {
        const right = await verify(stored ?? (await decoy), password)
        return right && stored !== undefined
      }),
  }
}
