import { problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { TranscriptWindow } from '@hotline/protocol/http'
import { describe, expect, it } from 'vitest'
import type { Link } from '../src/link.ts'
import { readNewestScreen } from '../src/newest-screen.ts'

const event = (seq: number, type: string): Envelope => ({ seq, type }) as unknown as Envelope

/** Answers one window after the other; each names what was asked. */
function windowsOf(...windows: (Partial<TranscriptWindow> | undefined)[]): {
  link: Pick<Link, 'request'>
  asked: string[]
} {
  const asked: string[] = []
  const request = (_method: string, path: string): unknown => {
    asked.push(path)
    const value = windows[asked.length - 1]
    return Promise.resolve(value ? { ok: true, value } : { ok: false, problem: problem('unreachable', 'away') })
  }
  return { link: { request } as unknown as Pick<Link, 'request'>, asked }
}

describe('where a terminal begins', () => {
  const newest = { epoch: 'e', to: 9, before: 7, events: [event(7, 'input.sent'), event(9, 'output.appended')] }

  it('[G58] is the newest screen and what came after it, at the position of the newest window', async () => {
    const older = {
      epoch: 'e',
      to: 6,
      before: 2,
      events: [event(2, 'screen.saved'), event(4, 'screen.saved'), event(6, 'x')],
    }
    const { link, asked } = windowsOf(newest, older)
    const read = await readNewestScreen(link, 's', true)
    expect(read?.events.map(({ seq }) => seq)).toEqual([4, 6, 7, 9])
    expect(read?.cursor).toBe('e.9')
    expect(asked[1]).toContain('before=7')
  })

  it('[G58] is the newest window where there is no terminal, and all of it where no screen was saved', async () => {
    const windowed = await readNewestScreen(windowsOf(newest).link, 's', false)
    expect(windowed?.events.map(({ seq }) => seq)).toEqual([7, 9])
    const whole = windowsOf(newest, { epoch: 'e', to: 6, before: null, events: [event(1, 'x')] })
    expect((await readNewestScreen(whole.link, 's', true))?.events.map(({ seq }) => seq)).toEqual([1, 7, 9])
  })

  it('[G58] cannot be told while the server is away, or where the log began another life in between', async () => {
    expect(await readNewestScreen(windowsOf(undefined).link, 's', true)).toBeUndefined()
    const other = windowsOf(newest, { epoch: 'other', to: 6, before: null, events: [] })
    expect(await readNewestScreen(other.link, 's', true)).toBeUndefined()
  })
})
