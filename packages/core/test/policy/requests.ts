import type { PolicyRule, PolicyRuleText } from '@hotline/protocol/policy'
import type { PolicyMode } from '@hotline/protocol/policy-mode'
import { PolicyRuleText as Schema } from '@hotline/protocol/policy'
import { withEnd, faultsOfRule } from '@hotline/core/policy/check-rule'
import type { PolicyRequest } from '@hotline/core/policy/deed'
import { type Evaluation, evaluate } from '@hotline/core/policy/evaluate'
import { sha256 } from '../fixtures.ts'

export const now = '2026-01-01T00:00:00.000Z'
export const cwd = '/w/app'
export const at = { now, sha256 }

/** A command as Claude Code asks for it. */
export function bash(command: string, more: object = {}): PolicyRequest {
  return { agent: 'claude', tool: 'Bash', input: JSON.stringify({ command, ...more }), cwd }
}

/** A change to a file of which the runner has looked where it leads; by its own name unless it is said otherwise. */
export function edit(path: string, opened?: string, tool = 'Write'): PolicyRequest {
  const named = path.startsWith('/') ? path : `${cwd}/${path}`
  const input = JSON.stringify({ file_path: path, content: 'x' })
  return { agent: 'claude', tool, input, cwd, opened: { [cwd]: cwd, [path]: opened ?? named } }
}

export function fetching(url: string): PolicyRequest {
  return { agent: 'claude', tool: 'WebFetch', input: JSON.stringify({ url, prompt: 'What is it?' }), cwd }
}

/** A rule that was taken at its saving; throws where it would not be. */
export function ruleOf(rule: string, text: Omit<PolicyRuleText, 'until'> & { until?: string }): PolicyRule {
  const whole = withEnd(Schema.parse(text), now)
  const faults = faultsOfRule(whole, now)
  if (faults.length > 0) throw new Error(faults.join(' '))
  return { ...whole, rule }
}

export function allowing(...command: string[]): PolicyRule {
  return ruleOf(`allow ${command.join(' ')}`.replaceAll(/[^a-z0-9]/gi, '-'), { effect: 'allow', match: { command } })
}

export function judge(
  rules: readonly PolicyRule[],
  request: PolicyRequest,
  mode: PolicyMode = { mode: 'ask' },
): Evaluation {
  return evaluate({ rules, mode }, request, at)
}
