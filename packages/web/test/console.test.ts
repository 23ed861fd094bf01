import type { Item } from '@hotline/core/transcript/item'
import { describe, expect, it } from 'vitest'
import { consoleRows } from '../src/session/console/console-rows.ts'
import { consoleHelp, readConsoleLine } from '../src/session/console/read-line.ts'

const by = { kind: 'person', id: 'lee' } as const
const control = (more: object): Item => ({
  kind: 'control',
  key: `control:${JSON.stringify(more)}`,
  seq: 1,
  at: '2026-01-01T10:00:00.000Z',
  control: 'c1',
  action: 'pause',
  by,
  ...more,
})

describe('the console', () => {
  it('[G100] reads its words, those of the line of an agent, and says what it knows where it does not', () => {
    const commandOf = (line: string): unknown => {
      const read = readConsoleLine(line)
      return read.kind === 'command' ? [read.command.type, read.command.data] : read.kind
    }
    expect(commandOf(' Pause ')).toEqual(['session.pause', {}])
    expect(commandOf('pause after-step')).toEqual(['session.pause', { when: 'next_step' }])
    expect(commandOf('pause while I read')).toEqual(['session.pause', { reason: 'while I read' }])
    expect(commandOf('stop hard')).toEqual(['session.interrupt', { hard: true }])
    expect(commandOf('kill it runs in circles')).toEqual(['session.abort', { reason: 'it runs in circles' }])
    expect(commandOf('send  two words ')).toEqual(['message.send', { text: 'two words' }])
    expect(['get_state', 'state', 'help'].map(commandOf)).toEqual(['state', 'state', 'help'])
    expect(commandOf('send_input x')).toEqual(['message.send', { text: 'x' }])
    for (const line of ['', 'paus', 'resume now', 'send', 'rm -rf /']) expect(commandOf(line), line).toBe('wrong')
    for (const [form] of consoleHelp) expect(readConsoleLine(form).kind, form).not.toBe('wrong')
  })

  it('[G100] lists what everybody did, in the order of its time, with what came of it', () => {
    const message = {
      kind: 'message',
      key: 'm',
      seq: 2,
      role: 'person',
      by,
      message: 'm1',
      streaming: false,
      erased: false,
    }
    const items = [
      control({ outcome: 'done', found: { reach: 'cgroup', processes: 3 } }),
      control({ action: 'interrupt', hard: true }),
      control({ action: 'kill', outcome: 'failed', reason: 'No.' }),
      { ...message, at: '2026-01-01T10:00:03.000Z', text: 'a\nb', delivery: 'queued' } as Item,
    ]
    const entries = [
      { id: 'm1', at: '2026-01-01T10:00:03.500Z', text: 'send a b', outcome: { kind: 'accepted' } as const },
      {
        id: 'e1',
        at: '2026-01-01T10:00:02.000Z',
        text: 'resume',
        outcome: { kind: 'refused', why: 'It runs.' } as const,
      },
      { id: 'e2', at: '2026-01-01T10:00:09.000Z', text: 'pause' },
    ]
    const shown = consoleRows(items, entries).map(({ text, status, words }) => [text, status, words])
    expect(shown).toEqual([
      ['pause', 'done', 'done: 3 processes stand still'],
      ['stop hard', 'under-way', 'accepted, under way'],
      ['kill', 'refused', 'failed: No.'],
      ['resume', 'refused', 'refused: It runs.'],
      ['send a b', 'under-way', 'accepted, waits for the agent'],
      ['pause', 'waits', 'not answered yet'],
    ])
  })
})
