import { eventMarkdown } from '@hotline/core/transcript/event-markdown'
import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import type { Envelope } from '@hotline/protocol/event'
import { describe, expect, it } from 'vitest'
import { activeLog, code, type Log, server } from './fixtures.ts'

const output = { source: 'stdout', encoding: 'utf8', bytes: 14 } as const

function talked(): Log {
  const log = activeLog()
  log.report({ type: 'step.started', data: { step: 'x1', kind: 'execute' }, body: { title: 'Run it' } })
  log.report({ type: 'output.appended', data: output, body: { text: 'printed a line' } })
  log.report({ type: 'step.finished', data: { step: 'x1', outcome: 'done' }, body: { output: 'printed whole' } })
  log.report({ type: 'message.completed', data: { message: 'm1', chars: 9 }, body: { text: 'an answer' } })
  return log
}

const erased = (seq: number): Envelope => ({
  v: 1,
  stream: 'session:s1',
  seq,
  at: '2026-03-01T12:00:00.000Z',
  type: 'content.erased',
  actor: { kind: 'system', id: 'server' },
  data: { upTo: seq - 1, reason: 'retention', kind: 'output', days: 30 },
  hash: '',
})

describe('output that was erased', () => {
  it('[RT5] a page that shows it, and one that reads it afterwards, say so and show the rest', () => {
    const { events } = talked()
    const notice = erased(events.length + 1)
    const gone = new Set(['output.appended', 'step.finished'])
    const anew = events.map((event): Envelope => (gone.has(event.type) ? { ...event, body: undefined } : event))
    const open = foldTranscript(foldTranscript(emptyTranscript, events), [notice])
    const later = foldTranscript(emptyTranscript, [...anew, notice])
    for (const { items, places } of [open, later]) {
      const words = JSON.stringify(items)
      expect(words).not.toContain('printed')
      for (const said of ['Run it', 'an answer']) expect(words).toContain(said)
      expect(items.at(-1)).toMatchObject({ text: 'The output of programs and tools was erased after 30 days.' })
      for (const [key, place] of places) expect(items[place]?.key).toBe(key)
    }
    expect(later.items).toEqual(open.items)
    expect(eventMarkdown(notice, ({ id }) => id)).toContain('was erased after 30 days')
  })

  it('[RT2] the output of a session that is not over is not erased', () => {
    const log = talked()
    expect(code(log.send(server, 'session.erase_output', { days: 30 }))).toBe('invalid_transition')
  })
})
