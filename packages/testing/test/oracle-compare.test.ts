import { problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import { describe, expect, it } from 'vitest'
import { compareRecording, type Recording } from '../src/oracle-compare.ts'

const stream = 'session:s1'
const event = (seq: number, cause?: string, more: Partial<Envelope> = {}): Envelope => ({
  v: 1,
  stream,
  seq,
  at: '2026-01-01T00:00:00.000Z',
  type: 'message.posted',
  subject: `message:${cause ?? seq}`,
  actor: { kind: 'person', id: 'dana' },
  ...(cause === undefined ? {} : { cause }),
  data: {},
  hash: `h${seq}`,
  ...more,
})
const stored = [event(1), event(2, 'a'), event(3), event(4, 'b'), event(5, 'b', { type: 'turn.started', subject: 't' })]
const applied = (...seqs: number[]): Recording['applied'] =>
  seqs.map((seq) => ({ epoch: 'aaaaaaaa', seq, hash: `h${seq}` }))
const accepted = (id: string, seq: number): Recording['commands'][number] => ({
  id,
  stream,
  outcome: { ok: true, accepted: { id, seq, cursor: `aaaaaaaa.${seq}` } },
})
const refused = (
  id: string,
  code: 'message_empty' | 'unreachable' | 'storage_unavailable',
): Recording['commands'][number] => ({
  id,
  stream,
  outcome: { ok: false, problem: problem(code, '') },
})

function kinds(part: Partial<Recording>, log: readonly Envelope[] = stored): string[] {
  const whole = { name: 'r', stream, after: 0, applied: applied(1, 2, 3, 4, 5), commands: [], end: 'complete' } as const
  return compareRecording({ ...whole, ...part }, log).map(({ kind }) => kind)
}

describe('the comparison of what a client saw with what is stored', () => {
  it('[H1] finds nothing where there is nothing', () => {
    expect(kinds({})).toEqual([])
    expect(kinds({ after: 3, applied: applied(4, 5) })).toEqual([])
    expect(kinds({ applied: applied(1, 2), end: 'open' })).toEqual([])
    expect(
      kinds({ commands: [accepted('a', 2), accepted('b', 5), refused('c', 'message_empty'), { id: 'd', stream }] }),
    ).toEqual([])
    // Whether these happened, nobody has said.
    expect(
      kinds({ commands: [refused('a', 'unreachable'), refused('c', 'unreachable'), { id: 'b', stream }] }),
    ).toEqual([])
    expect(kinds({ commands: [{ ...refused('a', 'message_empty'), stream: 'session:other' }] })).toEqual([])
  })

  it.each<[string, string[], Partial<Recording>]>([
    ['an event that is missing', ['lost'], { applied: applied(1, 2, 4, 5) }],
    ['the first event missing', ['lost'], { applied: applied(2, 3, 4, 5) }],
    ['an event that came twice', ['doubled'], { applied: applied(1, 2, 2, 3, 4, 5) }],
    ['events that changed places', ['lost', 'out_of_order'], { applied: applied(1, 3, 2, 4, 5) }],
    ['an end that was not reached', ['incomplete'], { applied: applied(1, 2, 3) }],
    ['nothing at all', ['incomplete'], { applied: [] }],
    ['an event that is not stored', ['not_stored'], { applied: applied(1, 2, 3, 4, 5, 6) }],
    ['another hash', ['other_hash'], { applied: [...applied(1, 2, 3, 4), { epoch: 'aaaaaaaa', seq: 5, hash: 'x' }] }],
    ['another life', ['other_epoch'], { applied: [...applied(1, 2, 3, 4), { epoch: 'b', seq: 5, hash: 'h5' }] }],
    ['an acknowledged command that is not there', ['acknowledged_missing'], { commands: [accepted('x', 3)] }],
    ['an acknowledged command that is elsewhere', ['acknowledged_elsewhere'], { commands: [accepted('a', 3)] }],
    ['a refused command that is there', ['refused_present'], { commands: [refused('a', 'message_empty')] }],
  ])('[H1] finds %s', (_name, expected, part) => {
    expect(kinds(part)).toEqual(expected)
  })

  it('[H1] finds a command that happened twice, side by side or apart, answered or not', () => {
    const beside = [event(1, 'a'), event(2, 'a')]
    const apart = [event(1, 'a'), event(2), event(3, 'a', { subject: 'other' })]
    expect(kinds({ applied: applied(1, 2), commands: [accepted('a', 1)] }, beside)).toEqual(['command_twice'])
    expect(kinds({ applied: applied(1, 2, 3), commands: [{ id: 'a', stream }] }, apart)).toEqual(['command_twice'])
  })

  it('[H1] finds a store with a gap, or with an event under two numbers', () => {
    expect(kinds({ applied: applied(1, 3) }, [event(1), event(3)])).toEqual(['store_gap', 'lost'])
    expect(kinds({ applied: [], end: 'open' }, [event(1), event(2, undefined, { hash: 'h1' })])).toEqual([
      'store_chain',
    ])
  })
})
