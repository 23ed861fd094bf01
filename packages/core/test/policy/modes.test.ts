import { approvalDigest, contextDigest } from '@hotline/core/approval-digest'
import type { Context } from '@hotline/core/decision'
import { sendersOf, needsPassword } from '@hotline/core/roles'
import { decideSession } from '@hotline/core/session/decide'
import { modeAt } from '@hotline/core/session/session-mode'
import { isTakenBack } from '@hotline/core/session/standing-mode'
import { type CommandInput, parseCommand } from '@hotline/protocol/command'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { PolicyRule } from '@hotline/protocol/policy'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, code, dana, digestOf, eli, type Log, runner, server, sha256, stream } from '../fixtures.ts'
import { edit, judge, now, ruleOf } from './requests.ts'

type SetMode = CommandInput<'policy.set_mode'>

const run = (command: string): string => JSON.stringify({ command })
const cwd = '/srv/app'
const minuteMs = 60_000

/** What the log would have after an agent asked now. */
function askedOf(log: Log, input: string, body: Partial<ApprovalRequest> = {}, rules: readonly PolicyRule[] = []) {
  const asked = asking('a1', input)
  const whole = { tool: 'bash', title: 'Run a command', input, cwd: '/tmp', ...body }
  const contextOf = contextDigest('s1', 'demo', whole, sha256)
  const digests = { contextDigest: contextOf, digest: approvalDigest(contextOf, sha256(input), sha256) }
  const events = [{ ...asked, data: { ...asked.data, ...digests }, body: whole }]
  const parsed = parseCommand({ id: 'x1', stream, type: 'agent.report', data: { fence: 1, events } })
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
  const context: Context = { now: new Date(log.nowMs).toISOString(), actor: runner, sha256, rules }
  const decision = decideSession(log.state, parsed.command, context)
  return decision.ok ? decision.events : []
}

function outcomeOf(log: Log, input: string, rules: readonly PolicyRule[] = []): unknown {
  const resolved = askedOf(log, input, {}, rules).find(({ type }) => type === 'approval.resolved')
  return resolved?.data && 'outcome' in resolved.data ? resolved.data.outcome : 'asked'
}

function set(log: Log, data: SetMode, actor = dana): string {
  return code(log.send(actor, 'policy.set_mode', data))
}

describe('the mode of a session', () => {
  it('[PO12] is ask until somebody says otherwise; it is in the log with who said it and when it ends', () => {
    const log = activeLog()
    expect(log.state?.policyMode).toBeUndefined()
    expect(outcomeOf(log, run('npm test'))).toBe('asked')
    expect(set(log, { mode: 'hands_free' })).toBe('ok')
    const until = new Date(log.nowMs + 30 * minuteMs).toISOString()
    const said = log.events.at(-1)
    expect(said).toMatchObject({ type: 'policy.mode_set', actor: dana, data: { mode: 'hands_free', until } })
    expect(log.state?.policyMode).toEqual({ mode: 'hands_free', until, by: dana, at: said?.at, seq: said?.seq })
    expect(set(log, { mode: 'hands_free', minutes: 5 }, eli)).toBe('ok')
    expect(log.state?.policyMode).toMatchObject({ until: new Date(log.nowMs + 5 * minuteMs).toISOString(), by: eli })
    expect(set(log, { mode: 'edits_free' })).toBe('ok')
    expect(log.state?.policyMode).toMatchObject({ mode: 'edits_free', by: dana })
    const before = log.events.length
    expect(set(log, { mode: 'edits_free' })).toBe('ok')
    expect(log.events).toHaveLength(before)
    expect(set(log, { mode: 'ask' })).toBe('ok')
    expect(log.state?.policyMode).toMatchObject({ mode: 'ask' })
  })

  it('[PO12] takes the right to decide, a time within bounds, and a session that goes on', () => {
    const parse = (data: unknown) => parseCommand({ id: 'c', stream, type: 'policy.set_mode', data })
    for (const data of [
      { mode: 'hands_free', minutes: 0 },
      { mode: 'hands_free', minutes: 481 },
    ]) {
      expect('issues' in parse(data), JSON.stringify(data)).toBe(true)
    }
    for (const data of [{ mode: 'hands_free', minutes: 1.5 }, { mode: 'ask', minutes: 5 }, { mode: 'free' }, {}]) {
      expect('issues' in parse(data), JSON.stringify(data)).toBe(true)
    }
    const parsed = parse({ mode: 'hands_free' })
    if ('issues' in parsed) throw new Error('not read')
    expect([sendersOf(parsed.command, activeLog().state), needsPassword(parsed.command)]).toEqual([['decide'], false])
    const log = activeLog()
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'failed', reason: 'agent_exited' },
      body: {},
    })
    expect(set(log, { mode: 'edits_free' })).toBe('invalid_transition')
  })

  it('[PO13] answers in the log with the request, with who had switched it on, and after what rules say', () => {
    const log = activeLog()
    set(log, { mode: 'hands_free' })
    expect(askedOf(log, run('npm test'))).toMatchObject([
      { type: 'approval.requested', data: { risk: 'medium' } },
      {
        type: 'approval.resolved',
        actor: { kind: 'system', id: 'policy' },
        data: { outcome: 'allowed', scope: 'once', mode: { mode: 'hands_free', by: dana } },
        body: {},
      },
    ])
    const npm = { match: { command: ['npm', 'test'] } }
    expect(outcomeOf(log, run('npm test'), [ruleOf('r', { effect: 'deny', ...npm })])).toBe('denied')
    expect(outcomeOf(log, run('npm test'), [ruleOf('r', { effect: 'ask', ...npm })])).toBe('asked')
    const byRule = askedOf(log, run('npm test'), {}, [ruleOf('r', { effect: 'allow', ...npm })])
    expect(byRule[1]?.data).toMatchObject({ outcome: 'allowed', rule: 'r' })
    expect(byRule[1]?.data).not.toHaveProperty('mode')
    for (const grave of ['rm -rf x', 'git push', 'curl x | sh', '$X']) expect(outcomeOf(log, run(grave))).toBe('asked')
    expect(askedOf(log, run('npm test'), { redacted: true })).toHaveLength(1)
  })

  it('[PO13] where edits are free, a file in the folder of the session is not asked, and no command', () => {
    const log = activeLog()
    set(log, { mode: 'edits_free' })
    const change = (path: string, leadsTo = `${cwd}/${path}`) => {
      const input = JSON.stringify({ file_path: path, content: 'x' })
      const opened = { [cwd]: cwd, [path]: leadsTo }
      return askedOf(log, input, { tool: 'Write', cwd, opened }).map(({ type }) => type)
    }
    const answered = ['approval.requested', 'approval.resolved']
    expect(change('src/a.ts')).toEqual(answered)
    expect(change('src/a.ts', '/etc/a.ts')).toEqual(['approval.requested'])
    for (const kept of ['.git/config', 'package.json', '.env', '.claude/settings.json', '../other/a.ts']) {
      expect(change(kept), kept).toEqual(['approval.requested'])
    }
    expect(outcomeOf(log, run('npm test'))).toBe('asked')
  })

  it('[PO13] leaves what is open with whoever was asked', () => {
    const log = activeLog()
    log.report(asking('a1', run('npm test')))
    set(log, { mode: 'hands_free' })
    expect(log.state?.approvals).toMatchObject([{ approval: 'a1' }])
    expect(log.state?.approvals[0]?.outcome).toBeUndefined()
    const decided = { approval: 'a1', digest: digestOf(log, 'a1'), verdict: 'deny' } as const
    expect(code(log.send(dana, 'approval.decide', decided))).toBe('ok')
  })

  it('[PO14] hands-free counts to its end and not after it, nor where the clock stands before it was said', () => {
    const log = activeLog()
    set(log, { mode: 'hands_free', minutes: 10 })
    const saidMs = log.nowMs
    const at = (ms: number): string => {
      log.nowMs = saidMs + ms
      return String(outcomeOf(log, run('npm test')))
    }
    expect(at(10 * minuteMs - 1)).toBe('allowed')
    expect(at(10 * minuteMs)).toBe('asked')
    expect(at(-1)).toBe('asked')
    const counting = (ms: number) => log.state && modeAt(log.state, new Date(saidMs + ms).toISOString()).mode
    expect([0, 10 * minuteMs - 1, 10 * minuteMs, -1].map(counting)).toEqual(['hands_free', 'hands_free', 'ask', 'ask'])
    const over = { mode: 'hands_free', until: now } as const
    expect(judge([], edit('src/a.ts'), over).effect).toBe('ask')
    expect(judge([], edit('src/a.ts'), { ...over, until: '2026-01-01T00:00:01.000Z' }).effect).toBe('allow')
  })

  it('[PO14] its end is written once, by the server, and never for one that was said later', () => {
    const log = activeLog()
    set(log, { mode: 'hands_free' })
    const until = log.state?.policyMode?.until ?? ''
    set(log, { mode: 'hands_free', minutes: 60 })
    const later = log.state?.policyMode?.until ?? ''
    expect(code(log.send(server, 'policy.end_mode', { until }))).toBe('ok')
    expect(log.state?.policyMode).toMatchObject({ mode: 'hands_free', until: later })
    log.send(server, 'policy.end_mode', { until: later })
    log.send(server, 'policy.end_mode', { until: later })
    expect(log.types.filter((type) => type === 'policy.mode_ended')).toHaveLength(1)
    expect(log.state?.policyMode).toMatchObject({ mode: 'ask', by: server })
  })

  it('[PO14] ends with the session, stays where the agent is gone for a while, and ends where another machine takes it over', () => {
    const change = (to: string) => ({
      type: 'session.state_changed' as const,
      data: { from: 'active', to, reason: 'agent_lost' },
      body: {},
    })
    const log = activeLog()
    set(log, { mode: 'edits_free' })
    log.report(change('interrupted'))
    expect(log.state).toMatchObject({ status: 'interrupted', policyMode: { mode: 'edits_free' } })
    expect(code(log.send(dana, 'session.take_over', { runner: 'r2' }))).toBe('ok')
    expect(log.state?.policyMode).toBeUndefined()
    const other = activeLog()
    set(other, { mode: 'edits_free' })
    other.report(change('failed'))
    expect(other.state).toMatchObject({ status: 'failed' })
    expect(other.state?.policyMode).toBeUndefined()
  })

  it('[PO15] an answer is taken back by a later word that lets less through, and by no other', () => {
    const mode = (name: 'ask' | 'edits_free' | 'hands_free', seq: number) => ({
      policyMode: { mode: name, by: dana, at: '2026-01-01T00:00:00.000Z', seq },
    })
    const answer = { mode: 'hands_free', seq: 20 } as const
    expect(isTakenBack({}, answer)).toBe(false)
    expect(isTakenBack(mode('hands_free', 10), answer)).toBe(false)
    expect(isTakenBack(mode('hands_free', 30), answer)).toBe(false)
    expect(isTakenBack(mode('edits_free', 30), answer)).toBe(true)
    expect(isTakenBack(mode('ask', 30), answer)).toBe(true)
    // Told ahead of its place: what stands in the log before it is not known here yet.
    expect(isTakenBack(mode('ask', 10), answer)).toBe(false)
    expect(isTakenBack(mode('hands_free', 30), { mode: 'edits_free', seq: 20 })).toBe(false)
  })
})

describe('what is open when the rules change', () => {
  const npm = { match: { command: ['npm', 'test'] } }
  const allow = ruleOf('may', { effect: 'allow', ...npm })
  const deny = ruleOf('no', { effect: 'deny', ...npm, note: 'Not now.' })

  /** What becomes of open requests under these rules, with the approvals as the log has them. */
  function judged(log: Log, rules: readonly PolicyRule[], change: Partial<ApprovalRequest> = {}) {
    const asked = new Map<string, ApprovalRequest>()
    for (const { type, data, body } of log.events) {
      if (type !== 'approval.requested' || !('approval' in data)) continue
      asked.set(String(data['approval']), { ...(body as ApprovalRequest), ...change })
    }
    const parsed = parseCommand({ id: 'j1', stream, type: 'approval.judge', data: {} })
    if ('issues' in parsed) throw new Error('not read')
    const context = { now: new Date(log.nowMs).toISOString(), actor: server, sha256, rules, asked }
    const decision = decideSession(log.state, parsed.command, context)
    return decision.ok ? decision.events.map(({ actor, data }) => ({ actor, data })) : []
  }

  it('[PO16] is answered by what allows exactly that, and by what denies it, with the rule', () => {
    const log = activeLog()
    log.report(asking('a1', run('npm test')), asking('a2', run('npm test -- x')))
    expect(judged(log, [])).toEqual([])
    expect(judged(log, [allow])).toMatchObject([
      { actor: { kind: 'system', id: 'policy' }, data: { approval: 'a1', outcome: 'allowed', rule: 'may' } },
    ])
    expect(judged(log, [allow, deny])).toMatchObject([
      { data: { approval: 'a1', outcome: 'denied', rule: 'no' } },
      { data: { approval: 'a2', outcome: 'denied', rule: 'no' } },
    ])
    expect(judged(log, [ruleOf('ask', { effect: 'ask', ...npm }), allow])).toEqual([])
  })

  it('[PO16] is answered by no mode, not where something was masked, not after its time and not twice', () => {
    const log = activeLog()
    log.report(asking('a1', run('npm test')))
    set(log, { mode: 'hands_free' })
    expect(judged(log, [])).toEqual([])
    expect(judged(log, [allow], { redacted: true })).toEqual([])
    const expiresAt = Date.parse(log.state?.approvals[0]?.expiresAt ?? '')
    log.nowMs = expiresAt
    expect(judged(log, [allow])).toEqual([])
    log.nowMs = expiresAt - minuteMs
    expect(judged(log, [allow])).toHaveLength(1)
    log.send(dana, 'approval.decide', { approval: 'a1', digest: digestOf(log, 'a1'), verdict: 'deny' })
    expect(judged(log, [allow])).toEqual([])
  })
})
