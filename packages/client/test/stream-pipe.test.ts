import { StreamFollow } from '@hotline/client/stream-follow'
import type { ServerFrame } from '@hotline/protocol/server-frame'
import { parseCursor } from '@hotline/protocol/stream'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { handClock } from '@hotline/testing/hand-clock'
import { batch, epoch, type Heard, listen, stream } from './stream-scene.ts'

/**
 * A server at the other end of a pipe that keeps order: what it has sent is on its way for a while, batches may overlap,
 * be lost or come twice, the line may break, and followers come and go.
 */
describe('a stream over a pipe that misbehaves', () => {
  type Act =
    | { do: 'append'; count: number }
    | { do: 'deliver'; count: number }
    | { do: 'lose' | 'repeat' | 'cut' | 'heartbeat' | 'leave' }
    | { do: 'join'; from: 'start' | 'now' | 'known' }
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 5 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('lose' as const, 'repeat' as const, 'cut' as const, 'heartbeat' as const, 'leave' as const),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('join' as const),
        from: fc.constantFrom('start' as const, 'now' as const, 'known' as const),
      }),
    },
  )

  it('[C4] [N1] every follower hears every event after its cursor once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60, size: 'max' }), async (acts) => {
        const clock = handClock()
        let head = 0
        /** Where the server's follower stands; undefined where nothing is followed. */
        let at: number | undefined
        let pipe: ServerFrame[] = []
        const pump = (): void => {
          while (at !== undefined && at < head) {
            const to = Math.min(head, at + 3)
            pipe.push(batch(at + 1, to))
            at = to
            if (at === head) pipe.push({ t: 'caught_up', stream, epoch, seq: at })
          }
        }
        const followed = new StreamFollow(stream, {
          clock,
          left: () => (at = undefined),
          send: (frame) => {
            const { t, after } = frame as { t: string; after?: string }
            if (t !== 'follow') return true
            const cursor = parseCursor(after ?? '')
            at = cursor === 'now' ? head : cursor === 'start' ? 0 : (cursor?.seq ?? 0)
            if (at === head) pipe.push({ t: 'caught_up', stream, epoch, seq: at })
            pump()
            return true
          },
        })
        const take = (frame: ServerFrame): void => {
          if (frame.t === 'events') followed.events(frame, 100)
          if (frame.t === 'caught_up') followed.caughtUp(frame)
          if (frame.t === 'heads') followed.head(frame.heads[stream] ?? '')
        }
        const heard: (Heard & { first: number | undefined })[] = []
        for (const one of acts) {
          if (one.do === 'append') {
            head += one.count
            pump()
          } else if (one.do === 'deliver') for (const frame of pipe.splice(0, one.count)) take(frame)
          else if (one.do === 'lose') pipe.splice(0, 1)
          else if (one.do === 'repeat' && pipe[0]) pipe.splice(1, 0, pipe[0])
          else if (one.do === 'heartbeat' && at !== undefined)
            pipe.push({ t: 'heads', heads: { [stream]: `${epoch}.${head}` } })
          else if (one.do === 'cut') {
            pipe = []
            at = undefined
            followed.lost()
            followed.ask()
          } else if (one.do === 'leave') heard.shift()?.follow.close()
          else if (one.do === 'join') {
            const known = heard.at(-1)?.follow.cursor ?? '0'
            const after = one.from === 'start' ? '0' : one.from === 'now' ? 'now' : known
            const begun = parseCursor(after)
            const first = typeof begun === 'object' ? begun.seq + 1 : begun === 'start' ? 1 : undefined
            heard.push({ ...listen(followed, after), first })
          }
          await Promise.resolve()
        }
        // A quiet end: two heartbeats find whatever was lost last.
        for (let round = 0; round < 4; round += 1) {
          while (pipe.length > 0) for (const frame of pipe.splice(0, 1)) take(frame)
          if (at !== undefined) take({ t: 'heads', heads: { [stream]: `${epoch}.${head}` } })
        }
        await Promise.resolve()
        for (const { seqs, follow, resets, caughtUp, first = seqs[0] ?? 1 } of heard) {
          expect(resets).toEqual([])
          expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => first + index))
          const cursor = parseCursor(follow.cursor)
          expect(typeof cursor === 'object' ? cursor.seq : 0).toBe(head)
          expect(caughtUp.length).toBeGreaterThan(0)
        }
      }),
      { numRuns: 300 },
    )
  })
})
