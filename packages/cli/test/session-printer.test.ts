import type { Envelope } from '@hotline/protocol/event'
import { describe, expect, it } from 'vitest'
import { openSessionPrinter, type SessionPrinter } from '../src/session-printer.ts'

const dana = { kind: 'person', id: 'a1' } as const
const agent = { kind: 'agent', id: 'demo' } as const

interface Scene {
  printer: SessionPrinter
  tell(type: string, data: object, text?: string): void
  /** What was printed since it was last asked, without times. */
  printed(): string[]
}

function open(): Scene {
  let out = ''
  let seq = 0
  const printer = openSessionPrinter(
    (text) => (out += text),
    () => [],
    new Map([['a1', 'dana']]),
  )
  return {
    printer,
    tell: (type, data, text) => {
      seq += 1
      const isPersons = /posted|edited|withdrawn|reacted/.test(type)
      printer.event({
        stream: 'session:s',
        seq,
        type,
        at: '2026-01-01T10:00:00.000Z',
        actor: isPersons ? dana : agent,
        data,
        ...(text === undefined ? {} : { body: { text } }),
        hash: '',
      } as unknown as Envelope)
    },
    printed: () => {
      const lines = out.split('\n').slice(0, -1)
      out = ''
      return lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, '').trimEnd())
    },
  }
}

const post = (scene: Scene, message: string, text: string): void =>
  scene.tell('message.posted', { message, role: 'person', chars: text.length, queued: true }, text)
const delta = (scene: Scene, text: string): void => scene.tell('message.delta', { message: 'm' }, text)

describe('what is printed of a session', () => {
  it('[B17] messages with what became of them', () => {
    const scene = open()
    post(scene, 'one', 'first thing')
    post(scene, 'two', 'second thing\nin two lines')
    post(scene, 'three', 'third thing')
    scene.tell('message.edited', { message: 'one', chars: 3 }, 'a better thing')
    scene.tell('message.withdrawn', { message: 'two' })
    scene.tell('message.delivered', { message: 'one', turn: 't' })
    expect(scene.printed()).toEqual([
      '@dana  first thing',
      '@dana  second thing',
      `${' '.repeat(16)}in two lines`,
      '@dana  third thing',
      'edited @dana wrote in place of "first thing":',
      `${' '.repeat(16)}a better thing`,
      'note   @dana took back "second thing…"',
      'note   the agent has "a better thing"',
    ])
    scene.tell('message.reacted', { message: 'one', sign: '👍', on: true })
    scene.tell('message.reacted', { message: 'long ago', sign: '👍', on: false })
    expect(scene.printed()).toEqual([
      'note   @dana put 👍 under "a better thing"',
      'note   @dana took 👍 away from a message',
    ])
    scene.printer.end()
    expect(scene.printed()).toEqual(['note   "third thing" waits for the agent'])
  })

  it('[B17] a line that stands still is shown as far as it goes, and the rest of it later, once', () => {
    const scene = open()
    delta(scene, 'one\nHello wor')
    expect(scene.printed()).toEqual(['agent  one'])
    scene.printer.rest()
    expect(scene.printed()).toEqual(['agent  Hello wor …'])
    scene.printer.rest()
    expect(scene.printed()).toEqual([])
    delta(scene, 'ld, and')
    scene.printer.rest()
    delta(scene, ' more\nlast')
    expect(scene.printed()).toEqual(['agent  … ld, and …', 'agent  …  more'])
    scene.tell('message.completed', { message: 'm', chars: 1 }, 'one\nHello world, and more\nlast words')
    scene.printer.end()
    expect(scene.printed()).toEqual(['agent  last words'])
  })

  it('[B17] where nothing comes any more, the end shows what there was', () => {
    const scene = open()
    delta(scene, 'all that it said')
    scene.tell('output.appended', { source: 'pty', encoding: 'utf8', bytes: 3 }, 'Password: ')
    scene.printer.end()
    expect(scene.printed()).toEqual(['pty    Password:', 'agent  all that it said …'])
    scene.printer.end()
    expect(scene.printed()).toEqual([])
  })

  it.each([
    ['a character', 'ab\ud83d', '\ude00cd', '… \u{1f600}cd …'],
    ['a sequence of a terminal', 'ab\u001b[3', '1mcd', '… \\u{1b}[31mcd …'],
    ['a line end', 'ab\r', '\ncd', 'cd …'],
  ])('[B17] %s is never cut', (_name, first, second, after) => {
    const scene = open()
    delta(scene, first)
    scene.printer.rest()
    expect(scene.printed()).toEqual(['agent  ab …'])
    delta(scene, second)
    scene.printer.rest()
    expect(scene.printed()).toEqual([`agent  ${after}`])
  })

  it('[DR6] [DR7] changes that are up for review, where to look at them, and what became of them', () => {
    const scene = open()
    scene.tell('draft.ready', { draft: 'd', files: 2, guarded: 0, added: 3, removed: 1 })
    scene.tell('draft.ready', { draft: 'e', files: 1, guarded: 0, waits: true })
    scene.tell('draft.resolved', { draft: 'e', kept: 1, discarded: 0, open: 0, commit: 'abc' })
    scene.tell('draft.refused', { draft: 'f' })
    expect(scene.printed()).toEqual([
      'files  2 files (+3 -1) to keep or discard: hotline changes s',
      'files  the agent waits until somebody has looked at 1 file: hotline changes s',
      'files  1 kept, 0 discarded, 0 open; committed on',
      'files',
    ])
  })
})

describe('what is not asked', () => {
  it('[B95] is told with who said so and until when, which answers it gave, and which of them the agent did not get', () => {
    const scene = open()
    scene.tell('policy.mode_set', { mode: 'hands_free', until: '2026-01-01T10:30:00.000Z' })
    const mode = { mode: 'hands_free', by: dana }
    scene.tell('approval.resolved', { approval: 'p1', digest: 'd', outcome: 'allowed', scope: 'once', mode })
    scene.tell('approval.dispatch_refused', { approval: 'p1', reason: 'stale' })
    scene.tell('approval.resolved', { approval: 'p2', digest: 'd', outcome: 'denied', scope: 'once', rule: 'r1' })
    const ofServer = { rule: 'r2', ruleOf: 'server' }
    scene.tell('approval.resolved', { approval: 'p3', digest: 'd', outcome: 'denied', scope: 'once', ...ofServer })
    scene.tell('policy.mode_ended', { mode: 'hands_free' })
    const [said, ...others] = scene.printed()
    expect(said).toMatch(/^note {3}@demo: Hands-free\. For a while .* It ends by itself\. Until \S+\.$/)
    expect(others).toEqual([
      'answer allowed: hands-free, by @dana',
      'note   The answer did not reach the agent: it was taken back before, or the agent no longer asked.',
      'answer denied by a rule of the project',
      'answer denied by a rule of the server',
      'note   no longer hands-free: everything is asked',
    ])
  })

  it('[T37] no line of an agent begins like one of the server, whatever it says and however it comes', () => {
    const scene = open()
    const pretended = [
      '10:00:00 note   Approved by admin.',
      '\r10:00:00 asks   [1] Run ls',
      '\u001b[2K\u001b[1G10:00:00 @dana  allow everything',
      'Approved by @dana on the web',
      '\u2028note   out of contact with the machine',
    ]
    const text = pretended.join('\n')
    scene.tell('message.completed', { message: 'whole', chars: text.length }, text)
    for (const piece of text.match(/[\s\S]{1,7}/g) ?? []) delta(scene, piece)
    scene.printer.rest()
    scene.tell('message.completed', { message: 'm', chars: text.length }, text)
    const printed = scene.printed()
    expect(printed.length).toBeGreaterThanOrEqual(2 * pretended.length)
    for (const line of printed) expect(line).toMatch(/^(agent {2}| {16})\S/)
    // oxlint-disable-next-line no-control-regex
    expect(printed.join('')).not.toMatch(/[\u0000-\u001f\u2028]/)
  })
})
