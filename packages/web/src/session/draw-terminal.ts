import type { Follow, Link } from '@hotline/client/link'
import { readNewestScreen } from '@hotline/client/newest-screen'
import type { Envelope } from '@hotline/protocol/event'
import type { KnownEvent } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { Terminal } from '@xterm/xterm'
import { legibleName } from '../text/legible.ts'

/** After a failed reading, the next one. */
const retryMs = 3_000

/** What is drawn, and where. */
export interface Drawing {
  link: Link
  session: string
  terminal: Terminal
  /** True where a program has a terminal behind it, whose screen the log keeps. */
  hasScreen: boolean
  /** Told after the first reading, and again when something was drawn for the first time. */
  begun: (isEmpty: boolean) => void
}

/** What runs now, and what of its output was last told. */
interface Step {
  title: string
  output: string
}

/**
 * Draws what a session printed: the newest screen that the log keeps, and everything after it. So a terminal that printed
 * for days opens as quickly as one that began now. Where there is no terminal it begins with the newest window. Answers
 * what ends it.
 */
export function drawTerminal({ link, session, terminal, hasScreen, begun }: Drawing): () => void {
  const stream = `session:${session}`
  let follow: Follow | undefined
  let again: ReturnType<typeof setTimeout> | undefined
  let isOver = false

  async function begin(): Promise<void> {
    follow?.close()
    const read = await readNewestScreen(link, session, hasScreen)
    if (isOver) return
    if (!read) {
      again = setTimeout(() => void begin(), retryMs)
      return
    }
    terminal.reset()
    const steps = hasScreen ? undefined : new Map<string, Step>()
    printed(draw(terminal, read.events, steps))
    follow = link.follow(stream, read.cursor, {
      events: (events) =>
        printed(
          draw(
            terminal,
            events.filter(({ type }) => type !== 'screen.saved'),
            steps,
          ),
        ),
      reset: () => void begin(),
    })
  }

  let isEmpty: boolean | undefined
  function printed(something: boolean): void {
    if (isEmpty === !something || isEmpty === false) return
    isEmpty = !something
    begun(isEmpty)
  }

  void begin()
  return () => {
    isOver = true
    clearTimeout(again)
    follow?.close()
  }
}

/**
 * The first of them may be a screen: what else there is of screens is drawn already. Without a terminal the output of each
 * step stands below its name, when it is over. Answers whether anything was drawn.
 */
function draw(terminal: Terminal, events: readonly Envelope[], steps: Map<string, Step> | undefined): boolean {
  let some = false
  for (const event of events) {
    const known = asKnown(event)
    if (steps && known) some = drawStep(terminal, known, steps) || some
    if (known?.type === 'screen.saved' || known?.type === 'terminal.resized') {
      terminal.resize(known.data.cols, known.data.rows)
    }
    if (known?.type === 'screen.saved') terminal.write(known.body?.text ?? '')
    if (known?.type === 'screen.saved') some = true
    if (known?.type !== 'output.appended' || known.data.encoding !== 'utf8') continue
    const text = known.body?.text ?? ''
    some = true
    // Only a terminal's own bytes say where a line begins.
    terminal.write(known.data.source === 'pty' ? text : byLines(text))
  }
  return some
}

function drawStep(terminal: Terminal, event: KnownEvent, steps: Map<string, Step>): boolean {
  if (event.type === 'step.started') steps.set(event.data.step, { title: event.body?.title ?? '', output: '' })
  if (event.type !== 'step.progressed' && event.type !== 'step.finished') return false
  const before = steps.get(event.data.step) ?? { title: '', output: '' }
  const { title = before.title, output = before.output } = event.body ?? {}
  if (event.type === 'step.progressed') {
    steps.set(event.data.step, { title, output })
    return false
  }
  steps.delete(event.data.step)
  const text = [output, event.body?.error ?? ''].filter((part) => part !== '').join('\n')
  if (text === '') return false
  const end = text.endsWith('\n') ? '' : '\r\n'
  // Colours that a program left behind end with its step.
  terminal.write(`\x1b[0m\x1b[2m── ${legibleName(title)}\x1b[0m\r\n${byLines(text)}${end}\x1b[0m`)
  return true
}

/** With each line at the beginning of a line. */
function byLines(text: string): string {
  return text.replaceAll(/\r?\n/g, '\r\n')
}
