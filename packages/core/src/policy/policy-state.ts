import type { Actor } from '@hotline/protocol/actor'
import type { EventOf, KnownEvent } from '@hotline/protocol/events'
import type { ApprovalTimeouts, HeldRule } from '@hotline/protocol/policy'
import { limits } from '@hotline/protocol/limits'
import type { Risk } from '@hotline/protocol/risk'

/** Rules that stood in the place of one before it are kept to so many; the log has them all. */
const replacedMax = 50

/** A rule of a policy, with who wrote it and when, and the rules that stood in its place before it, newest first. */
export type StandingRule = HeldRule & { by: Actor; at: string; replaced?: readonly string[] }

/** What a project, or the whole server, says of what agents ask. */
export interface PolicyState {
  /** In their order; absent before the first one. */
  rules?: readonly StandingRule[] | undefined
  /** How long people have to answer an approval; absent where nobody has said anything. */
  approvalTimeoutMs?: number | undefined
  /** The same for what is of one risk. */
  timeoutsByRisk?: Readonly<Partial<Record<Risk, number>>> | undefined
}

/** What counts for a project: its own, and what is said for the whole server. */
export interface HeldPolicy {
  /** Those of the server before those of the project, each in their order. */
  rules: readonly StandingRule[]
  timeouts: ApprovalTimeouts
}

/** The changes of a policy by the events of its stream; undefined for what is none. `of`: whose stream it is. */
export function evolvePolicy(state: PolicyState, event: KnownEvent, of: HeldRule['of']): PolicyState | undefined {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- no other event changes a policy
  switch (event.type) {
    case 'policy.rule_set':
      return { rules: including(state.rules ?? [], event, of) }
    case 'policy.rule_moved':
      return { rules: moved(state.rules ?? [], event.data) }
    case 'policy.rule_revoked':
      return { rules: (state.rules ?? []).filter(({ rule }) => rule !== event.data.rule) }
    case 'policy.timeout_set': {
      const { approvalTimeoutMs, risk } = event.data
      if (risk === undefined) return { approvalTimeoutMs: approvalTimeoutMs ?? undefined }
      const { [risk]: _, ...others } = state.timeoutsByRisk ?? {}
      return { timeoutsByRisk: approvalTimeoutMs === null ? others : { ...others, [risk]: approvalTimeoutMs } }
    }
    default:
      return undefined
  }
}

function including(
  rules: readonly StandingRule[],
  event: EventOf<'policy.rule_set'>,
  of: HeldRule['of'],
): readonly StandingRule[] {
  const { rule, effect, match, until, before, replaces } = event.data
  const note = event.body?.note
  const edited = rules.findIndex((other) => other.rule === replaces)
  const replaced = replaces === undefined ? [] : [replaces, ...(rules[edited]?.replaced ?? [])].slice(0, replacedMax)
  const standing: StandingRule = {
    rule,
    effect,
    match,
    ...(until === undefined ? {} : { until }),
    ...(note === undefined ? {} : { note }),
    ...(of === undefined ? {} : { of }),
    by: event.actor,
    at: event.at,
    ...(replaced.length === 0 ? {} : { replaced }),
  }
  if (edited >= 0) return rules.with(edited, standing)
  const place = rules.findIndex((other) => other.rule === before)
  return rules.toSpliced(place < 0 ? rules.length : place, 0, standing)
}

/** The rules with one of them before another, or after all. What is not there moves nothing. */
export function moved<R extends { rule: string }>(
  rules: readonly R[],
  { rule, before }: { rule: string; before: string | null },
): readonly R[] {
  const one = rules.find((other) => other.rule === rule)
  const others = rules.filter((other) => other.rule !== rule)
  const place = before === null ? others.length : others.findIndex((other) => other.rule === before)
  return one && place >= 0 ? others.toSpliced(place, 0, one) : rules
}

/** What is said in one place of how long people have to answer. */
export function saidTimeouts({ approvalTimeoutMs, timeoutsByRisk }: PolicyState): ApprovalTimeouts {
  return { ...timeoutsByRisk, ...(approvalTimeoutMs === undefined ? {} : { usual: approvalTimeoutMs }) }
}

/** A project that says how long people usually have says it for every risk; otherwise the server's times count where it has none. */
export function heldPolicy(ofServer: PolicyState, ofProject: PolicyState): HeldPolicy {
  const [server, project] = [saidTimeouts(ofServer), saidTimeouts(ofProject)]
  return {
    rules: [...(ofServer.rules ?? []), ...(ofProject.rules ?? [])],
    timeouts: project.usual === undefined ? { ...server, ...project } : project,
  }
}

/** How long people have to answer what is of this risk, in milliseconds. */
export function timeoutFor(timeouts: ApprovalTimeouts, risk: Risk | undefined): number {
  return (risk && timeouts[risk]) ?? timeouts.usual ?? limits.approvalTimeoutMs
}
