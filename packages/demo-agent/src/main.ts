import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { createAgent } from './agent.ts'
import type { Host } from './host.ts'
import { noJournal, openJournal } from './journal.ts'
import { HELP, parseOptions } from './options.ts'
import type { AgentOptions } from './options.ts'
import { openOut } from './wire/out.ts'
import { openPeer } from './wire/peer.ts'

/** After the end of stdin, turns have so long to end and their answers to get out; then the process ends anyway. */
const LAST_WORDS_MS = 1_000

/** A stubborn agent that nobody kills ends by itself after this, so that a failed test leaves nothing behind. */
const STUBBORN_FOR_MS = 60_000

const EXIT_BAD_OPTIONS = 2

function exit(code: number): void {
  // oxlint-disable-next-line unicorn/no-process-exit -- a blocked stdout or a deaf turn must not keep the agent alive
  process.exit(code)
}

function ignore(what: string): void {
  process.stderr.write(`stubborn: ${what} is ignored\n`)
}

/** Serves one client over stdin and stdout until stdin ends. */
async function serve(options: AgentOptions): Promise<void> {
  const children = new Set<ChildProcess>()
  let stubborn = false
  const endChildren = (): void => {
    for (const child of children) child.kill('SIGKILL')
  }
  const end = (code: number): void => {
    if (stubborn) return ignore('the end')
    endChildren()
    exit(code)
  }
  const onTerm = (): void => {
    if (stubborn) return ignore('SIGTERM')
    endChildren()
    process.removeListener('SIGTERM', onTerm)
    process.kill(process.pid, 'SIGTERM') // now nothing catches it: the parent sees a death by signal
  }
  process.on('SIGTERM', onTerm)
  process.stdout.on('error', () => end(1))

  const host: Host = {
    env: process.env,
    children,
    writeStderr: (text) => void process.stderr.write(text),
    exit: (code) => {
      endChildren()
      exit(code)
    },
    raise: (signal) => void process.kill(process.pid, signal),
    refuseToEnd: () => {
      stubborn = true
      process.on('SIGINT', ignore).on('SIGHUP', ignore)
      setTimeout(() => exit(0), STUBBORN_FOR_MS)
    },
  }
  const journal = options.journalFile === null ? noJournal : openJournal(options.journalFile)
  const out = openOut(process.stdout)
  const peer = openPeer(out, journal)
  const agent = createAgent(peer, out, host, options)

  if (process.stdin.isTTY) process.stderr.write(HELP)
  await peer.serve(process.stdin, agent.handlers)
  agent.cancelAll()
  await Promise.race([peer.settled().then(() => out.drained()), delay(LAST_WORDS_MS)])
  end(0)
}

let options: AgentOptions | 'help' | null = null
try {
  options = parseOptions(process.argv.slice(2), process.env)
} catch (error) {
  process.stderr.write(`hotline-demo-agent: ${error instanceof Error ? error.message : String(error)}\n`)
  exit(EXIT_BAD_OPTIONS)
}
if (options === 'help') process.stdout.write(HELP)
else if (options) await serve(options)
