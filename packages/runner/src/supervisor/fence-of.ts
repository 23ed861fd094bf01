import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, isAbsolute, join } from 'node:path'
import type { Placement } from '../isolation/placement.ts'
import { findRoot } from '../isolation/repository.ts'
import type { Contained } from '../process/containing.ts'
import type { Fence } from '../process/fence.ts'
import type { SettledProfile } from '../profiles/containment.ts'
import { agentHome } from './agent-homes.ts'

/** What tools keep of what they fetched, in the home folder. */
const caches: readonly string[] = [
  '.cache',
  '.npm',
  '.cargo/registry',
  '.cargo/git',
  'go/pkg',
  '.gradle/caches',
  '.m2/repository',
]

/** Of these, what is made where it is not there: behind a fence nobody could. */
const made: readonly string[] = ['.cache', '.npm']

/** Keys and logins of a person, and what speaks for them. */
const secrets: readonly string[] = [
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.kube',
  '.docker',
  '.netrc',
  '.git-credentials',
  '.pypirc',
  '.cargo/credentials',
  '.cargo/credentials.toml',
  '.terraform.d/credentials.tfrc.json',
  '.password-store',
  '.config/gcloud',
  '.config/gh',
  '.config/glab-cli',
  '.config/op',
  '.config/rclone',
  '.config/hotline',
  '.local/share/keyrings',
  '.mozilla',
  '.config/google-chrome',
  '.config/chromium',
  '.config/microsoft-edge',
  '.config/BraveSoftware',
  '.thunderbird',
]

/** Variables that say where programs keep what they made. */
const stateVariables: readonly string[] = ['XDG_CACHE_HOME', 'XDG_STATE_HOME']

/** What programs need of `/run`: how names of machines are found, and, on NixOS, the system itself. */
const needed: readonly string[] = [
  '/etc/resolv.conf',
  '/run/booted-system',
  '/run/current-system',
  '/run/opengl-driver',
]

/** What a fence is made around. */
interface FenceOf {
  profile: Pick<SettledProfile, 'contain' | 'argv'>
  /** The program itself, and its arguments. */
  argv: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
  placement: Placement | undefined
  /** Of Hotline: keys, the log, places of other sessions. */
  dataDir: string
  /** The file and the socket of the session's desk, where it has one. */
  desk: readonly string[]
  /** Where the files of messages are; absent where nobody sends any. */
  given?: string | undefined
  /** A folder of the session's own for temporary files. */
  temporary: string
}

/** What an agent is contained in, as its profile was settled: kept together, or kept from files as well; and what that sets. */
export function containedIn(of: FenceOf): { contained: Contained | undefined; env: Readonly<Record<string, string>> } {
  switch (of.profile.contain) {
    case 'none':
      return { contained: undefined, env: of.env }
    case 'processes':
      return { contained: 'processes', env: of.env }
    case 'files': {
      const fence = fenceOf(of)
      return { contained: fence, env: { ...of.env, TMPDIR: fence.temporary === undefined ? of.temporary : '/tmp' } }
    }
  }
}

function fenceOf({ profile, argv, cwd, env, placement, dataDir, desk, given, temporary }: FenceOf): Fence {
  const home = env['HOME'] ?? homedir()
  const program = profile.argv === 'of-session' ? undefined : basename(profile.argv[0] ?? '')
  const { kept, sealed } = agentHome(program, { home, env })
  const named = stateVariables.flatMap((name) => env[name] ?? []).filter((path) => isAbsolute(path))
  const git = gitFoldersOf(placement, cwd)
  for (const folder of [temporary, ...made.map((name) => join(home, name))]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }
  // What is needed and lies in `/tmp` would not be there any more: a program, the home folder, or Hotline itself.
  const isThere = [...argv, import.meta.dirname, home].some((path) => path.startsWith('/tmp/') && existsSync(path))
  return {
    writable: [
      ...kept,
      ...caches.map((name) => join(home, name)),
      ...named,
      placement?.folder ?? cwd,
      ...git,
      ...desk,
      ...(isThere ? [temporary] : []),
    ].map(asItIs),
    sealed: [
      ...git.flatMap((folder) => [join(folder, 'hooks'), join(folder, 'config')]),
      ...linkTo(placement),
      ...sealed.filter((path) => existsSync(path)),
    ].map(asItIs),
    hidden: [...secrets.map((name) => join(home, name)), dataDir, '/run', '/var/run'].map(asItIs),
    readable: [
      ...needed.map(asItIs).filter((path) => path.startsWith('/run/')),
      ...(given === undefined ? [] : [asItIs(given)]),
    ],
    temporary: isThere ? undefined : temporary,
  }
}

/** What git writes to when somebody commits there. */
function gitFoldersOf(placement: Placement | undefined, cwd: string): readonly string[] {
  if (placement?.worktree) return [placement.worktree.common]
  const found = existsSync(cwd) ? findRoot(cwd) : undefined
  return found ? [...new Set([found.common, found.gitDir])] : []
}

/** The file by which a worktree finds its repository. */
function linkTo(placement: Placement | undefined): readonly string[] {
  return placement?.worktree && placement.folder !== undefined ? [join(placement.folder, '.git')] : []
}

/** Links to folders are no places to mount something at. */
function asItIs(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
