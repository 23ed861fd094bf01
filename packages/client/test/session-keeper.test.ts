import type { KeptSession, KeptSessions } from '@hotline/client/kept-sessions'
import { openSessionKeeper } from '@hotline/client/session-keeper'
import type { SessionState } from '@hotline/core/session/state'
import type { Envelope } from '@hotline/protocol/event'
import { expect, it } from 'vitest'

const event = (seq: number, type: string, data: object, text?: string): Envelope => ({
  v: 1,
  stream: 'session:s1',
  seq,
  at: '2026-03-01T12:00:00.000Z',
  type,
  actor: { kind: 'agent', id: 's1' },
  data: { ...data },
  ...(text === undefined ? {} : { body: { text } }),
  hash: '',
})

it('[RT6] what a page keeps loses its output as soon as the page hears that it was erased', () => {
  const written: KeptSession[] = []
  const kept: KeptSessions = {
    read: () => Promise.resolve(undefined),
    keep: (one) => {
      written.push(one)
      return Promise.resolve()
    },
    drop: () => Promise.resolve(),
    clear: () => Promise.resolve(),
  }
  const clock = { wallMs: () => 0, monotonicMs: () => 0, after: () => () => undefined }
  // Nothing of it is read here.
  const state = {} as SessionState
  const events = [
    event(5, 'message.completed', { message: 'm1', chars: 9 }, 'an answer'),
    event(6, 'output.appended', { source: 'stdout', encoding: 'utf8', bytes: 7 }, 'printed'),
  ]
  const keeper = openSessionKeeper(kept, 's1', clock)
  keeper.begin({ cursor: 'e.6', state, events, before: 4 })
  const erased = event(7, 'content.erased', { upTo: 6, reason: 'retention', kind: 'output', days: 30 })
  keeper.came([erased], state, 'e.7')
  const now = written.at(-1)
  keeper[Symbol.dispose]()
  expect(JSON.stringify(now)).not.toContain('printed')
  // The rest of it is read anew, when somebody looks.
  expect(now).toMatchObject({ cursor: 'e.7', before: 7, events: [{ seq: 7 }] })
})
