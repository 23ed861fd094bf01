import { join } from 'node:path'
import type { GitOf } from './repository.ts'
import { runGit } from './run-git.ts'

const configMs = 20_000

/** What a commit says of itself. */
export interface CommitWords {
  message: string
  /** `Name: value` lines at its end. */
  trailers: readonly (readonly [name: string, value: string])[]
}

/** Who commits. */
export interface Identity {
  name: string
  email: string
}

/** Who commits on this machine, as they have told git, for a git directory. */
export async function identityOf({ program, home }: GitOf, gitDir: string): Promise<Identity> {
  const personal = home === undefined ? {} : { HOME: home, GIT_CONFIG_GLOBAL: join(home, '.gitconfig') }
  const env = { GIT_DIR: gitDir, ...personal }
  const [name, email] = await Promise.all(
    ['user.name', 'user.email'].map((key) =>
      runGit({ program, args: ['config', '--get', key], cwd: gitDir, env, timeoutMs: configMs }).catch(() => ''),
    ),
  )
  return { name: name?.trim() || 'Hotline', email: email?.trim() || 'hotline@localhost' }
}

/** The same, as git hears of it. */
export function asAuthor({ name, email }: Identity): Readonly<Record<string, string>> {
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email }
}

/** The whole text of a commit. */
export function messageOf({ message, trailers }: CommitWords): string {
  const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
  return `${message.trim()}\n\n${trailers.map(([name, value]) => `${name}: ${oneLine(value)}`).join('\n')}\n`
}
