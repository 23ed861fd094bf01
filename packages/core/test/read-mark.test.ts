import { decideAccount } from '@hotline/core/account/decide'
import { evolveAccount } from '@hotline/core/account/evolve'
import { placeKey, unreadIn } from '@hotline/core/account/read-mark'
import type { AccountState } from '@hotline/core/account/state'
import type { Context, Decision } from '@hotline/core/decision'
import { draftEvent } from '@hotline/core/draft-event'
import { parseCommand } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import { describe, expect, test } from 'vitest'
import { code, dana, sha256 } from './fixtures.ts'

const at = (minutes: number): string =>
  new Date(Date.parse('2026-01-01T12:00:00.000Z') + minutes * 60_000).toISOString()

/** What one person has read, in sessions of a hundred events, of which every tenth is a message. */
function ownLog() {
  let state: AccountState | undefined
  let sent = 0
  const send = (minutes: number, type: string, data: object): Decision => {
    const parsed = parseCommand({ id: `c${(sent += 1)}`, stream: 'account:dana', type, data })
    if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
    const { session, seq } = { session: '', seq: 0, ...data }
    // The number of a session says in which minute it began.
    const createdAt = at(Number(session.slice(1)) || 0)
    const place = { project: 'p1', head: 100, messages: Math.floor(seq / 10), createdAt }
    const context: Context = {
      now: at(minutes),
      actor: dana,
      sha256,
      readTo: new Map([[placeKey(session, seq), place]]),
    }
    const decision = decideAccount(state, parsed.command, context)
    if (decision.ok)
      for (const draft of decision.events) state = evolveAccount(state, draftEvent('account:dana', draft, context))
    return decision
  }
  return {
    send,
    mark: (minutes: number, session: string, seq: number) => send(minutes, 'read.mark', { session, seq }),
    unread: (session: string, createdAt: number, messages = 10) =>
      unreadIn(state ?? {}, { session, createdAt: at(createdAt), messages }),
    get state() {
      return state
    },
  }
}

describe('what a person has read', () => {
  test('[RM2] a mark only goes forward, and not further than the session', () => {
    const log = ownLog()
    expect(log.mark(0, 's1', 50)).toMatchObject({ events: [{ type: 'read.marked', data: { seq: 50, messages: 5 } }] })
    expect(log.mark(1, 's1', 50)).toEqual({ ok: true, events: [] })
    expect(log.mark(1, 's1', 30)).toEqual({ ok: true, events: [] })
    expect(log.unread('s1', -9)).toBe(5)
    expect(code(log.mark(1, 's1', 101))).toBe('invalid_request')
    log.mark(2, 's1', 100)
    expect([log.unread('s1', -9), log.unread('s1', -9, 12)]).toEqual([0, 2])
  })

  test('[RM4] what was never opened counts whole where it began after their own stream, and else not at all', () => {
    const log = ownLog()
    expect(log.unread('s1', 5)).toBe(0)
    log.send(0, 'account.begin', {})
    expect([log.unread('s1', -5), log.unread('s1', 5)]).toEqual([0, 10])
    const other = ownLog()
    // One whose stream began before anybody counted.
    other.mark(0, 's1', 100)
    expect([other.unread('s2', -5), other.unread('s2', 5)]).toEqual([0, 10])
  })

  test('[RM5] marks that are forgotten leave nothing behind that counts as new', () => {
    const log = ownLog()
    log.send(0, 'account.begin', {})
    // The newest is read first: it is the oldest that is forgotten, and not what was read longest ago.
    for (let of = limits.readMarks + 1; of >= 1; of -= 1) log.mark(1_000, `s${of}`, 100)
    expect(log.state?.read).toHaveLength(limits.readMarks)
    expect(log.state?.read?.some(({ session }) => session === 's2')).toBe(false)
    expect(log.unread('s2', 2)).toBe(0)
    expect(log.unread('s1', 1, 12)).toBe(2)
    expect(log.unread('s3', 3, 12)).toBe(2)
    // Only what began before that is taken along: the rest that was never opened is as unread as before.
    expect([log.unread('older', 1), log.unread('never', 3)]).toEqual([0, 10])
  })
})
