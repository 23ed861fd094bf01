import type { Follow, Follower } from '@hotline/client/link'
import { StreamFollow } from '@hotline/client/stream-follow'
import type { Envelope } from '@hotline/protocol/event'
import type { ServerFrame } from '@hotline/protocol/server-frame'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'

export const stream = 'session:s1'
export const epoch = 'aaaaaaaa'

export function event(seq: number): Envelope & Record<string, unknown> {
  const actor = { kind: 'agent', id: 'a' } as const
  return { v: 1, stream, seq, at: '2026-01-01T00:00:00.000Z', type: 'x.happened', actor, data: {}, hash: `h${seq}` }
}

export function batch(from: number, to: number, of = epoch): Extract<ServerFrame, { t: 'events' }> {
  const events = Array.from({ length: to - from + 1 }, (_, at) => event(from + at))
  return { t: 'events', stream, epoch: of, from, to, events }
}

export interface Scene {
  followed: StreamFollow
  clock: HandClock
  /** Everything that was sent, and whether a connection takes it. */
  sent: { t: string; after?: string; seq?: number }[]
  line: { open: boolean }
  left: number
}

export function scene(): Scene {
  const clock = handClock()
  const sent: Scene['sent'] = []
  const line = { open: true }
  const all: Scene = {
    clock,
    sent,
    line,
    left: 0,
    followed: new StreamFollow(stream, {
      clock,
      send: (frame) => {
        if (line.open) sent.push(frame)
        return line.open
      },
      left: () => (all.left += 1),
    }),
  }
  return all
}

export interface Heard {
  seqs: number[]
  caughtUp: string[]
  urgent: number[]
  resets: string[]
  ended: string[]
  follow: Follow
}

export function listen(followed: StreamFollow, after: string, more: Partial<Follower> = {}): Heard {
  const heard: Omit<Heard, 'follow'> = { seqs: [], caughtUp: [], urgent: [], resets: [], ended: [] }
  const follow = followed.add(after, {
    events: (events) => void heard.seqs.push(...events.map(({ seq }) => seq)),
    caughtUp: (cursor) => void heard.caughtUp.push(cursor),
    urgent: ({ seq }) => void heard.urgent.push(seq),
    reset: (head) => void heard.resets.push(head),
    ended: ({ code }) => void heard.ended.push(code),
    ...more,
  })
  return Object.assign(heard, { follow })
}
