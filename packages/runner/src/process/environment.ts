/** Variables that every agent gets: any program may need them, and they hold no secret of ours. */
export const surroundings: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'LC_ALL',
  'LC_CTYPE',
  'LC_COLLATE',
  'LC_MESSAGES',
  'LC_NUMERIC',
  'LC_TIME',
  'TZ',
  'TERM',
  'COLORTERM',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
]

/**
 * Never handed over, not even where a profile names them: what makes a loader, a shell, git or an interpreter run
 * something else, what tells an agent that it sits in a sandbox, and every setting of ours but those of the demonstration.
 */
const refused: readonly RegExp[] = [
  /^LD_/i,
  /^DYLD_/i,
  /^NODE_/i,
  /^GIT_/i,
  /^PYTHON/i,
  /^PERL5/i,
  /^RUBY(OPT|LIB)$/i,
  /^_?JAVA_(TOOL_)?OPTIONS$/i,
  /^(BASH_ENV|ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|IFS)$/i,
  /^BASH_FUNC_/i,
  /^GCONV_PATH$/i,
  /^IS_SANDBOX$/i,
  /^SSH_(AUTH_SOCK|AGENT_PID|ASKPASS)$/i,
  /^HOTLINE_(?!DEMO_)/i,
]

/** A name that every shell and every program reads in the same way. */
const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

/** By this variable the processes of one run are found again, whatever their parent is now. Its value says nothing else. */
export const runVariable = 'HOTLINE_RUN'

/** By this one its programs find the desk of the session: a file that this user alone can read. */
export const deskVariable = 'HOTLINE_SESSION'

/** What an environment is made of. */
export interface EnvironmentPlan {
  /** What this process was started with. */
  from: Readonly<Record<string, string | undefined>>
  /** Names that the agent's profile wants handed over besides those that everybody gets. */
  names?: readonly string[]
  /** Values that the agent's profile sets. */
  set?: Readonly<Record<string, string>>
  cwd: string
  /** The mark of this run. */
  run: string
  /** The file of the session's desk. */
  desk?: string | undefined
}

/** True for a variable that may reach an agent if a profile asks for it. */
export function mayPass(name: string): boolean {
  return namePattern.test(name) && !refused.some((pattern) => pattern.test(name))
}

/**
 * The whole environment of an agent, built from nothing. `refused` names what a profile asked for and does not get, for
 * the log.
 */
export function buildEnvironment(plan: EnvironmentPlan): { env: Record<string, string>; refused: readonly string[] } {
  const wanted = [...(plan.names ?? []), ...Object.keys(plan.set ?? {})]
  const env: Record<string, string> = {}
  for (const name of [...surroundings, ...(plan.names ?? [])]) {
    const value = plan.from[name]
    if (value !== undefined && mayPass(name)) env[name] = value
  }
  for (const [name, value] of Object.entries(plan.set ?? {})) {
    if (mayPass(name) && !value.includes('\0')) env[name] = value
  }
  env['PWD'] = plan.cwd
  env[runVariable] = plan.run
  if (plan.desk !== undefined) env[deskVariable] = plan.desk
  return { env, refused: wanted.filter((name) => !mayPass(name)) }
}
