import { nearest } from './nearest.ts'
import type { AgentProfile } from './profile.ts'
import { type ProfileProblem, problemLine } from './problem.ts'
import { basename } from 'node:path'
import type { ReadProfile, WrittenProfile } from './yaml/read-profile.ts'

/** All agents that are known here: those that can be used, and those whose profile is wrong, with the first reason. */
export interface Agents {
  profiles: ReadonlyMap<string, AgentProfile>
  broken: ReadonlyMap<string, string>
  problems: readonly ProfileProblem[]
}

/**
 * Puts the profiles of files beside those that come with Hotline. One that takes the place of another has to say so. A file
 * that is wrong takes its own agent away and no other: a rule that somebody wanted is never dropped in silence by starting
 * what it was written over.
 */
export function resolveAgents(builtin: readonly AgentProfile[], files: readonly ReadProfile[]): Agents {
  const given = new Map(builtin.map((profile) => [profile.agent, profile]))
  const profiles = new Map(given)
  const broken = new Map<string, string>()
  const owners = new Map<string, string>()
  for (const { agent, profile, problems } of files) {
    const file = profile?.says.file ?? problems[0]?.file ?? ''
    const first = owners.get(agent)
    if (profile && first !== undefined) {
      profile.say('id', `There is an agent "${agent}" already, in ${basename(first)}. Give one of them another "id".`)
    }
    owners.set(agent, first ?? file)
    const whole = profile && problems.length === 0 ? complete(profile, given) : undefined
    const [problem] = problems.toSorted(byPlace)
    if (whole && problem === undefined) {
      profiles.set(agent, whole)
      continue
    }
    // A second file of the same name breaks neither: whose it is stays as it was.
    if (first !== undefined || problem === undefined) continue
    profiles.delete(agent)
    broken.set(agent, problemLine({ ...problem, file: basename(problem.file) }))
  }
  return { profiles, broken, problems: files.flatMap(({ problems }) => problems.toSorted(byPlace)) }
}

function byPlace(one: ProfileProblem, other: ProfileProblem): number {
  return one.line - other.line || one.column - other.column
}

/** Undefined where it cannot be completed; why is said. */
function complete(written: WrittenProfile, given: ReadonlyMap<string, AgentProfile>): AgentProfile | undefined {
  const { agent, override, says, say } = written
  if (given.has(agent) && !override) {
    say(
      'id',
      `"${agent}" comes with Hotline. Give this one another "id", or say "override: true" to put it in its place.`,
    )
    return undefined
  }
  if (override && !given.has(agent)) {
    say('override', `No agent "${agent}" comes with Hotline, so there is nothing to override. Leave it out.`)
    return undefined
  }
  const base = written.extends === undefined ? undefined : given.get(written.extends)
  if (written.extends !== undefined && base === undefined) {
    const near = nearest(written.extends, [...given.keys()])
    const instead = near === undefined ? `There are: ${[...given.keys()].join(', ')}.` : `Did you mean "${near}"?`
    say('extends', `No agent "${written.extends}" comes with Hotline. ${instead}`)
    return undefined
  }
  const { argv = base?.argv, adapter = base?.adapter, asking = base?.asking } = says
  if (argv === undefined || adapter === undefined || argv === 'of-session') {
    say('command', 'There is no "command": the program, then its arguments.')
    return undefined
  }
  if (asking?.by === 'settings' && (adapter === 'claude' || adapter === 'codex')) {
    say('asking', `With the adapter ${adapter} it asks in its modes. Name some, or leave "asking" out.`)
    return undefined
  }
  const whole = { ...base, ...says }
  return {
    ...whole,
    agent,
    name: says.name ?? agent,
    description: says.description ?? base?.description ?? argv.join(' ').slice(0, 500),
    argv,
    adapter,
    asking: asking ?? { by: 'settings' },
    env: [...new Set([...(base?.env ?? []), ...(says.env ?? [])])],
    set: { ...base?.set, ...says.set },
    hint: says.hint ?? base?.hint ?? '',
  }
}
