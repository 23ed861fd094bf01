import type { Context, Decision } from '@hotline/core/decision'
import { draftEvent } from '@hotline/core/draft-event'
import type { Board } from '@hotline/core/task/board'
import { columnAfter } from '@hotline/core/task/column-after'
import { decideTask } from '@hotline/core/task/decide'
import { evolveTask } from '@hotline/core/task/evolve'
import type { TaskState } from '@hotline/core/task/state'
import { parseCommand } from '@hotline/protocol/command'
import type { TaskColumn, TaskSession } from '@hotline/protocol/task'
import { describe, expect, test } from 'vitest'
import { code, dana, sha256 } from './fixtures.ts'

const board: Board = {
  placeFor: (column, after) =>
    after === 'elsewhere' ? undefined : `${column}-${after ?? (after === null ? 'first' : 'last')}`,
  isMember: (account) => account === 'dana',
}

function card(...before: readonly (readonly [type: string, data: object])[]) {
  let state: TaskState | undefined
  let sent = 0
  const send = (type: string, data: object): Decision => {
    const parsed = parseCommand({ id: `c${(sent += 1)}`, stream: 'task:t1', type, data })
    if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
    const context: Context = { now: '2026-01-01T12:00:00.000Z', actor: dana, sha256, board }
    const decision = decideTask(state, parsed.command, context)
    for (const draft of decision.ok ? decision.events : []) {
      state = evolveTask(state, draftEvent('task:t1', draft, context))
    }
    return decision
  }
  for (const [type, data] of before) expect(send(type, data)).toMatchObject({ ok: true })
  return {
    send,
    get state(): TaskState {
      if (!state) throw new Error('no card')
      return state
    },
  }
}

const created = ['task.create', { project: 'p1', title: 'A card', labels: ['web'], priority: 'high' }] as const
const seen = (session: string, phase: TaskSession['phase'], changes = false) =>
  ['task.observe', { session, agent: 'demo', phase, changes, at: 1 }] as const

describe('a card', () => {
  test('[TK1] what is said of it is kept, and what is not named stays', () => {
    const one = card(created)
    expect(one.state).toMatchObject({
      title: 'A card',
      column: 'todo',
      position: 'todo-last',
      priority: 'high',
      labels: ['web'],
    })
    one.send('task.change', { assignee: { kind: 'person', id: 'dana' }, description: 'Why.' })
    one.send('task.change', { labels: [] })
    expect(one.state).toMatchObject({
      title: 'A card',
      priority: 'high',
      labels: [],
      assignee: { kind: 'person', id: 'dana' },
    })
    one.send('task.change', { assignee: null, title: 'Another', priority: 'low' })
    expect(one.state).toMatchObject({ title: 'Another', priority: 'low' })
    expect(one.state.assignee).toBeUndefined()
    expect(JSON.stringify(one.state)).not.toContain('Why.')
  })

  test('[TK1] [TK2] what cannot be is refused, and says what to do', () => {
    const one = card(created)
    expect(code(one.send(...created))).toBe('already_exists')
    expect(code(one.send('task.change', {}))).toBe('invalid_request')
    expect(code(one.send('task.change', { assignee: { kind: 'person', id: 'eli' } }))).toBe('not_found')
    expect(one.send('task.change', { assignee: { kind: 'agent', id: 'claude' } })).toMatchObject({ ok: true })
    expect(code(one.send('task.move', { to: 'review', after: 'elsewhere' }))).toBe('not_found')
    expect(code(one.send('session.pause', {}))).toBe('invalid_request')
    one.send('task.remove', {})
    for (const [type, data] of [
      created,
      ['task.change', { title: 'x' }],
      ['task.move', { to: 'done' }],
      ['task.remove', {}],
    ] as const) {
      expect(code(one.send(type, data))).toBe(type === 'task.create' ? 'already_exists' : 'not_found')
    }
    expect(code(card().send('task.move', { to: 'done' }))).toBe('not_found')
  })

  test('[TK2] it goes after another one, to the front, or to the end', () => {
    const one = card(created)
    for (const [data, position] of [
      [{ to: 'review', after: 't2' }, 'review-t2'],
      [{ to: 'review', after: null }, 'review-first'],
      [{ to: 'done' }, 'done-last'],
    ] as const) {
      one.send('task.move', data)
      expect(one.state).toMatchObject({ column: data.to, position })
    }
    // It is there already.
    expect(one.send('task.move', { to: 'done' })).toMatchObject({ events: [] })
    expect(one.send('task.move', { to: 'done', after: 't1' })).toMatchObject({ events: [] })
  })

  test('[TK1] the last fifty of its sessions are kept, and each stands where it began', () => {
    const one = card(created)
    for (let at = 0; at < 60; at += 1) one.send(...seen(`s${at}`, 'completed'))
    one.send(...seen('s30', 'at_work'))
    expect(one.state.sessions).toHaveLength(50)
    expect(one.state.sessions[0]?.session).toBe('s59')
    expect(one.state.sessions.find(({ session }) => session === 's30')?.phase).toBe('at_work')
  })
})

describe('a card that moves by itself', () => {
  test.each<
    [from: TaskColumn, before: readonly (readonly [string, object])[], now: readonly [string, object], to: TaskColumn]
  >([
    ['todo', [], seen('s', 'queued'), 'todo'],
    ['todo', [], seen('s', 'at_work'), 'in_progress'],
    ['backlog', [seen('s', 'queued')], seen('s', 'at_work'), 'in_progress'],
    ['in_progress', [seen('s', 'at_work')], seen('s', 'at_rest'), 'in_progress'],
    ['in_progress', [seen('s', 'at_work')], seen('s', 'at_rest', true), 'review'],
    ['in_progress', [seen('s', 'at_work')], seen('s', 'completed', true), 'review'],
    ['in_progress', [seen('s', 'at_work')], seen('s', 'completed'), 'done'],
    ['in_progress', [seen('s', 'at_work')], seen('s', 'failed'), 'in_progress'],
    ['in_progress', [seen('s', 'at_work')], seen('s', 'aborted'), 'in_progress'],
    // Another one is still at it.
    ['in_progress', [seen('s', 'at_work'), seen('other', 'at_work')], seen('s', 'completed'), 'in_progress'],
    ['in_progress', [seen('s', 'at_work'), seen('other', 'queued')], seen('s', 'at_rest', true), 'in_progress'],
    // It asks again for something to be done.
    ['review', [seen('s', 'at_rest', true)], seen('s', 'at_work', true), 'in_progress'],
    ['review', [seen('s', 'at_rest', true)], seen('s', 'completed'), 'review'],
    // Where a person has put it, it stays while nothing begins or ends.
    ['todo', [seen('s', 'at_work')], seen('s', 'at_work', true), 'todo'],
    // A person has said that it is over: only a session that begins takes it back.
    ['done', [seen('s', 'at_rest')], seen('s', 'at_work'), 'done'],
    ['cancelled', [seen('s', 'at_work')], seen('s', 'at_rest', true), 'cancelled'],
    ['done', [], seen('s', 'at_work'), 'in_progress'],
    ['cancelled', [seen('s', 'queued')], seen('s', 'at_work'), 'in_progress'],
  ])('[TK3] in %s, after %j: %j brings it to %s', (from, before, now, to) => {
    const one = card(created, ...before)
    one.send('task.move', { to: from, after: null })
    one.send(...now)
    expect(one.state.column).toBe(to)
    // What is told twice changes nothing.
    const [, told] = now
    expect(columnAfter({ ...one.state, column: 'backlog' }, told as TaskSession)).toBe('backlog')
  })

  test('[TK3] what is gone is told of its sessions all the same, and moves no more', () => {
    const one = card(created, ['task.remove', {}])
    expect(one.send(...seen('s', 'at_work'))).toMatchObject({ ok: true, events: [{ type: 'task.session_seen' }] })
    expect(one.state).toMatchObject({ removed: true, column: 'todo', sessions: [{ session: 's' }] })
  })
})
