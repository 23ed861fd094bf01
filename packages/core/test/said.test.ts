import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import { eventMarkdown } from '@hotline/core/transcript/event-markdown'
import type { signs } from '@hotline/protocol/sign'
import { describe, expect, it } from 'vitest'
import { activeLog, code, dana, eli, type Log } from './fixtures.ts'

const said = (message: string) => ({
  type: 'message.completed' as const,
  data: { message, chars: 2 },
  body: { text: 'Hi' },
})

function signsOf(log: Log, message: string): string[] {
  const { items, places } = foldTranscript(emptyTranscript, log.events)
  const item = items[places.get(`message:${message}`) ?? -1]
  if (item?.kind !== 'message') throw new Error('no such message')
  return (item.signs ?? []).map(({ sign, by }) => `${sign} ${by.id}`)
}

describe('signs under messages', () => {
  it('[M9] each of an actor counts once, and is taken away by its actor alone', () => {
    const log = activeLog()
    log.report(said('m1'))
    const react = (who: typeof dana, sign: string, on: boolean) =>
      log.send(who, 'message.react', { message: 'm1', sign: sign as (typeof signs)[number], on })
    expect(react(dana, '👍', true)).toMatchObject({ ok: true, events: [{ type: 'message.reacted' }] })
    expect(react(dana, '👍', true)).toEqual({ ok: true, events: [] })
    react(eli, '👍', true)
    react(eli, '🎉', true)
    expect(signsOf(log, 'm1')).toEqual(['👍 dana', '👍 eli', '🎉 eli'])
    expect(react(dana, '🎉', false)).toEqual({ ok: true, events: [] })
    expect(react(dana, '👍', false)).toMatchObject({ events: [{ data: { on: false } }] })
    expect(signsOf(log, 'm1')).toEqual(['👍 eli', '🎉 eli'])
    for (const sign of ['👍', '🎉']) react(eli, sign, false)
    expect(signsOf(log, 'm1')).toEqual([])
  })

  it('[M9] a key of a service is another actor than a person of the same id', () => {
    const log = activeLog()
    log.report(said('m1'))
    const react = { message: 'm1', sign: '✅', on: true } as const
    log.send(dana, 'message.react', react)
    expect(log.send({ kind: 'service', id: dana.id }, 'message.react', react)).toMatchObject({ events: [{}] })
    expect(signsOf(log, 'm1')).toEqual(['✅ dana', '✅ dana'])
  })

  it('[M9] what is no message of a person or an agent there takes none', () => {
    const log = activeLog()
    const react = (message: string) => code(log.send(dana, 'message.react', { message, sign: '👀', on: true }))
    expect(react('none')).toBe('not_found')
    log.said = new Map([['s', { role: 'system', by: dana, text: 'x', signs: [] }]])
    expect(react('s')).toBe('not_found')
  })

  it('[M9] a message that waits takes them, and so does one of a session that is over', () => {
    const log = activeLog()
    log.send(dana, 'message.send', { text: 'Hello' })
    const [message = ''] = log.state?.queue.map((queued) => queued.message) ?? []
    expect(code(log.send(eli, 'message.react', { message, sign: '👀', on: true }))).toBe('ok')
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'failed', reason: 'agent_lost' },
      body: {},
    })
    const before = log.state
    expect(code(log.send(eli, 'message.react', { message, sign: '❤️', on: true }))).toBe('ok')
    expect(log.state).toBe(before)
    expect(signsOf(log, message)).toEqual(['👀 eli', '❤️ eli'])
    const last = log.events.at(-1)
    expect(last && eventMarkdown(last, ({ id }) => id)).toContain('eli put ❤️ under a message.')
  })
})

describe('replies', () => {
  it('[M10] carry how the other message began, cut where it is long, as it was said then', () => {
    const log = activeLog()
    log.report(said('m1'), { ...said('m2'), body: { text: 'x'.repeat(400) } })
    const sent = (replyTo: string) => {
      log.send(dana, 'message.send', { text: 'Yes.', replyTo })
      return log.events.at(-1)
    }
    expect(sent('m1')).toMatchObject({ data: { replyTo: 'm1' }, body: { quote: { role: 'agent', text: 'Hi' } } })
    expect(sent('m2')?.body).toMatchObject({ quote: { text: `${'x'.repeat(300)}…` } })
    const mine = String(sent('m1')?.data['message'])
    log.send(dana, 'message.edit', { message: mine, text: 'No.' })
    const reply = sent(mine)
    expect(reply?.body).toMatchObject({ quote: { role: 'person', by: dana, text: 'No.' } })
    expect(reply && eventMarkdown(reply, ({ id }) => id)).toContain('> > No.\n>\n> Yes.')
  })

  it('[M10] to what is not there, and nothing is sent', () => {
    const log = activeLog()
    expect(code(log.send(dana, 'message.send', { text: 'Yes.', replyTo: 'none' }))).toBe('not_found')
    expect(log.state?.queue).toEqual([])
  })
})
