import { isTrusted } from '@hotline/core/project/decide'
import { parseCommand } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import type { TrustQuestion } from '@hotline/protocol/place'
import type { Principal } from '../access/principal.ts'
import type { Exchange } from './exchange.ts'
import { nothingHere } from './outcome.ts'

type TrustOutcome = { ok: true; trusted: boolean } | { ok: false; problem: Problem }

/**
 * Whether a session may start with the settings of its folder: a person has allowed it in this session, or for the project and
 * this machine. What was allowed for the project is written down here, in the project's own stream, from the session's log
 * and from nothing that the machine says.
 */
export async function mayStartWith(
  exchange: Exchange,
  system: Principal,
  runner: Principal,
  { session, folder, digest }: TrustQuestion,
): Promise<TrustOutcome> {
  const state = (await exchange.snapshot(`session:${session}`))?.state
  if (state?.kind !== 'session' || state.lease?.runner !== runner.id) return { ok: false, problem: nothingHere() }
  const stream = `project:${state.project}`
  const project = (await exchange.snapshot(stream))?.state
  const trusted = { runner: runner.id, digest }
  if (project?.kind === 'project' && isTrusted(project, trusted)) return { ok: true, trusted: true }
  const allowed = state.resolved.findLast(({ trusts }) => trusts?.digest === digest)
  if (allowed?.outcome !== 'allowed') return { ok: true, trusted: false }
  if (allowed.trusts?.scope !== 'project') return { ok: true, trusted: true }
  const data = { ...trusted, folder, session, by: allowed.by }
  // The approval names what was allowed: asked again, it is written once.
  const parsed = parseCommand({ id: `trust-${allowed.approval}`, stream, type: 'folder.trust', data })
  if ('issues' in parsed) return { ok: false, problem: problem('invalid_request', 'The folder cannot be named.') }
  const outcome = await exchange.command(system, parsed.command)
  return outcome.ok ? { ok: true, trusted: true } : outcome
}
