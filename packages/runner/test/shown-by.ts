import { createRequire } from 'node:module'
import type * as Headless from '@xterm/headless'
import type { TerminalSize } from '../src/process/holder.ts'

const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof Headless

/** What a terminal of this size shows after these texts: each line, with the cursor. */
export async function shownBy(size: TerminalSize, texts: readonly string[]): Promise<unknown> {
  const terminal = new Terminal({ ...size, scrollback: 50, allowProposedApi: true })
  for (const text of texts) await new Promise<void>((resolve) => terminal.write(text, resolve))
  const { active } = terminal.buffer
  const cells = Array.from({ length: size.rows }, (_, row) => {
    const line = active.getLine(active.baseY + row)
    const colours = Array.from({ length: size.cols }, (__, col) => line?.getCell(col)?.getFgColor() ?? 0)
    return { text: line?.translateToString(true) ?? '', colours: colours.join() }
  })
  const shown = { cells, cursor: [active.cursorX, active.cursorY], type: active.type }
  terminal.dispose()
  return shown
}
