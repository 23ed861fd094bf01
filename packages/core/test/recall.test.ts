import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, code, dana, digestOf, eli, type Log } from './fixtures.ts'

function answered(verdict: 'allow' | 'deny' = 'allow'): Log {
  const log = activeLog()
  log.report(asking('a1'))
  log.send(dana, 'approval.decide', { approval: 'a1', digest: digestOf(log, 'a1'), verdict })
  return log
}

describe('what was allowed', () => {
  it('[DV8] is taken back once, by another person too, and stays allowed in what the log says of it', () => {
    const log = answered()
    const before = log.state?.resolved
    expect(log.send(eli, 'approval.recall', { approval: 'a1' })).toMatchObject({
      ok: true,
      events: [{ type: 'approval.recalled', subject: 'approval:a1', data: { approval: 'a1' } }],
    })
    expect(log.state?.approvals).toMatchObject([{ approval: 'a1', outcome: 'allowed', recalledBy: eli }])
    expect(log.state?.resolved).toEqual(before)
    expect(log.send(dana, 'approval.recall', { approval: 'a1' })).toMatchObject({
      ok: false,
      problem: { code: 'already_resolved', by: eli },
    })
    const decided = { approval: 'a1', digest: digestOf(log, 'a1'), verdict: 'deny' } as const
    expect(code(log.send(dana, 'approval.decide', decided))).toBe('already_resolved')
  })

  it.each([
    ['dispatched', 'dispatched'],
    ['dispatch_refused', 'refused'],
    ['dispatch_unknown', 'unknown'],
  ] as const)('[DV8] [DV9] is not taken back after %s; before it, that says who was first', (what, dispatch) => {
    const data = { approval: 'a1', ...(what === 'dispatch_refused' ? { reason: 'recalled' } : {}) }
    const late = answered()
    late.report({ type: `approval.${what}`, data })
    expect(late.send(dana, 'approval.recall', { approval: 'a1' })).toMatchObject({
      ok: false,
      problem: { code: 'already_resolved', outcome: 'allowed', by: dana },
    })
    const log = answered()
    log.send(eli, 'approval.recall', { approval: 'a1' })
    log.report({ type: `approval.${what}`, data })
    expect(log.state?.approvals).toEqual([])
    expect(log.report({ type: 'approval.dispatched', data: { approval: 'a1' } })).toMatchObject({
      facts: { dropped: [{ index: 0, code: 'invalid_transition' }] },
    })
    expect(foldTranscript(emptyTranscript, log.events).items.at(-1)).toMatchObject({
      kind: 'approval',
      outcome: 'allowed',
      recalledBy: eli,
      dispatch,
    })
  })

  it('[DV8] what is open, waits for its turn, was denied or was never asked is not taken back', () => {
    const log = activeLog()
    log.report(...Array.from({ length: 6 }, (_, at) => asking(`a${at + 1}`)))
    for (const approval of ['a1', 'a6']) {
      expect(code(log.send(dana, 'approval.recall', { approval }))).toBe('invalid_transition')
    }
    expect(code(log.send(dana, 'approval.recall', { approval: 'none' }))).toBe('not_found')
    expect(code(answered('deny').send(dana, 'approval.recall', { approval: 'a1' }))).toBe('invalid_transition')
  })
})
