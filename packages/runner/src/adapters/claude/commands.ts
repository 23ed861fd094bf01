import type { Initialized } from './schema.ts'

/**
 * Commands of Claude Code itself that a message may give. Others change the settings of the person whose program it is, how
 * it asks among them (`/config permissionMode=…`), and whoever may write to an agent may not do that.
 */
const harmless: ReadonlySet<string> = new Set([
  'clear',
  'code-review',
  'compact',
  'context',
  'cost',
  'init',
  'new',
  'recap',
  'reset',
  'review',
  'security-review',
  'usage',
])

/** The commands of a session: those that come with the program, and those that its person has written or added. */
export class Commands {
  readonly #own: ReadonlySet<string>

  constructor({ commands }: Pick<Initialized, 'commands'>) {
    const all = commands ?? []
    // A version that does not say which ones are its own says nothing of the others either.
    const isTold = all.some(({ builtin }) => builtin === true)
    this.#own = new Set(isTold ? all.flatMap(({ builtin, name }) => (builtin === true ? [] : [name])) : [])
  }

  /** The command that a message would give and may not give; undefined where it is words, or may. */
  refused(text: string): string | undefined {
    const name = /^\/(\S*)/.exec(text)?.[1]
    if (name === undefined || harmless.has(name) || this.#own.has(name)) return undefined
    return name
  }
}

/** The same words where they are no command: it takes one only at the very beginning. */
export function asWords(text: string): string {
  return ` ${text}`
}
