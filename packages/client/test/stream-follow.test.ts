import { describe, expect, it } from 'vitest'
import { batch, epoch, event, listen, scene, stream } from './stream-scene.ts'

describe('a stream that is followed', () => {
  it('[C4] what overlaps is cut off, and after a gap the stream is asked for again, once', () => {
    const { followed, sent } = scene()
    const heard = listen(followed, '0')
    followed.events(batch(1, 5), 10)
    followed.events(batch(3, 7), 10)
    followed.events(batch(1, 2), 10)
    expect(heard.seqs).toEqual([1, 2, 3, 4, 5, 6, 7])
    // 8 and 9 are lost; what is still on its way does not join either.
    followed.events(batch(10, 12), 10)
    followed.events(batch(13, 14), 10)
    expect(sent.filter(({ t }) => t === 'follow')).toEqual([
      { t: 'follow', stream, after: '0' },
      { t: 'follow', stream, after: `${epoch}.7` },
    ])
    followed.events(batch(8, 14), 10)
    expect(heard.seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
    expect(heard.follow.cursor).toBe(`${epoch}.14`)
  })

  it('[C4] several followers here share one follow on the wire, each from its own cursor', async () => {
    const { followed, sent } = scene()
    const first = listen(followed, `${epoch}.10`)
    followed.events(batch(11, 20), 10)
    followed.caughtUp({ t: 'caught_up', stream, epoch, seq: 20 })
    const older = listen(followed, '0')
    const newer = listen(followed, `${epoch}.20`)
    const now = listen(followed, 'now')
    expect(sent.map(({ after }) => after)).toEqual([`${epoch}.10`, '0'])
    followed.events(batch(1, 15), 10)
    followed.events(batch(16, 22), 10)
    followed.caughtUp({ t: 'caught_up', stream, epoch, seq: 22 })
    followed.events(batch(23, 23), 10)
    await Promise.resolve()
    expect(first.seqs).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23])
    expect(older.seqs).toEqual(Array.from({ length: 23 }, (_, at) => at + 1))
    expect(newer.seqs).toEqual([21, 22, 23])
    expect(now.seqs).toEqual([23])
    expect([first, older, newer, now].map(({ caughtUp }) => caughtUp.at(-1))).toEqual(Array(4).fill(`${epoch}.22`))
  })

  it('[C4] who comes from "now" to a stream at its head is told so without asking anybody', async () => {
    const { followed, sent } = scene()
    listen(followed, '0')
    followed.events(batch(1, 3), 10)
    followed.caughtUp({ t: 'caught_up', stream, epoch, seq: 3 })
    const late = listen(followed, 'now')
    const same = listen(followed, `${epoch}.3`)
    await Promise.resolve()
    expect([late.caughtUp, same.caughtUp]).toEqual([[`${epoch}.3`], [`${epoch}.3`]])
    expect(sent.filter(({ t }) => t === 'follow')).toHaveLength(1)
  })

  it('[C4] the last who leaves ends it on the wire; the others go on', () => {
    const all = scene()
    const [one, two] = [listen(all.followed, '0'), listen(all.followed, '0')]
    one.follow.close()
    one.follow.close()
    expect(all.left).toBe(0)
    all.followed.events(batch(1, 2), 10)
    expect([one.seqs, two.seqs]).toEqual([[], [1, 2]])
    two.follow.close()
    expect(all.left).toBe(1)
    expect(all.clock.pending).toBe(0)
  })

  it('[C5] what was taken is acknowledged after 64 KiB, or 250 ms', () => {
    const { followed, sent, clock } = scene()
    listen(followed, '0')
    followed.events(batch(1, 1), 30_000)
    expect(sent.filter(({ t }) => t === 'ack')).toEqual([])
    followed.events(batch(2, 2), 40_000)
    expect(sent.filter(({ t }) => t === 'ack')).toEqual([{ t: 'ack', stream, seq: 2 }])
    followed.events(batch(3, 3), 10)
    clock.advance(249)
    followed.events(batch(4, 4), 10)
    clock.advance(1)
    expect(sent.filter(({ t }) => t === 'ack').at(-1)).toEqual({ t: 'ack', stream, seq: 4 })
    followed.events(batch(5, 5), 10)
    followed.lost()
    clock.advance(1_000)
    expect(sent.filter(({ t }) => t === 'ack')).toHaveLength(2)
    followed.ask()
    followed.events(batch(6, 6), 10)
    clock.advance(250)
    expect(sent.at(-1)).toEqual({ t: 'ack', stream, seq: 6 })
  })

  it('[C6] a heartbeat that is ahead twice, with nothing in between, has the stream asked for again', () => {
    const { followed, sent } = scene()
    listen(followed, '0')
    followed.events(batch(1, 3), 10)
    followed.head(`${epoch}.3`)
    followed.head(`${epoch}.4`)
    followed.events(batch(4, 4), 10)
    followed.head(`${epoch}.5`)
    expect(sent.filter(({ t }) => t === 'follow')).toHaveLength(1)
    followed.head(`${epoch}.6`)
    expect(sent.filter(({ t }) => t === 'follow').at(-1)).toMatchObject({ after: `${epoch}.4` })
  })

  it('[C7] a reset ends the follow of those whose cursor is of another log, and of nobody else', () => {
    const { followed, sent } = scene()
    const stranger = listen(followed, 'bbbbbbbb.7')
    const future = listen(followed, `${epoch}.90`)
    const known = listen(followed, `${epoch}.4`)
    const fresh = listen(followed, '0')
    followed.reset({ t: 'reset', stream, reason: 'epoch', epoch, head: 9 })
    expect([stranger.resets, future.resets]).toEqual([[`${epoch}.9`], [`${epoch}.9`]])
    expect(sent.at(-1)).toMatchObject({ t: 'follow', after: '0' })
    followed.events(batch(1, 9), 10)
    expect([stranger.seqs, future.seqs, known.seqs.at(0), fresh.seqs.length]).toEqual([[], [], 5, 9])
    expect([known.resets, fresh.resets]).toEqual([[], []])
  })

  it('[C7] a follower from another life than what the server sends is reset; so is one ahead of two heartbeats', () => {
    const { followed } = scene()
    const old = listen(followed, 'bbbbbbbb.7')
    const young = listen(followed, `${epoch}.2`)
    followed.events(batch(3, 4), 10)
    expect(old.resets).toEqual([`${epoch}.4`])
    expect(young.seqs).toEqual([3, 4])
    const ahead = listen(followed, `${epoch}.50`)
    followed.head(`${epoch}.4`)
    expect(ahead.resets).toEqual([])
    followed.head(`${epoch}.4`)
    expect(ahead.resets).toEqual([`${epoch}.4`])
  })

  it('[C7] a cursor that is older than what is kept is reset, and not asked for again for ever', () => {
    const all = scene()
    const heard = listen(all.followed, `${epoch}.1`)
    all.followed.reset({ t: 'reset', stream, reason: 'erased', epoch, head: 9 })
    expect(heard.resets).toEqual([`${epoch}.9`])
    expect(all.sent.filter(({ t }) => t === 'follow')).toHaveLength(1)
    expect(all.left).toBe(1)
  })

  it('[C4] a follower that throws costs nobody else an event', () => {
    const { followed } = scene()
    let throws = true
    const angry = listen(followed, '0', {
      events: () => {
        if (throws) throw new Error('a fault of the page')
      },
    })
    const other = listen(followed, '0')
    expect(() => followed.events(batch(1, 2), 10)).toThrow('a fault of the page')
    throws = false
    followed.events(batch(3, 4), 10)
    followed.events(batch(1, 4), 10)
    expect(other.seqs).toEqual([1, 2, 3, 4])
    expect(angry.follow.cursor).toBe(`${epoch}.4`)
  })

  it('[C4] urgent events go only to those who do not have them', () => {
    const { followed } = scene()
    const behind = listen(followed, '0')
    followed.events(batch(1, 2), 10)
    const ahead = listen(followed, `${epoch}.40`)
    followed.urgent(event(30))
    followed.urgent(event(2))
    expect([behind.urgent, ahead.urgent]).toEqual([[30], []])
  })

  it('refuses what is no cursor', () => {
    expect(() => scene().followed.add('yesterday', { events: () => undefined })).toThrow(RangeError)
  })
})
