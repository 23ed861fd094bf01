import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { PolicyMatch, PolicyRuleText } from '@hotline/protocol/policy'
import { readExactly } from '../exact-text.ts'
import { faultsOfRule, withEnd } from './check-rule.ts'
import { isKnownTool, policyRequest, type PolicyRequest, readDeed } from './deed.ts'
import { readPaths } from './named-path.ts'
import { whyNotRemembered } from './programs.ts'
import { readRisk } from './risk.ts'

/** The narrowest rule that would allow the same again, or in words that end "because …", why there is none. */
export type Remembered = { ok: true; rule: PolicyRuleText } | { ok: false; why: string }

/** What an agent may do from then on, what it plans, and what it types into a program that runs. */
const decidedEachTime: ReadonlySet<string> = new Set([
  'request_permissions',
  'ExitPlanMode',
  'write_stdin',
  'switch_mode',
])

/** What "always allow" would write for a request. What could do lasting harm is asked every time. */
export function ruleFor(
  request: PolicyRequest,
  { now, sha256 }: { now: string; sha256: (text: string) => string },
): Remembered {
  const deed = readDeed(request)
  const { risk, why } = readRisk(request, deed)
  const isGrave = request.input !== undefined && readExactly(request.input).grave
  if (isGrave || (deed.does !== 'other' && risk === 'high'))
    return { ok: false, why: why[0] ?? 'it could do lasting harm' }
  const subject = subjectOf(request, sha256)
  if ('why' in subject) return { ok: false, why: subject.why }
  const { agent, tool } = request
  const rule = withEnd({ effect: 'allow', match: { agent, tool, ...subject.match } }, now)
  const [fault] = faultsOfRule(rule, now)
  return fault === undefined ? { ok: true, rule } : { ok: false, why: `no rule can say it. ${fault}` }
}

/**
 * The same for a request as it stands in the log, where a person can read what the rule says: none for what was masked, and none
 * for what is known by its digest alone.
 */
export function ruleForAsked(asked: ApprovalRequest, agent: string, now: string): Remembered {
  const { tool, redacted } = asked
  if (redacted === true) return { ok: false, why: 'a secret is masked in it' }
  const found = ruleFor(policyRequest(agent, asked), { now, sha256: () => '' })
  if (!found.ok || found.rule.match.input === undefined) return found
  return { ok: false, why: `nobody here knows what "${tool}" does` }
}

function subjectOf(request: PolicyRequest, sha256: (text: string) => string): { match: PolicyMatch } | { why: string } {
  const deed = readDeed(request)
  switch (deed.does) {
    case 'run': {
      if (deed.argv === undefined) return { why: deed.why }
      const why = whyNotRemembered(deed.argv)
      return why === undefined ? { match: { does: 'run', command: [...deed.argv] } } : { why }
    }
    case 'edit':
    case 'read': {
      const [named, ...more] = readPaths(request, deed.paths)
      const path = named?.inside?.written
      if (!named || more.length > 0) return { why: 'it is about more than one file' }
      if (path === undefined || path === '') return { why: 'it is not known to be in the folder of the session' }
      return named.inside?.opened === path
        ? { match: { does: deed.does, path } }
        : { why: 'a link leads to another file' }
    }
    case 'fetch':
      return { match: { does: 'fetch', host: deed.host } }
    case 'plan':
      return { why: 'it is a decision of its own each time' }
    case 'other':
      if (request.input === undefined || isKnownTool(request.tool)) return { why: deed.why }
      if (decidedEachTime.has(request.tool)) return { why: 'it is a decision of its own each time' }
      return { match: { input: sha256(request.input) } }
  }
}
