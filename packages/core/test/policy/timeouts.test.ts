import { heldPolicy, timeoutFor } from '@hotline/core/policy/policy-state'
import { decideProject } from '@hotline/core/project/decide'
import { evolveProject } from '@hotline/core/project/evolve'
import type { ProjectState } from '@hotline/core/project/state'
import type { Context } from '@hotline/core/decision'
import { draftEvent } from '@hotline/core/draft-event'
import type { Report } from '@hotline/protocol/commands/agent'
import { parseCommand } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import { risks } from '@hotline/protocol/risk'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, dana, digestOf, eli, type Log, sha256 } from '../fixtures.ts'
import { now } from './requests.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** One that is of low, and one that is of high risk. */
const look = (approval: string, facts: object = {}): Report => asking(approval, '{"command":"ls"}', { ...facts })
const remove = (approval: string, facts: object = {}): Report =>
  asking(approval, '{"command":"rm -rf x"}', { ...facts })

/** How long each of those that are open has. */
function times({ state }: Log): readonly number[] {
  return (state?.approvals ?? []).map(
    ({ expiresAt, openedAt, requestedAt }) => Date.parse(expiresAt) - Date.parse(openedAt ?? requestedAt),
  )
}

describe('how long people have', () => {
  it('[PO38] goes by the risk of what is asked, where something was said of it', () => {
    const log = activeLog()
    log.rules = []
    log.approvalTimeouts = { usual: hourMs, high: 10 * minuteMs }
    log.report(look('a1'), remove('a2'))
    expect(times(log)).toEqual([hourMs, 10 * minuteMs])
  })

  it('[PO38] [P24] is shorter where the agent forces it, measured against the time of its risk', () => {
    const log = activeLog()
    log.rules = []
    log.approvalTimeouts = { usual: 10 * minuteMs, high: 2 * hourMs }
    const until = new Date(log.nowMs + 30 * minuteMs).toISOString()
    log.report(look('a1', { expiresAt: until }), remove('a2', { expiresAt: until }))
    expect(log.state?.approvals).toMatchObject([{ agentUntil: undefined }, { expiresAt: until, agentUntil: until }])
    expect(times(log)[0]).toBe(10 * minuteMs)
  })

  it('[PO38] [AQ2] begins with the turn of what waited, and goes by its risk there as well', () => {
    const log = activeLog()
    log.rules = []
    log.approvalLimits = { open: 1, waiting: 5 }
    log.report(look('a1'), remove('a2'))
    log.approvalTimeouts = { usual: hourMs, high: 10 * minuteMs }
    log.send(eli, 'approval.decide', { approval: 'a1', digest: digestOf(log, 'a1'), verdict: 'deny' })
    expect(log.state?.approvals.map(({ approval }) => approval)).toContain('a2')
    expect(times(log).at(-1)).toBe(10 * minuteMs)
  })

  it('[P25] [PO38] is what the session was started with, whatever is said of the risk', () => {
    const log = activeLog({ approvalTimeoutMs: minuteMs })
    log.rules = []
    log.approvalTimeouts = { high: 2 * hourMs }
    log.report(remove('a1'))
    expect(times(log)).toEqual([minuteMs])
  })

  it('[PO38] is said for each risk by itself, and taken back by itself', () => {
    const context: Context = { now, actor: dana, sha256 }
    let state: ProjectState | undefined = { kind: 'project', project: 'p1', name: 'One', members: {} }
    const say = (approvalTimeoutMs: number | null, risk?: string): number => {
      const data = { approvalTimeoutMs, ...(risk === undefined ? {} : { risk }) }
      const parsed = parseCommand({ id: 'c1', stream: 'project:p1', type: 'policy.set_timeout', data })
      if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
      const decision = decideProject(state, parsed.command, context)
      if (!decision.ok) throw new Error(decision.problem.detail)
      for (const draft of decision.events) {
        state = evolveProject(state, { ...draftEvent('project:p1', draft, context), seq: 1 })
      }
      return decision.events.length
    }
    const counting = (): readonly number[] =>
      risks.map((risk) => timeoutFor(heldPolicy({}, state ?? {}).timeouts, risk) / minuteMs)
    expect(say(hourMs, 'high')).toBe(1)
    expect(say(hourMs, 'high')).toBe(0)
    expect(say(2 * hourMs)).toBe(1)
    expect(counting()).toEqual([120, 120, 60])
    expect(say(null)).toBe(1)
    expect(counting()).toEqual([1_440, 1_440, 60])
    expect(say(null, 'high')).toBe(1)
    expect(say(null, 'low')).toBe(0)
    expect(counting()).toEqual([1_440, 1_440, 1_440])
  })

  it('[PO39] is the time of the server where the project says none, and a project that says its usual one says it for all', () => {
    const server = { approvalTimeoutMs: 4 * hourMs, timeoutsByRisk: { high: hourMs } }
    const counting = (project: object): readonly number[] => {
      const { timeouts } = heldPolicy(server, project)
      return [undefined, ...risks].map((risk) => timeoutFor(timeouts, risk) / hourMs)
    }
    expect(counting({})).toEqual([4, 4, 4, 1])
    expect(counting({ timeoutsByRisk: { low: 8 * hourMs } })).toEqual([4, 8, 4, 1])
    expect(counting({ approvalTimeoutMs: 2 * hourMs })).toEqual([2, 2, 2, 2])
    expect(timeoutFor({}, 'high')).toBe(limits.approvalTimeoutMs)
  })
})
