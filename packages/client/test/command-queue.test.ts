import { CommandQueue } from '@hotline/client/command-queue'
import type { Answer } from '@hotline/client/http-request'
import { memoryOutbox, type Outbox, type WaitingCommand } from '@hotline/client/outbox'
import type { Accepted } from '@hotline/protocol/command-answer'
import { problem } from '@hotline/protocol/error'
import { describe, expect, it } from 'vitest'
import { handClock } from '@hotline/testing/hand-clock'

interface Scene {
  queue: CommandQueue
  clock: ReturnType<typeof handClock>
  /** Ids in the order in which they went out. */
  sent: string[]
  posted: { command: WaitingCommand; answer: (answer: Answer<Accepted>) => void }[]
  outbox: Outbox
}

async function scene(outbox: Outbox = memoryOutbox()): Promise<Scene> {
  const clock = handClock()
  const sent: string[] = []
  const posted: Scene['posted'] = []
  const queue = new CommandQueue({
    outbox,
    clock,
    random: () => 1,
    send: (frame) => {
      sent.push((frame as { id: string }).id)
      return true
    },
    post: (command) => new Promise((answer) => posted.push({ command, answer })),
  })
  await queue.restore()
  return { queue, clock, sent, posted, outbox }
}

const message = (id: string, text = 'hello', stream = 'session:s1'): WaitingCommand => ({
  id,
  stream,
  type: 'message.send',
  data: { text },
})
const accepted = (id: string): Accepted => ({ id, seq: 7, cursor: 'aaaaaaaa.7' })
/** Whatever the queue has to do before the next thing happens. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

describe('commands on their way', () => {
  it('[C8] a command is in the outbox before it is sent, and leaves it with its answer', async () => {
    const order: string[] = []
    const inner = memoryOutbox()
    const { queue, sent } = await scene({
      ...inner,
      put: async (command) => {
        order.push(`put ${command.id}, sent ${sent.length}`)
        await inner.put(command)
      },
    })
    queue.opened('paced', 'frames')
    const outcome = queue.give(message('a'))
    expect(queue.waiting.value.map(({ id }) => id)).toEqual(['a'])
    await settled()
    expect(order).toEqual(['put a, sent 0'])
    expect(sent).toEqual(['a'])
    expect(await inner.all()).toHaveLength(1)
    queue.accepted(accepted('a'))
    expect(await outcome).toEqual({ ok: true, accepted: accepted('a') })
    expect([await inner.all(), queue.waiting.value]).toEqual([[], []])
  })

  it('[C8] what was sent and not answered is sent again with its id after every loss, in order', async () => {
    const { queue, sent } = await scene()
    const outcomes = ['a', 'b', 'c'].map((id) => queue.give(message(id)))
    await settled()
    expect(sent).toEqual([])
    queue.opened('paced', 'frames')
    expect(sent.splice(0)).toEqual(['a', 'b', 'c'])
    queue.accepted(accepted('b'))
    queue.lost()
    queue.opened('paced', 'frames')
    expect(sent.splice(0)).toEqual(['a', 'c'])
    queue.lost()
    queue.opened('paced', 'frames')
    expect(sent.splice(0)).toEqual(['a', 'c'])
    queue.accepted(accepted('a'))
    queue.accepted(accepted('a'))
    queue.accepted(accepted('c'))
    expect((await Promise.all(outcomes)).every(({ ok }) => ok)).toBe(true)
  })

  it('[C8] what an earlier visit left behind goes first, and nothing goes before it was read', async () => {
    const outbox = memoryOutbox()
    await outbox.put(message('old'))
    const clock = handClock()
    const sent: string[] = []
    const queue = new CommandQueue({
      outbox,
      clock,
      random: () => 1,
      send: (frame) => sent.push((frame as { id: string }).id) > 0,
      post: () => new Promise(() => undefined),
    })
    queue.opened('paced', 'frames')
    void queue.give(message('new'))
    await settled()
    expect(sent).toEqual([])
    await queue.restore()
    expect(sent).toEqual(['old', 'new'])
    expect(queue.waiting.value.map(({ id }) => id)).toEqual(['old', 'new'])
  })

  it('[C8] what is given in the last moment before the end is kept for the next visit', async () => {
    const outbox = memoryOutbox()
    const { queue } = await scene(outbox)
    const outcome = queue.give(message('a'))
    queue.close()
    expect(await outcome).toMatchObject({ ok: false, problem: { code: 'unreachable' } })
    await settled()
    expect((await outbox.all()).map(({ id }) => id)).toEqual(['a'])
  })

  it('[C25] what a tab that is gone has kept is taken up, and what was just answered is not', async () => {
    const outbox = memoryOutbox()
    const { queue, sent } = await scene({ ...outbox, remove: () => new Promise(() => undefined) })
    queue.opened('paced', 'frames')
    void queue.give(message('own'))
    await settled()
    queue.accepted(accepted('own'))
    await outbox.put(message('left'))
    await queue.recall()
    expect(sent).toEqual(['own', 'left'])
    expect(queue.waiting.value.map(({ id }) => id)).toEqual(['left'])
    await queue.recall()
    expect(sent).toEqual(['own', 'left'])
  })

  it('[C8] a broken outbox does not keep commands from being sent', async () => {
    const broken = (): Promise<never> => Promise.reject(new Error('disk full'))
    const { queue, sent } = await scene({ put: broken, remove: broken, all: broken })
    queue.opened('paced', 'frames')
    const outcome = queue.give(message('a'))
    await settled()
    expect(sent).toEqual(['a'])
    queue.accepted(accepted('a'))
    expect(await outcome).toMatchObject({ ok: true })
  })

  it('[C9] "not now" is no answer: it is sent again later, and what comes after it in its stream waits', async () => {
    const { queue, sent, clock } = await scene()
    queue.opened('paced', 'frames')
    const first = queue.give(message('a'))
    await settled()
    queue.refused('a', problem('storage_unavailable', 'The disk is full.', { retryAfterMs: 400 }))
    void queue.give(message('b'))
    void queue.give(message('other', 'hello', 'session:s2'))
    await settled()
    expect(sent.splice(0)).toEqual(['a', 'other'])
    clock.advance(599)
    expect(sent).toEqual([])
    clock.advance(1)
    expect(sent.splice(0)).toEqual(['a', 'b'])
    queue.refused('a', problem('rate_limited', 'Slowly.', { retryAfterMs: 100 }))
    queue.refused('a', problem('message_empty', 'Nothing in it.'))
    expect(await first).toMatchObject({ ok: false, problem: { code: 'message_empty' } })
  })

  it('[C9] a command over the size of a frame goes over HTTP, alone in its stream', async () => {
    const { queue, sent, posted } = await scene()
    queue.opened('paced', 'frames')
    void queue.give(message('a'))
    const large = queue.give(message('b', 'ä'.repeat(40_000)))
    void queue.give(message('c'))
    await settled()
    expect([sent, posted.length]).toEqual([['a'], 0])
    queue.accepted(accepted('a'))
    expect([sent, posted.map(({ command }) => command.id)]).toEqual([['a'], ['b']])
    queue.lost()
    queue.opened('paced', 'frames')
    expect(posted).toHaveLength(1)
    posted[0]?.answer({ ok: true, value: accepted('b') })
    expect(await large).toMatchObject({ ok: true })
    expect(sent).toEqual(['a', 'c'])
  })

  it('[C9] a large command that nobody could take is sent again', async () => {
    const { queue, posted, clock } = await scene()
    queue.opened('paced', 'frames')
    const large = queue.give(message('b', 'x'.repeat(70_000)))
    await settled()
    posted[0]?.answer({ ok: false, problem: problem('unreachable', 'gone') })
    await settled()
    clock.advance(1_000)
    expect(posted).toHaveLength(2)
    posted[1]?.answer({ ok: false, problem: problem('message_too_long', 'too long') })
    expect(await large).toMatchObject({ problem: { code: 'message_too_long' } })
  })

  it('[C10] what was never sent can be taken back by its id, and leaves the outbox; what was sent cannot', async () => {
    const { queue, outbox, sent } = await scene()
    const never = queue.give(message('a'))
    await settled()
    expect(queue.takeBack('a')).toBe(true)
    expect(await never).toMatchObject({ ok: false, problem: { code: 'unreachable' } })
    expect(await outbox.all()).toEqual([])
    expect(queue.takeBack('a')).toBe(false)
    queue.opened('paced', 'frames')
    void queue.give(message('b'))
    await settled()
    expect(sent).toEqual(['b'])
    expect(queue.takeBack('b')).toBe(false)
    expect(queue.waiting.value).toHaveLength(1)
  })

  it('[C10] the signal takes back what was never sent, and only ends the wait for what was', async () => {
    const { queue, sent, outbox } = await scene()
    const abort = new AbortController()
    const never = queue.give(message('a'), abort.signal)
    await settled()
    abort.abort()
    expect(await never).toMatchObject({ ok: false, problem: { code: 'unreachable' } })
    expect([await outbox.all(), queue.waiting.value]).toEqual([[], []])
    expect(await queue.give(message('b'), abort.signal)).toMatchObject({ ok: false })
    queue.opened('paced', 'frames')
    expect(sent).toEqual([])

    const second = new AbortController()
    const once = queue.give(message('c'), second.signal)
    await settled()
    second.abort()
    expect(await once).toMatchObject({ ok: false, problem: { code: 'unreachable' } })
    queue.lost()
    queue.opened('paced', 'frames')
    expect(sent).toEqual(['c', 'c'])
    // Whoever asks again with the same id hears the answer.
    const again = queue.give(message('c'))
    queue.accepted(accepted('c'))
    expect(await again).toMatchObject({ ok: true })
    expect(sent).toEqual(['c', 'c'])
  })

  it('[C10] half a character is refused at once: the server would not even answer', async () => {
    const { queue, sent } = await scene()
    queue.opened('paced', 'frames')
    for (const text of ['cut \ud83d', '\ude00 off']) {
      expect(await queue.give(message('a', text))).toMatchObject({ ok: false, problem: { code: 'invalid_request' } })
    }
    expect([sent, queue.waiting.value]).toEqual([[], []])
    void queue.give(message('b', 'whole 😀'))
    await settled()
    expect(sent).toEqual(['b'])
  })

  it('[C10] a thousand commands may wait; the next is refused and says so', async () => {
    const { queue, sent, clock } = await scene()
    for (let at = 0; at < 1_000; at += 1) void queue.give(message(`m${at}`))
    expect(await queue.give(message('one too many'))).toMatchObject({ problem: { code: 'queue_full', limit: 1_000 } })
    await settled()
    queue.opened('paced', 'frames')
    // They go out no quicker than a server takes them from one connection.
    expect(sent).toHaveLength(64)
    for (let at = 0; at < 1_000; at += 1) queue.accepted(accepted(`m${at}`))
    expect(sent.length).toBeLessThanOrEqual(130)
    expect(new Set(sent).size).toBe(sent.length)
    clock.advance(60_000)
    expect(queue.waiting.value).toHaveLength(0)
  })

  it('[C10] commands of a person go out at most 120 in a second; a runner is not held back', async () => {
    const { queue, sent, clock } = await scene()
    for (let at = 0; at < 400; at += 1) void queue.give(message(`m${at}`))
    await settled()
    queue.opened('paced', 'frames')
    let answered = 0
    const answer = (): void => {
      for (; answered < sent.length; answered += 1) queue.accepted(accepted(sent[answered] ?? ''))
    }
    answer()
    expect(sent).toHaveLength(120)
    for (let tenth = 0; tenth < 10; tenth += 1) {
      clock.advance(100)
      answer()
    }
    expect(sent.length).toBeGreaterThanOrEqual(230)
    expect(sent.length).toBeLessThanOrEqual(242)
    queue.lost()
    queue.opened('unpaced', 'frames')
    answer()
    expect(answered).toBe(400)
  })

  it('[C10] closing answers whoever waits, and leaves the outbox as it is', async () => {
    const { queue, outbox, clock } = await scene()
    const waiting = queue.give(message('a'))
    await settled()
    queue.close()
    expect(await waiting).toMatchObject({ ok: false, problem: { code: 'unreachable' } })
    expect(await outbox.all()).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})
