import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Placement } from '../isolation/placement.ts'
import { findRoot } from '../isolation/repository.ts'
import type { Contained } from '../process/containing.ts'
import type { Fence } from '../process/fence.ts'
import type { AgentProfile } from '../profiles/profile.ts'

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

/** Where agents keep their sessions and their login, by the name of their program. */
const stateOf: Readonly<Record<string, readonly string[]>> = {
  claude: ['.claude', '.claude.json'],
  'claude-agent-acp': ['.claude', '.claude.json'],
  codex: ['.codex'],
  'codex-acp': ['.codex'],
  opencode: ['.local/share/opencode', '.local/state/opencode', '.config/opencode'],
  gemini: ['.gemini'],
  qwen: ['.qwen'],
  copilot: ['.copilot'],
}

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
  '.password-store',
  '.config/gcloud',
  '.config/gh',
  '.config/hotline',
  '.local/share/keyrings',
  '.mozilla',
  '.config/google-chrome',
  '.config/chromium',
]

/** Variables that say where an agent keeps its state. */
const stateVariables: readonly string[] = [
  'CLAUDE_CONFIG_DIR',
  'CODEX_HOME',
  'XDG_CACHE_HOME',
  'XDG_STATE_HOME',
  'OPENCODE_CONFIG_DIR',
]

/** What a fence is made around. */
interface FenceOf {
  profile: Pick<AgentProfile, 'contain' | 'argv'>
  /** The program itself, and its arguments. */
  argv: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
  placement: Placement | undefined
  /** Of Hotline: keys, the log, places of other sessions. */
  dataDir: string
  /** The file and the socket of the session's desk, where it has one. */
  desk: readonly string[]
  /** A folder of the session's own for temporary files. */
  temporary: string
}

/** What an agent is contained in, as its profile wants it: kept together, or kept from files as well; and what that sets. */
export function containedIn(of: FenceOf): { contained: Contained | undefined; env: Readonly<Record<string, string>> } {
  const { contain } = of.profile
  if (contain !== 'files') return { contained: contain, env: of.env }
  const fence = fenceOf(of)
  return { contained: fence, env: { ...of.env, TMPDIR: fence.temporary === undefined ? of.temporary : '/tmp' } }
}

function fenceOf({ profile, argv, cwd, env, placement, dataDir, desk, temporary }: FenceOf): Fence {
  const home = env['HOME'] ?? homedir()
  const program = profile.argv === 'of-session' ? undefined : profile.argv[0]
  const state = ['.cache', ...(stateOf[program ?? ''] ?? [])].map((name) => join(home, name))
  const fetched = caches.map((name) => join(home, name))
  const named = stateVariables.flatMap((name) => env[name] ?? []).filter((path) => isAbsolute(path))
  const git = gitFoldersOf(placement, cwd)
  // An agent that was never started here would make its folder, and cannot.
  for (const folder of [temporary, ...state.filter((path) => !path.endsWith('.json'))]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }
  // A program that lies in `/tmp` would not be there any more.
  const isThere = argv.some((word) => word.startsWith('/tmp/') && existsSync(word))
  return {
    writable: [
      ...state,
      ...fetched,
      ...named,
      placement?.folder ?? cwd,
      ...git,
      ...desk,
      ...(isThere ? [temporary] : []),
    ].map(asItIs),
    sealed: [...git.flatMap((folder) => [join(folder, 'hooks'), join(folder, 'config')]), ...linkTo(placement)].map(
      asItIs,
    ),
    hidden: [...secrets.map((name) => join(home, name)), dataDir, '/run', '/var/run'].map(asItIs),
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
