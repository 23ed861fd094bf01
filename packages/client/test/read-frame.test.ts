import { problem } from '@hotline/protocol/error'
import { Problem } from '@hotline/protocol/problem'
import { ServerFrame, serverFrames } from '@hotline/protocol/server-frame'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFrame, readProblem } from '../src/read-frame.ts'

const envelope = {
  v: 1,
  stream: 'session:a',
  seq: 1,
  at: '2026-01-01T00:00:00.000Z',
  type: 'message.posted',
  subject: 'message:1',
  actor: { kind: 'person', id: 'dana' },
  channel: 'web:1',
  cause: 'c',
  data: { message: '1' },
  body: { text: 'hello' },
  hash: 'ab',
}
const refusal = { ...problem('rate_limited', 'Slow down.'), retryAfterMs: 5 }
const place = { session: 's', project: 'p', agent: 'demo', priority: 'high', since: 'then', why: 'machine_full' }
const sample = { pid: 2, ppid: 0, name: 'node', cpuMs: 1.5, memoryBytes: 4096, startedAt: 'then' }
const tree = { at: 'now', reach: 'cgroup', frozen: false, count: 1, cpuMs: 1, memoryBytes: 2, processes: [sample] }

/** Of each kind, with every member that it can have. */
const whole: Readonly<Record<keyof typeof serverFrames, object>> = {
  welcome: {
    connection: 'c',
    principal: { kind: 'person', id: 'dana', name: 'Dana', admin: true },
    projects: [{ project: 'p', role: 'owner' }],
    serverTime: 'now',
    heartbeatMs: 20_000,
    without: ['output'],
  },
  events: { stream: 'session:a', epoch: 'e', from: 1, to: 1, events: [envelope] },
  caught_up: { stream: 'session:a', epoch: 'e', seq: 3 },
  unfollowed: { stream: 'session:a', problem: refusal },
  accepted: {
    id: 'i',
    seq: 4,
    cursor: 'e.4',
    fence: 2,
    dropped: [{ index: 0, code: 'invalid_request' }],
    until: 'then',
  },
  refused: { id: 'i', problem: refusal },
  reset: { stream: 'session:a', reason: 'epoch', epoch: 'e', head: 3 },
  urgent: { stream: 'session:a', event: envelope },
  ephemeral: {
    kind: 'doing',
    stream: 'project:p',
    doings: [
      {
        session: 's',
        step: { kind: 'edit', object: 'a.ts', at: 'now', over: false },
        usage: { tokens: 3, cost: { amount: 0.5, currency: 'USD' } },
      },
    ],
    streams: ['session:a'],
    ask: 'a',
    agent: 'demo',
    folder: '/a',
    evidence: { lastOutputAt: 'then', tree },
    queue: [
      { ...place, position: 1, wait: { lowS: 1, likelyS: 2, highS: 3, of: 5 } },
      { ...place, position: null, wait: null },
    ],
  },
  heads: { heads: { 'session:a': 'e.3' } },
  pong: {},
  problem: { problem: refusal },
  goodbye: { code: 'draining', retryAfterMs: 100 },
}

/** Something that a member may be changed to, or `gone`. */
const anything = fc.oneof(
  fc.constant('gone' as const),
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    Number.NaN,
    '',
    'session:b',
    'x'.repeat(50),
    'y'.repeat(300),
    [],
    {},
  ),
)

/** Every place in a frame, as the way there. */
function placesIn(value: unknown, way: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [way]
  return [way, ...Object.entries(value).flatMap(([name, member]) => placesIn(member, [...way, name]))]
}

function changed(value: unknown, [name, ...rest]: readonly string[], to: unknown): unknown {
  if (name === undefined) return to
  const copy = structuredClone(value) as Record<string, unknown>
  if (rest.length > 0) copy[name] = changed(copy[name], rest, to)
  else if (to === 'gone' && Array.isArray(copy)) copy.splice(Number(name), 1)
  else if (to === 'gone') delete copy[name]
  else copy[name] = to
  return copy
}

describe('what a server says', () => {
  it.each(Object.entries(whole))('[W6] is read where it is whole: %s', (t, members) => {
    const frame = { t, ...members, 'what it does not know': 1 }
    expect(readFrame(frame)).toBe(frame)
    expect(ServerFrame.safeParse(frame).success).toBe(true)
    // A member that the schema gets is looked at here as well.
    const known = Object.keys(serverFrames[t as keyof typeof serverFrames].shape)
    expect(Object.keys({ t, ...members }).toSorted()).toEqual(known.toSorted())
  })

  it.each(Object.entries(whole))('[W6] is judged as by the schema, whatever is wrong with it: %s', (t, members) => {
    const frame = { t, ...members }
    fc.assert(
      fc.property(fc.constantFrom(...placesIn(frame).slice(1)), anything, (way, to) => {
        const other = changed(frame, way, to)
        expect(readFrame(other) !== undefined, JSON.stringify(other)).toBe(ServerFrame.safeParse(other).success)
      }),
      { numRuns: 400 },
    )
  })

  it('[W6] is nothing where it is no frame', () => {
    for (const nonsense of [undefined, null, 1, 'pong', [], {}, { t: 'toString' }, { t: '__proto__' }, { t: ['pong'] }])
      expect(readFrame(nonsense)).toBeUndefined()
  })

  it('[W6] a refusal over HTTP is judged in the same way', () => {
    fc.assert(
      fc.property(fc.constantFrom(...placesIn(refusal).slice(1)), anything, (way, to) => {
        const other = changed(refusal, way, to)
        expect(readProblem(other) !== undefined, JSON.stringify(other)).toBe(Problem.safeParse(other).success)
      }),
    )
    expect(readProblem([])).toBeUndefined()
  })
})
