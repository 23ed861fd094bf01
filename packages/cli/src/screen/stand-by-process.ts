// The program of `standBy`: waits for the end of its input, and gives the terminal back unless it is told that it was.
// It gets the settings of the terminal, and what to write there; the terminal is its output, and open as the third file.
import { spawnSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import { goodbye } from './stand-by.ts'

const terminal = 3
const [settings = '', leave = ''] = process.argv.slice(2)

let said = ''
process.stdin.setEncoding('utf8').on('data', (text: string) => (said += text))
process.stdin.on('error', giveBack).on('end', giveBack)

function giveBack(): void {
  // Its other half would keep this process.
  process.stdin.destroy()
  if (said === goodbye) return
  spawnSync('stty', [settings], { stdio: [terminal, 'ignore', 'ignore'] })
  writeSync(1, leave)
}
