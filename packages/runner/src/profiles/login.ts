import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** Where an agent leaves what shows that somebody has signed in. Of a sign-in nothing is read: it is there, or it is not. */
export interface Login {
  /** Any of these variables is enough. */
  variables: readonly string[]
  /** Any of these files is enough: the variable that names its folder, the folder otherwise (below HOME), and the file. */
  files: readonly Trace[]
  /** Settings in which a line like this says that its models, or its sign-in, are elsewhere: then nothing found says nothing. */
  elsewhere?: readonly (Trace & { line: RegExp })[]
  /** It may keep its sign-in in the system's own store of secrets, which cannot be looked into: then nothing found says nothing. */
  keyring?: boolean
  /** How one signs in. */
  hint: string
}

/** A file below the folder that a variable names, or otherwise below a folder of HOME. */
interface Trace {
  variable?: string
  folder: string
  file: string
}

/** What can be seen from outside. A system's own store of secrets cannot be looked into without opening it. */
export type SignedIn = 'yes' | 'no' | 'unknown'

/** Whether somebody has signed in, as far as variables and files tell. */
export function lookForLogin(
  { variables, files, elsewhere = [], keyring = false }: Login,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): SignedIn {
  if (variables.some((name) => (env[name] ?? '') !== '')) return 'yes'
  const pathOf = ({ variable, folder, file }: Trace): string | undefined => {
    const named = variable === undefined ? undefined : env[variable]
    const root = named !== undefined && isAbsolute(named) ? named : env['HOME'] && join(env['HOME'], folder)
    return root === undefined || root === '' ? undefined : join(root, file)
  }
  const isThere = (trace: Trace): boolean => {
    const path = pathOf(trace)
    return path !== undefined && existsSync(path)
  }
  if (files.some(isThere)) return 'yes'
  if (elsewhere.some((trace) => trace.line.test(settingsIn(pathOf(trace))))) return 'unknown'
  // There the agents keep their sign-in in the key chain.
  return platform === 'linux' && !keyring ? 'no' : 'unknown'
}

/** Settings are short; of what is longer the beginning is enough. */
const settingsMaxChars = 100_000

function settingsIn(path: string | undefined): string {
  try {
    return path === undefined ? '' : readFileSync(path, 'utf8').slice(0, settingsMaxChars)
  } catch {
    // None, or none that we may read.
    return ''
  }
}
