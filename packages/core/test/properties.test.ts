import { emptyTranscript, applyLater, foldTranscript } from '@hotline/core/transcript/transcript'
import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import type { Actor } from '@hotline/protocol/actor'
import type { Envelope } from '@hotline/protocol/event'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, dana, digestOf, eli, type Log, runner, server } from './fixtures.ts'

const people: readonly Actor[] = [dana, eli]
const seed = Number(process.env['HOTLINE_TEST_SEED'] ?? Date.now() % 2 ** 31)
const settings = { numRuns: 300, seed, verbose: 1 } as const

/** One thing that somebody tries, sensible or not. */
const attempts = fc.oneof(
  fc.record({
    do: fc.constant('message' as const),
    who: fc.nat(1),
    text: fc.string({ maxLength: 20 }),
    now: fc.boolean(),
  }),
  fc.record({ do: fc.constant('hurry' as const), who: fc.nat(1), at: fc.nat(3) }),
  fc.record({ do: fc.constant('withdraw' as const), who: fc.nat(1), at: fc.nat(3) }),
  fc.record({ do: fc.constant('edit' as const), who: fc.nat(1), at: fc.nat(3), text: fc.string({ maxLength: 20 }) }),
  fc.record({ do: fc.constant('reorder' as const), who: fc.nat(1), from: fc.nat(3), stale: fc.boolean() }),
  fc.record({
    do: fc.constant('deliver' as const),
    at: fc.nat(3),
    how: fc.constantFrom('as it is', 'as it was', 'unknown', 'seen'),
  }),
  fc.record({ do: fc.constant('question' as const), id: fc.nat(2), how: fc.constantFrom('ask', 'withdraw') }),
  fc.record({
    do: fc.constant('answer' as const),
    who: fc.nat(1),
    id: fc.nat(2),
    action: fc.constantFrom('accept' as const, 'decline' as const),
  }),
  fc.record({
    do: fc.constant('step' as const),
    id: fc.nat(3),
    how: fc.constantFrom('started', 'progressed', 'finished'),
    text: fc.string({ maxLength: 10 }),
    outcome: fc.constantFrom('done', 'failed', 'denied', 'cancelled'),
  }),
  fc.record({
    do: fc.constant('think' as const),
    id: fc.nat(2),
    text: fc.string({ maxLength: 10 }),
    last: fc.boolean(),
  }),
  fc.record({ do: fc.constant('plan' as const), entries: fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }) }),
  fc.record({ do: fc.constant('answer control' as const), isDone: fc.boolean() }),
  fc.record({ do: fc.constant('withdraw ask' as const), id: fc.nat(4) }),
  fc.record({ do: fc.constant('ask' as const), id: fc.nat(4) }),
  fc.record({
    do: fc.constant('decide' as const),
    who: fc.nat(1),
    id: fc.nat(4),
    allow: fc.boolean(),
    stale: fc.boolean(),
  }),
  fc.record({ do: fc.constant('expire' as const), id: fc.nat(4), later: fc.boolean() }),
  fc.record({ do: fc.constant('dispatch' as const), id: fc.nat(4) }),
  fc.record({ do: fc.constant('turn' as const), start: fc.boolean(), id: fc.nat(2) }),
  fc.record({
    do: fc.constant('speak' as const),
    id: fc.nat(2),
    text: fc.string({ maxLength: 10 }),
    last: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('state' as const),
    to: fc.constantFrom('active', 'paused', 'interrupted', 'completed', 'failed'),
  }),
  fc.record({
    do: fc.constant('steer' as const),
    what: fc.constantFrom('session.abort', 'session.resume', 'session.interrupt', 'session.complete'),
  }),
  fc.record({ do: fc.constant('lease' as const) }),
  fc.record({ do: fc.constant('contact' as const), lost: fc.boolean() }),
)
type Attempt = typeof attempts extends fc.Arbitrary<infer T> ? T : never

function attempt(log: Log, what: Attempt): void {
  const who = 'who' in what ? (people[what.who] ?? dana) : dana
  const queued = 'at' in what ? (log.state?.queue[what.at]?.message ?? 'none') : 'none'
  switch (what.do) {
    case 'message':
      log.send(who, 'message.send', { text: what.text, ...(what.now ? { now: true } : {}) })
      return
    case 'hurry':
      log.send(who, 'message.hurry', { message: queued })
      return
    case 'withdraw':
      log.send(who, 'message.withdraw', { message: queued })
      return
    case 'edit':
      log.send(who, 'message.edit', { message: queued, text: what.text })
      return
    case 'reorder': {
      const waiting = log.state?.queue.map(({ message }) => message) ?? []
      const order = [...waiting.slice(what.from), ...waiting.slice(0, what.from)]
      log.send(who, 'message.reorder', { order: what.stale ? order.slice(1) : order })
      return
    }
    case 'deliver': {
      const edits = log.state?.queue[what.at]?.edits
      if (what.how === 'unknown') log.report({ type: 'message.delivery_unknown', data: { message: queued } })
      else if (what.how === 'seen') log.report({ type: 'message.seen', data: { message: queued } })
      else {
        const claimed = what.how === 'as it is' && edits !== undefined ? { edits } : {}
        log.report({ type: 'message.delivered', data: { message: queued, ...claimed } })
      }
      return
    }
    case 'question':
      if (what.how === 'ask') {
        log.report({ type: 'question.asked', data: { question: `q${what.id}` }, body: { text: 'Which?' } })
      } else {
        log.report({ type: 'question.withdrawn', data: { question: `q${what.id}`, reason: 'agent_withdrew' } })
      }
      return
    case 'answer':
      log.send(who, 'question.answer', { question: `q${what.id}`, action: what.action })
      return
    case 'step': {
      const { how, text, outcome } = what
      const step = `s${what.id}`
      if (how === 'started') log.report({ type: 'step.started', data: { step, kind: 'read' }, body: { title: text } })
      else if (how === 'progressed') log.report({ type: 'step.progressed', data: { step }, body: { output: text } })
      else log.report({ type: 'step.finished', data: { step, outcome }, body: { error: text } })
      return
    }
    case 'think': {
      const type = what.last ? 'thought.completed' : 'thought.delta'
      log.report({ type, data: { thought: `h${what.id}` }, body: { text: what.text } })
      return
    }
    case 'plan': {
      const entries = what.entries.map((text) => ({ text, status: 'pending' }))
      log.report({ type: 'plan.updated', data: { entries: entries.length, done: 0 }, body: { entries } })
      return
    }
    case 'answer control': {
      const [open] = log.state?.controls ?? []
      if (open && what.isDone) log.report({ type: 'control.done', data: open })
      else if (open) log.report({ type: 'control.failed', data: open, body: { reason: 'It cannot.' } })
      return
    }
    case 'withdraw ask':
      log.report({ type: 'approval.cancelled', data: { approval: `a${what.id}`, reason: 'agent_withdrew' } })
      return
    case 'ask':
      log.report(asking(`a${what.id}`))
      return
    case 'decide': {
      const digest = what.stale ? 'b'.repeat(64) : digestOf(log, `a${what.id}`)
      log.send(who, 'approval.decide', { approval: `a${what.id}`, digest, verdict: what.allow ? 'allow' : 'deny' })
      return
    }
    case 'expire':
      if (what.later) log.nowMs += 25 * 3_600_000
      log.send(server, 'approval.expire', { approval: `a${what.id}` })
      return
    case 'dispatch':
      log.report({ type: 'approval.dispatched', data: { approval: `a${what.id}` } })
      return
    case 'turn':
      if (what.start) log.report({ type: 'turn.started', data: { turn: `t${what.id}` } })
      else log.report({ type: 'turn.ended', data: { turn: `t${what.id}`, end: 'end' }, body: {} })
      return
    case 'speak':
      if (what.last) {
        log.report({
          type: 'message.completed',
          data: { message: `g${what.id}`, chars: what.text.length },
          body: { text: what.text },
        })
      } else log.report({ type: 'message.delta', data: { message: `g${what.id}` }, body: { text: what.text } })
      return
    case 'state':
      log.report({
        type: 'session.state_changed',
        data: { from: 'active', to: what.to, reason: 'requested' },
        body: {},
      })
      return
    case 'steer':
      log.send(who, what.what as 'session.resume', {})
      return
    case 'lease':
      log.send(runner, 'lease.take', {})
      return
    case 'contact':
      if (what.lost) log.send(server, 'contact.lose', { since: '2026-01-01T00:00:00.000Z' })
      else log.send(server, 'contact.restore', {})
      return
  }
}

function history(attempts_: readonly Attempt[]): Log {
  const log = activeLog()
  for (const what of attempts_) attempt(log, what)
  return log
}

/** As long as it says: what fast-check makes by itself is ten at most. */
const histories = fc.array(attempts, { maxLength: 60, size: 'max' }).map(history)
const fold = (events: readonly Envelope[], from?: SessionState): SessionState | undefined =>
  events.reduce<SessionState | undefined>(evolveSession, from)

describe(`random histories (seed ${seed})`, () => {
  it('[E1] replay of a log gives the state that the commands made', () => {
    fc.assert(
      fc.property(histories, (log) => {
        expect(fold(log.events)).toEqual(log.state)
      }),
      settings,
    )
  })

  it('[E1] replay in two pieces equals replay in one, with the state kept as JSON in between', () => {
    fc.assert(
      fc.property(histories, fc.nat(), (log, cut) => {
        const at = cut % (log.events.length + 1)
        const half = fold(log.events.slice(0, at))
        const kept = half && (JSON.parse(JSON.stringify(half)) as SessionState)
        expect(fold(log.events.slice(at), kept)).toEqual(fold(log.events))
      }),
      settings,
    )
  })

  it('[E2] a refused command appends nothing and changes nothing', () => {
    fc.assert(
      fc.property(histories, attempts, (log, what) => {
        const before = { events: log.events.length, state: log.state }
        const send = log.apply.bind(log)
        let refused = false
        log.apply = (actor, command) => {
          const decision = send(actor, command)
          refused = !decision.ok
          return decision
        }
        attempt(log, what)
        if (!refused) return
        expect(log.events).toHaveLength(before.events)
        expect(log.state).toBe(before.state)
      }),
      settings,
    )
  })

  it('[P1] there is at most one outcome for each approval, whatever the interleaving', () => {
    const closing = new Set(['approval.resolved', 'approval.timed_out', 'approval.cancelled'])
    fc.assert(
      fc.property(histories, (log) => {
        const closed = log.events.filter(({ type }) => closing.has(type)).map(({ subject }) => subject)
        expect(new Set(closed).size).toBe(closed.length)
      }),
      settings,
    )
  })

  it('[M1] a message is delivered or withdrawn, and never both', () => {
    fc.assert(
      fc.property(histories, (log) => {
        const gone = log.events
          .filter(({ type }) => type === 'message.delivered' || type === 'message.withdrawn')
          .map(({ subject }) => subject)
        expect(new Set(gone).size).toBe(gone.length)
      }),
      settings,
    )
  })

  it('[M8] what was hurried and not moved by a person stands before all that was not', () => {
    let found = 0
    fc.assert(
      fc.property(histories, (log) => {
        let state: SessionState | undefined
        for (const event of log.events) {
          const before = state?.queue
          state = evolveSession(state, event)
          if (event.type !== 'message.hurried') continue
          found += 1
          const message = String(event.data['message'])
          const place = state?.queue.findIndex((queued) => queued.message === message) ?? -1
          expect(state?.queue.slice(0, place + 1).every(({ hurried }) => hurried === true)).toBe(true)
          // Nobody else is moved, and nobody is lost.
          const others = (queue: SessionState['queue'] = []) => queue.filter((queued) => queued.message !== message)
          expect(others(state?.queue)).toEqual(others(before))
        }
      }),
      settings,
    )
    expect(found).toBeGreaterThan(0)
  })

  it('[E3] events of types and members from a later version pass through and change nothing', () => {
    fc.assert(
      fc.property(histories, fc.nat(), (log, cut) => {
        const at = cut % (log.events.length + 1)
        const model = log.events[0]
        if (!model) return
        const strange: Envelope = { ...model, type: 'session.teleported', data: { status: 'gone', queue: 7 } }
        const events = [...log.events.slice(0, at), strange, ...log.events.slice(at)]
        const wider = events.map((event) => ({ ...event, data: { ...event.data, fromTheFuture: { status: 'x' } } }))
        expect(fold(wider)).toEqual(log.state)
        expect(foldTranscript(emptyTranscript, events).items).toHaveLength(
          foldTranscript(emptyTranscript, log.events).items.length,
        )
      }),
      settings,
    )
  })

  it('[E4] an old window folded with the later events of its subjects shows the truth of now', () => {
    const kinds = new Set<string>()
    fc.assert(
      fc.property(histories, fc.nat(), (log, cut) => {
        const at = cut % (log.events.length + 1)
        const window = log.events.slice(0, at)
        const subjects = new Set(window.flatMap(({ subject }) => subject ?? []))
        const later = log.events.slice(at).filter(({ subject }) => subject !== undefined && subjects.has(subject))
        const old = applyLater(foldTranscript(emptyTranscript, window), later)
        const whole = foldTranscript(emptyTranscript, log.events)
        for (const item of old.items) {
          kinds.add(item.kind)
          expect(item).toEqual(whole.items[whole.places.get(item.key) ?? -1])
        }
      }),
      settings,
    )
    // A history that never makes one would prove nothing of it.
    const wanted = ['message', 'thought', 'step', 'approval', 'question', 'plan', 'turn', 'state', 'control']
    expect([...kinds].toSorted()).toEqual(wanted.toSorted())
  })

  it('[S2] after the end of an agent nothing goes on, whatever it was in the middle of', () => {
    const ends = ['interrupted', 'completed', 'failed', 'aborted']
    let found = 0
    fc.assert(
      fc.property(histories, (log) => {
        for (const [index, { type, data }] of log.events.entries()) {
          if (type !== 'session.state_changed' || !ends.includes(String(data['to']))) continue
          found += 1
          const past = log.events.slice(0, index + 1)
          const goingOn = foldTranscript(emptyTranscript, past).items.filter((item) => {
            if (item.kind === 'message' && data['to'] !== 'interrupted' && item.delivery === 'queued') return true
            if (item.kind === 'message' || item.kind === 'thought') return item.streaming
            if (item.kind === 'question') return item.action === undefined
            const hasOutcome = item.kind === 'step' || item.kind === 'approval' || item.kind === 'control'
            return hasOutcome && item.outcome === undefined
          })
          expect(goingOn).toEqual([])
          const { turn, questions, controls, steps, texts } = fold(past) ?? {}
          expect([turn, questions, controls, steps, texts]).toEqual([undefined, [], [], undefined, undefined])
        }
      }),
      settings,
    )
    expect(found).toBeGreaterThan(0)
  })

  it('[E5] the state stays small: it holds no text of messages or output', () => {
    const log = activeLog()
    const secret = 'a sentence that only the log may hold'
    log.send(dana, 'message.send', { text: secret })
    log.report({
      type: 'output.appended',
      data: { source: 'stdout', encoding: 'utf8', bytes: 9 },
      body: { text: secret },
    })
    log.report(asking('a1', secret))
    expect(JSON.stringify(log.state)).not.toContain(secret)
  })
})
