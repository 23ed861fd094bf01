import { type SessionStatus, sessionStatuses, transitions } from '@hotline/protocol/session-status'
import { describe, expect, it } from 'vitest'
import type { Decision } from '@hotline/core/decision'
import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import type { Report } from '@hotline/protocol/commands/agent'
import { limits } from '@hotline/protocol/limits'
import { turnOf } from '@hotline/core/session/state'
import { activeLog, asking, code, dana, digestOf, eli, Log, runner, server } from './fixtures.ts'

describe('life cycle', () => {
  it('[S1] a session goes from queued through starting to active, each step in the log', () => {
    const log = activeLog()
    expect(log.types).toEqual([
      'session.created',
      'session.lease_taken',
      'session.state_changed',
      'session.profile_changed',
      'session.state_changed',
    ])
    expect(log.state?.status).toBe('active')
  })

  it.each(sessionStatuses.flatMap((from) => sessionStatuses.map((to) => [from, to] as const)))(
    '[S1] a runner cannot move a session from %s to %s unless the table allows it',
    (from, to) => {
      const log = activeLog()
      if (!log.state) throw new Error('no state')
      log.state = { ...log.state, status: from }
      const before = log.events.length
      log.report({ type: 'session.state_changed', data: { from: 'active', to, reason: 'requested' }, body: {} })
      const changes = log.events.slice(before).filter(({ type }) => type === 'session.state_changed')
      for (const change of changes) {
        const { from: was, to: is } = change.data as { from: SessionStatus; to: SessionStatus }
        expect(was).toBe(from)
        expect(transitions[from]).toContain(is)
      }
      // What ends in these two states has not come to the end that its runner tells: see the rule of the state.
      const isPut = from === 'starting' || (from === 'paused' && (to === 'completed' || to === 'failed'))
      if (!transitions[from].includes(to) && !isPut) expect(changes).toEqual([])
    },
  )

  it('[S2] an agent that dies leaves nothing open: asks are cancelled and the turn is ended', () => {
    const log = activeLog()
    log.report({ type: 'turn.started', data: { turn: 't1' } }, asking('a1'))
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_exited', exit: { code: null, signal: 'SIGKILL' } },
      body: {},
    })
    expect(log.types.slice(-3)).toEqual(['approval.cancelled', 'turn.ended', 'session.state_changed'])
    expect(log.state).toMatchObject({
      status: 'interrupted',
      exit: { signal: 'SIGKILL' },
      approvals: [],
      turn: undefined,
    })
  })

  it('[S11] what has no process is watched, and a program whose input is closed is at work', () => {
    const log = activeLog()
    const capabilities = { ...log.state?.capabilities, input: 'none' }
    log.report({ type: 'session.profile_changed', data: { capabilities } })
    if (!log.state) throw new Error('no state')
    expect(turnOf({ ...log.state, pid: undefined })).toBe('watched')
    expect(turnOf(log.state)).toBe('running')
  })

  it('[S11] a program that takes lines is at work for as long as it runs, and an agent only in its turn', () => {
    const log = activeLog()
    if (!log.state) throw new Error('no state')
    expect(turnOf(log.state)).toBe('idle')
    const capabilities = { ...log.state.capabilities, input: 'lines' }
    log.report({ type: 'session.profile_changed', data: { capabilities } })
    expect(turnOf(log.state)).toBe('running')
    log.report(asking('a1'))
    expect(turnOf(log.state)).toBe('waiting')
    log.report({ type: 'approval.cancelled', data: { approval: 'a1', reason: 'agent_withdrew' } })
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'completed', reason: 'agent_exited', exit: { code: 0, signal: null } },
      body: {},
    })
    expect(turnOf(log.state)).toBe('idle')
  })

  it.each(['interrupted', 'failed', 'aborted while the machine is away'])(
    '[S2] nothing goes on after the end (%s)',
    (end) => {
      const log = activeLog()
      log.send(dana, 'message.send', { text: 'one' })
      log.report(
        { type: 'turn.started', data: { turn: 't1' } },
        { type: 'step.started', data: { step: 's1', kind: 'execute' }, body: { title: 'Test' } },
        { type: 'step.started', data: { step: 's2', kind: 'read' }, body: { title: 'Read' } },
        { type: 'step.finished', data: { step: 's2', outcome: 'done' }, body: {} },
        { type: 'thought.delta', data: { thought: 'h1' }, body: { text: 'I th' } },
        { type: 'message.delta', data: { message: 'g1' }, body: { text: 'So I' } },
      )
      log.send(dana, 'session.interrupt', {})
      if (end.startsWith('aborted')) {
        log.send(server, 'contact.lose', { since: '2026-01-01T00:00:00.000Z' })
        log.send(dana, 'session.abort', {})
      } else
        log.report({ type: 'session.state_changed', data: { from: 'active', to: end, reason: 'agent_lost' }, body: {} })
      const { items } = foldTranscript(emptyTranscript, log.events)
      const last = (kind: string): unknown => items.findLast((item) => item.kind === kind)
      expect(items.filter(({ kind }) => kind === 'step')).toMatchObject([{ outcome: 'cancelled' }, { outcome: 'done' }])
      expect(last('thought')).toMatchObject({ text: 'I th', streaming: false })
      expect(items.find(({ key }) => key === 'message:g1')).toMatchObject({
        text: 'So I',
        streaming: false,
        isBrokenOff: true,
      })
      expect(last('control')).toMatchObject({ action: 'interrupt', outcome: 'failed' })
      expect(last('turn')).toMatchObject({ end: 'error' })
      const isOver = end !== 'interrupted'
      expect(items.find(({ kind }) => kind === 'message')).toMatchObject({ delivery: isOver ? 'unread' : 'queued' })
      expect(log.state).toMatchObject({ turn: undefined, controls: [] })
      expect(log.state?.queue).toHaveLength(isOver ? 0 : 1)
      expect([log.state?.steps, log.state?.texts]).toEqual([undefined, undefined])
    },
  )

  it('[S2] what a machine tells of an agent after a person ended the session is closed when it says that the agent is gone', () => {
    const log = activeLog()
    log.send(server, 'contact.lose', { since: '2026-01-01T00:00:00.000Z' })
    log.send(dana, 'session.abort', {})
    const gone = {
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_exited' },
    } as const
    log.report(
      { type: 'step.started', data: { step: 's1', kind: 'execute' }, body: { title: 'Test' } },
      { ...gone, body: {} },
    )
    expect(log.types.slice(-2)).toEqual(['step.started', 'step.finished'])
    expect(log.report({ ...gone, body: {} })).toMatchObject({ events: [], facts: { dropped: [{ index: 0 }] } })
    expect(log.state?.status).toBe('aborted')
  })

  it('[S2] what was decided and had not reached the agent is said to have come too late', () => {
    const log = activeLog()
    log.report(asking('a1'))
    log.send(dana, 'approval.decide', { approval: 'a1', digest: digestOf(log, 'a1'), verdict: 'allow' })
    const before = log.events.length
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_lost' },
      body: {},
    })
    expect(log.types.slice(before)).toEqual(['approval.dispatch_refused', 'session.state_changed'])
    expect(log.events[before]?.data).toEqual({ approval: 'a1', reason: 'stale' })
    expect(log.state?.approvals).toEqual([])
  })

  it('[S2] an end that a person asked for answers what asked for it', () => {
    const log = activeLog()
    log.send(dana, 'session.abort', {})
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_exited' },
      body: {},
    })
    expect(log.types.slice(-2)).toEqual(['control.done', 'session.state_changed'])
  })

  it('[S2] what is open at once is bounded, and the oldest is closed for another one', () => {
    const log = activeLog()
    const step = (id: number): Report => ({
      type: 'step.started',
      data: { step: `s${id}`, kind: 'read' },
      body: { title: 'R' },
    })
    const text = (id: number): Report => ({ type: 'message.delta', data: { message: `g${id}` }, body: { text: 'a' } })
    log.report(...Array.from({ length: limits.openSteps }, (_, id) => step(id)))
    log.report(...Array.from({ length: limits.openTexts }, (_, id) => text(id)))
    const before = log.events.length
    log.report(step(limits.openSteps), text(limits.openTexts), text(1))
    expect(log.types.slice(before)).toEqual([
      'step.finished',
      'step.started',
      'message.broken_off',
      'message.delta',
      'message.delta',
    ])
    expect(log.state?.steps).toHaveLength(limits.openSteps)
    expect(log.state?.texts).toHaveLength(limits.openTexts)
  })

  it('[S3] silence marks a session as out of contact and changes nothing else', () => {
    const log = activeLog()
    log.send(server, 'contact.lose', { since: '2026-01-01T00:00:00.000Z' })
    expect(log.state).toMatchObject({ status: 'active', staleSince: '2026-01-01T00:00:00.000Z' })
    log.send(server, 'contact.restore', {})
    expect(log.state?.staleSince).toBeUndefined()
  })

  it('[S4] abort asks the runner to end the agent, and the session ends when nothing is left', () => {
    const log = activeLog()
    expect(code(log.send(dana, 'session.abort', {}))).toBe('ok')
    expect(log.state).toMatchObject({ status: 'active', ending: 'aborted' })
    expect(code(log.send(dana, 'session.abort', {}))).toBe('invalid_transition')
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_exited' },
      body: {},
    })
    expect(log.state).toMatchObject({ status: 'aborted', reason: 'requested' })
  })

  it('[S4] abort takes effect at once where the machine is out of contact', () => {
    const log = activeLog()
    log.send(server, 'contact.lose', { since: '2026-01-01T00:00:00.000Z' })
    log.send(dana, 'session.abort', {})
    expect(log.state?.status).toBe('aborted')
    expect(code(log.send(runner, 'lease.take', {}))).toBe('invalid_transition')
  })

  it('[S5] an interrupted session is taken up again only when a person asks', () => {
    const log = activeLog()
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_lost' },
      body: {},
    })
    expect(code(log.send(runner, 'lease.take', {}))).toBe('invalid_transition')
    expect(code(log.send(dana, 'session.resume', {}))).toBe('ok')
    expect(code(log.send(runner, 'lease.take', {}))).toBe('ok')
    expect(log.state).toMatchObject({ status: 'starting', lease: { fence: 2 } })
  })

  it('[S6] what an ended session is asked to do is refused with its state', () => {
    const log = new Log()
    log.send(dana, 'session.start', { project: 'p1', agent: 'demo' })
    log.send(dana, 'session.abort', {})
    for (const type of [
      'session.pause',
      'session.resume',
      'session.interrupt',
      'session.abort',
      'session.complete',
    ] as const) {
      expect(code(log.send(dana, type, {}))).toBe('invalid_transition')
    }
    expect(code(log.send(dana, 'message.send', { text: 'hello' }))).toBe('invalid_transition')
  })
})

describe('leases', () => {
  it('[S7] only the holder of the present fence is heard', () => {
    const log = activeLog()
    const stale = { fence: 1, events: [{ type: 'turn.started' as const, data: { turn: 't1' } }] }
    log.send(runner, 'lease.take', {})
    const before = log.events.length
    expect(code(log.send(runner, 'agent.report', stale))).toBe('fenced')
    expect(code(log.send({ kind: 'runner', id: 'r2' }, 'agent.report', { ...stale, fence: 2 }))).toBe('fenced')
    expect(code(log.send({ kind: 'runner', id: 'r2' }, 'lease.take', {}))).toBe('fenced')
    expect(log.events).toHaveLength(before)
  })
})

describe('messages', () => {
  it('[M1] a message waits in the queue until the agent takes it, once', () => {
    const log = activeLog()
    log.send(dana, 'message.send', { text: 'one' })
    log.send(eli, 'message.send', { text: 'two' })
    const [first, second] = log.state?.queue ?? []
    log.report({ type: 'message.delivered', data: { message: first?.message, turn: 't1' } })
    expect(log.state?.queue).toEqual([second])
    const again = log.report({ type: 'message.delivered', data: { message: first?.message, turn: 't1' } })
    expect(again).toMatchObject({ ok: true, events: [], facts: { dropped: [{ index: 0, code: 'not_queued' }] } })
  })

  it('[M2] a waiting message can be edited, withdrawn and reordered by its author, and not after delivery', () => {
    const log = activeLog()
    log.send(dana, 'message.send', { text: 'one' })
    log.send(dana, 'message.send', { text: 'two' })
    const [one = '', two = ''] = log.state?.queue.map(({ message }) => message) ?? []
    expect(code(log.send(eli, 'message.edit', { message: one, text: 'mine' }))).toBe('forbidden')
    expect(code(log.send(dana, 'message.edit', { message: one, text: 'better' }))).toBe('ok')
    expect(code(log.send(dana, 'message.reorder', { order: [two] }))).toBe('not_queued')
    expect(code(log.send(dana, 'message.reorder', { order: [two, one] }))).toBe('ok')
    expect(log.state?.queue.map(({ message }) => message)).toEqual([two, one])
    expect(code(log.send(dana, 'message.withdraw', { message: two }))).toBe('ok')
    log.report({ type: 'message.delivered', data: { message: one, edits: 1 } })
    expect(code(log.send(dana, 'message.edit', { message: one, text: 'late' }))).toBe('not_queued')
  })

  it('[M6] a claim counts for the first message of the queue, with the text that it has then', () => {
    const log = activeLog()
    log.send(dana, 'message.send', { text: 'one' })
    log.send(dana, 'message.send', { text: 'two' })
    const [one = '', two = ''] = log.state?.queue.map(({ message }) => message) ?? []
    const claim = (message: string, edits?: number): Decision =>
      log.report({ type: 'message.delivered', data: edits === undefined ? { message } : { message, edits } })
    const refused = { events: [], facts: { dropped: [{ code: 'not_queued' }] } }
    expect(claim(two)).toMatchObject(refused)
    log.send(dana, 'message.edit', { message: one, text: 'better' })
    expect(claim(one)).toMatchObject(refused)
    log.send(dana, 'message.edit', { message: one, text: 'best' })
    expect(claim(one, 1)).toMatchObject(refused)
    expect(claim(one, 2)).toMatchObject({ ok: true, facts: {} })
    expect(claim(one, 2)).toMatchObject(refused)
    expect(claim(two)).toMatchObject({ ok: true, facts: {} })
  })

  it.each(['ending', 'over', 'interrupted'])('[M7] what waits for a session that is %s', (how) => {
    const log = activeLog()
    log.send(dana, 'message.send', { text: 'one' })
    const [message = ''] = log.state?.queue.map((queued) => queued.message) ?? []
    const to = how === 'over' ? 'failed' : 'interrupted'
    if (how === 'ending') log.send(dana, 'session.abort', {})
    else log.report({ type: 'session.state_changed', data: { from: 'active', to, reason: 'agent_lost' }, body: {} })
    const tried = [
      log.send(dana, 'message.edit', { message, text: 'better' }),
      log.send(dana, 'message.reorder', { order: [message] }),
      log.send(dana, 'message.withdraw', { message }),
      log.send(dana, 'message.send', { text: 'two' }),
    ].map(code)
    expect(tried).toEqual(tried.map(() => (how === 'interrupted' ? 'ok' : 'invalid_transition')))
  })

  it('[M7] nothing can be sent to an agent that is gone and cannot be taken up again', () => {
    const log = activeLog()
    const { capabilities } = log.state ?? {}
    log.report({ type: 'session.profile_changed', data: { capabilities: { ...capabilities, resume: false } } })
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_lost' },
      body: {},
    })
    expect(code(log.send(dana, 'message.send', { text: 'two' }))).toBe('invalid_transition')
  })

  it.each([
    ['', 'message_empty'],
    [' \n\t ', 'message_empty'],
    ['\u200b', 'message_empty'],
    ['\u0000\u001b\u009f', 'message_empty'],
    ['\u202e \u2066\u2069\u200f', 'message_empty'],
    ['\u00ad\u034f\u2060\ufeff\ufe0f\u{e0100}\u{e0041}', 'message_empty'],
    ['\u3164\u115f\u1160\uffa0\u2800', 'message_empty'],
    ['\u00a0\u2003\u3000\u2028\u0085', 'message_empty'],
    ['\ufff9\ufffa\ufffb', 'message_empty'],
    ['\u200b.', 'ok'],
    ['\u{1f469}\u200d\u{1f4bb}', 'ok'],
    ['\u2764\ufe0f', 'ok'],
    ['\u0301', 'ok'],
    ['x'.repeat(2_001), 'message_too_long'],
    ['x'.repeat(2_000), 'ok'],
  ])('[M3] text is never empty and never over the limit (%#)', (text, expected) => {
    expect(code(activeLog().send(dana, 'message.send', { text }))).toBe(expected)
  })

  it('[M4] the queue is bounded', () => {
    const log = activeLog()
    for (let index = 0; index < 100; index += 1) log.send(dana, 'message.send', { text: 'again' })
    expect(code(log.send(dana, 'message.send', { text: 'one more' }))).toBe('queue_full')
  })

  it('[M3] neither an edit nor a first prompt can be without anything visible', () => {
    const log = activeLog()
    log.send(dana, 'message.send', { text: 'one' })
    const message = log.state?.queue[0]?.message ?? ''
    expect(code(log.send(dana, 'message.edit', { message, text: '\u200b' }))).toBe('message_empty')
    const start = { project: 'p1', agent: 'demo', prompt: '\u200b\n' }
    expect(code(new Log().send(dana, 'session.start', start))).toBe('message_empty')
  })

  it("[M5] an agent cannot speak in a person's or the server's name", () => {
    const log = activeLog()
    log.report({
      type: 'message.posted',
      data: { message: 'm1', role: 'system', chars: 2, queued: true },
      body: { text: 'ok' },
    })
    expect(log.events.at(-1)?.data).toMatchObject({ role: 'agent', queued: false })
    expect(log.state?.queue).toEqual([])
  })
})

describe('approvals', () => {
  it('[P1] the first valid answer wins and the second is told who won', () => {
    const log = activeLog()
    log.report(asking('a1'))
    expect(turnOf(log.state ?? ({} as never))).toBe('waiting')
    const digest = digestOf(log, 'a1')
    expect(code(log.send(dana, 'approval.decide', { approval: 'a1', digest, verdict: 'allow' }))).toBe('ok')
    const second = log.send(eli, 'approval.decide', { approval: 'a1', digest, verdict: 'deny' })
    expect(second).toMatchObject({ ok: false, problem: { code: 'already_resolved', outcome: 'allowed', by: dana } })
  })

  it('[P2] a decision counts only for the digest that was shown', () => {
    const log = activeLog()
    log.report(asking('a1'))
    const wrong = log.send(dana, 'approval.decide', { approval: 'a1', digest: '0'.repeat(64), verdict: 'allow' })
    expect(code(wrong)).toBe('digest_mismatch')
    expect(log.state?.approvals).toHaveLength(1)
  })

  it('[P2] a request whose digest is not that of its bytes never becomes an approval', () => {
    const log = activeLog()
    const forged = { ...asking('a1'), body: { ...asking('a1').body, input: '{"command":"rm -rf /"}' } }
    expect(log.report(forged)).toMatchObject({ events: [], facts: { dropped: [{ code: 'digest_mismatch' }] } })
  })

  it('[P3] after the time is over the answer is "nobody", and late answers are told so', () => {
    const log = activeLog()
    log.report(asking('a1', 'x', { expiresAt: new Date(log.nowMs + 5_000).toISOString() }))
    const digest = digestOf(log, 'a1')
    expect(log.send(server, 'approval.expire', { approval: 'a1' })).toMatchObject({ events: [] })
    log.nowMs += 60_000
    expect(code(log.send(dana, 'approval.decide', { approval: 'a1', digest, verdict: 'allow' }))).toBe(
      'approval_expired',
    )
    log.send(server, 'approval.expire', { approval: 'a1' })
    expect(log.events.at(-1)?.type).toBe('approval.timed_out')
    expect(code(log.send(dana, 'approval.decide', { approval: 'a1', digest, verdict: 'allow' }))).toBe(
      'approval_expired',
    )
  })

  it('[P3] an agent can make the deadline shorter, never longer', () => {
    const log = activeLog()
    log.report(asking('a1', 'x', { expiresAt: '2099-01-01T00:00:00.000Z' }))
    expect(Date.parse(log.state?.approvals[0]?.expiresAt ?? '')).toBe(log.nowMs + 24 * 3_600_000)
  })

  it('[P9] somebody who may decide gives an open approval more time, never less and not after its time', () => {
    const log = activeLog({ approvalTimeoutMs: 60_000 })
    log.report(asking('a1'))
    const at = (ms: number): string => new Date(log.nowMs + ms).toISOString()
    const extend = (until: string, approval = 'a1'): string =>
      code(log.send(dana, 'approval.extend', { approval, until }))
    expect(extend(at(10_000))).toBe('invalid_request')
    expect(extend(at(31 * 24 * 3_600_000))).toBe('invalid_request')
    const later = at(3_600_000)
    expect(extend(later)).toBe('ok')
    expect(log.state?.approvals[0]?.expiresAt).toBe(later)
    expect(log.events.at(-1)).toMatchObject({ type: 'approval.extended', data: { why: 'asked' } })
    expect(extend(at(3_600_000), 'nope')).toBe('not_found')
    log.nowMs += 2 * 3_600_000
    expect(extend(at(3_600_000))).toBe('approval_expired')
    // The server gives back what nobody could use, also where its clock is past it.
    expect(code(log.send(server, 'approval.extend', { approval: 'a1', until: at(600_000) }))).toBe('ok')
    expect(log.events.at(-1)).toMatchObject({ data: { why: 'away' } })
    log.send(dana, 'approval.decide', { approval: 'a1', digest: digestOf(log, 'a1'), verdict: 'deny' })
    expect(extend(at(7_200_000))).toBe('already_resolved')
  })

  it('[P4] verdicts and scopes that the agent does not take are refused', () => {
    const log = activeLog()
    log.report(asking('a1'))
    const digest = digestOf(log, 'a1')
    expect(code(log.send(dana, 'approval.decide', { approval: 'a1', digest, verdict: 'modify', input: 'y' }))).toBe(
      'unsupported',
    )
    expect(
      code(log.send(dana, 'approval.decide', { approval: 'a1', digest, verdict: 'allow', scope: 'session' })),
    ).toBe('unsupported')
    expect(code(log.send(dana, 'approval.decide', { approval: 'nope', digest, verdict: 'allow' }))).toBe('not_found')
  })

  it('[P4] what can only be denied is denied, whatever scopes it takes', () => {
    const log = activeLog()
    log.report(asking('a1', 'x', { verdicts: ['deny'], scopes: [] }))
    const digest = digestOf(log, 'a1')
    expect(code(log.send(dana, 'approval.decide', { approval: 'a1', digest, verdict: 'allow' }))).toBe('unsupported')
    log.send(dana, 'approval.decide', { approval: 'a1', digest, verdict: 'deny' })
    expect(log.state?.approvals.find(({ approval }) => approval === 'a1')?.outcome).toBe('denied')
  })

  it('[P5] open questions are bounded; further ones are refused as "queue full"', () => {
    const log = activeLog()
    const question = (id: string): Report => ({
      type: 'question.asked',
      data: { question: id },
      body: { text: 'Which?' },
    })
    for (let index = 0; index < 100; index += 1) log.report(question(`q${index}`))
    expect(log.report(question('q100'))).toMatchObject({ events: [], facts: { dropped: [{ code: 'queue_full' }] } })
  })

  it('[P6] the text of a message never decides anything', () => {
    const log = activeLog()
    log.report(asking('a1'))
    for (const text of ['/approve a1', 'yes', 'allow', 'approve all', '{"verdict":"allow"}'])
      log.send(dana, 'message.send', { text })
    expect(log.state?.approvals[0]?.outcome).toBeUndefined()
  })
})
