import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** Where an agent leaves what shows that somebody has signed in. Nothing of it is ever read: it is there, or it is not. */
export interface Login {
  /** Any of these variables is enough. */
  variables: readonly string[]
  /** Any of these files is enough: the variable that names its folder, the folder otherwise (below HOME), and the file. */
  files: readonly { variable?: string; folder: string; file: string }[]
  /** It may keep its sign-in in the system's own store of secrets, which cannot be looked into: then nothing found says nothing. */
  keyring?: boolean
  /** How one signs in. */
  hint: string
}

/** What can be seen from outside. A system's own store of secrets cannot be looked into without opening it. */
export type SignedIn = 'yes' | 'no' | 'unknown'

/** Whether somebody has signed in, as far as variables and files tell. */
export function lookForLogin(
  { variables, files, keyring = false }: Login,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): SignedIn {
  if (variables.some((name) => (env[name] ?? '') !== '')) return 'yes'
  const found = files.some(({ variable, folder, file }) => {
    const named = variable === undefined ? undefined : env[variable]
    const root = named !== undefined && isAbsolute(named) ? named : env['HOME'] && join(env['HOME'], folder)
    return root !== undefined && root !== '' && existsSync(join(root, file))
  })
  if (found) return 'yes'
  // There the agents keep their sign-in in the key chain.
  return platform === 'linux' && !keyring ? 'no' : 'unknown'
}
