import type { Follow, Link } from '@hotline/client/link'
import { readNewestScreen } from '@hotline/client/newest-screen'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { followModes, type HeadlessTerminal, openHeadless, type ScreenModes } from '@hotline/runner/terminal/headless'

/** Letters that wait to be drawn. Of a program that prints faster than this draws, the newest screen is read instead. */
const pendingMaxChars = 4_000_000

/** After a failed reading, the next one. */
const retryMs = 3_000

/** A terminal has this size until somebody gives it another one. */
const firstSize = { cols: 120, rows: 40 }

/** The screen of a session's program, as it is now. */
export interface FollowedScreen extends Disposable {
  readonly terminal: HeadlessTerminal
  readonly modes: Readonly<ScreenModes>
  /** Resolves when everything that has come is drawn. */
  drawn(): Promise<void>
}

/** Draws the newest screen that the log keeps, and what comes after it; `changed` hears of each change once it is drawn. */
export function followScreen(link: Link, session: string, changed: () => void): FollowedScreen {
  const terminal = openHeadless({ ...firstSize, scrollback: 0 })
  const modes = followModes(terminal)
  let follow: Follow | undefined
  let again: NodeJS.Timeout | undefined
  let pending = 0
  let isBehind = false
  let isOver = false

  async function begin(): Promise<void> {
    follow?.close()
    const read = await readNewestScreen(link, session, true)
    if (isOver) return
    if (!read) {
      again = setTimeout(() => void begin(), retryMs)
      return
    }
    // Behind what may still wait to be drawn.
    terminal.write('\u001bc')
    for (const event of read.events) draw(event)
    changed()
    follow = link.follow(`session:${session}`, read.cursor, {
      events: (events) => {
        // What was drawn already is not drawn again.
        for (const event of events) if (event.type !== 'screen.saved') draw(event)
        if (pending < pendingMaxChars) return
        isBehind = true
        follow?.close()
      },
      reset: () => void begin(),
    })
  }

  function draw(event: Envelope): void {
    const known = asKnown(event)
    if (known?.type === 'screen.saved' || known?.type === 'terminal.resized') {
      const { cols, rows } = known.data
      // In its place among what is drawn.
      terminal.write('', () => !isOver && terminal.resize(cols, rows))
    }
    if (known?.type === 'screen.saved') write(known.body?.text ?? '')
    if (known?.type === 'output.appended' && known.data.encoding === 'utf8') write(known.body?.text ?? '')
  }

  function write(text: string): void {
    pending += text.length
    terminal.write(text, () => {
      pending -= text.length
      if (isOver) return
      if (pending === 0 && isBehind) {
        isBehind = false
        void begin()
      }
      changed()
    })
  }

  void begin()
  return {
    terminal,
    modes,
    drawn: () => new Promise((resolve) => terminal.write('', resolve)),
    [Symbol.dispose]: () => {
      isOver = true
      clearTimeout(again)
      follow?.close()
      terminal.dispose()
    },
  }
}
