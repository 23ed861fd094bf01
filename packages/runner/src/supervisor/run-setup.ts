import { randomBytes } from 'node:crypto'
import type { Report } from '@hotline/protocol/commands/agent'
import { StartError } from '../adapters/adapter.ts'
import { buildEnvironment } from '../process/environment.ts'
import { findProgram } from '../process/find-program.ts'
import type { ByteSource, Holder } from '../process/holder.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import { Redactor } from '../redact.ts'
import { secretsOf } from './launch.ts'

/** Installing what a project needs takes minutes; what takes longer waits for something that nobody will type. */
const setupMs = 15 * 60_000
/** Characters of its output that one event takes, and that all of them take together. */
const pieceChars = 8_000
const outputChars = 400_000

/** What is run in a new place before its agent starts. */
interface SetupOf {
  session: string
  profile: AgentProfile
  argv: readonly string[]
  cwd: string
  environment: Readonly<Record<string, string | undefined>>
  holder: Holder
  stopGraceMs: number
  put: (report: Report) => void
  signal: AbortSignal
}

/** Runs it to its end and shows what it prints. Throws a `StartError` where it does not end well. */
export async function runSetup(of: SetupOf): Promise<void> {
  const { session, profile, argv, cwd, environment, holder, stopGraceMs, signal } = of
  const line = argv.join(' ')
  const run = randomBytes(16).toString('hex')
  const { env } = buildEnvironment({ from: environment, names: profile.env ?? [], set: profile.set ?? {}, cwd, run })
  const [name = '', ...args] = argv
  const program = findProgram(name, env['PATH'], cwd)
  if (program === undefined) throw new StartError(`The set-up command cannot be run: there is no program "${name}".`)
  const redactor = new Redactor(secretsOf(profile, env))
  let left = outputChars
  const show = (text: string): void => {
    for (let at = 0; at < text.length && left > 0; at += pieceChars) {
      const piece = redactor.text(text.slice(at, at + Math.min(pieceChars, left)))
      left -= piece.length
      of.put(outputReport(piece))
    }
  }
  show(`Set-up: ${line}\n`)
  const held = await holder.start({ session, argv: [program, ...args], cwd, env, run })
  held.stdin.end()
  const ending = AbortSignal.any([signal, AbortSignal.timeout(setupMs)])
  const end = (): void => void held.end(stopGraceMs)
  ending.addEventListener('abort', end, { once: true })
  if (ending.aborted) end()
  const [exit] = await Promise.all([held.exited, showLines(held.stdout, show), showLines(held.stderr, show)])
  ending.removeEventListener('abort', end)
  await held.end(stopGraceMs)
  if (left <= 0) of.put(outputReport('\n(The rest of what it printed is left out.)\n'))
  if (exit.code === 0) return
  const how = ending.aborted
    ? signal.aborted
      ? 'was ended, because the start was given up'
      : `was ended after ${setupMs / 60_000} minutes`
    : exit.code === null
      ? `was ended by ${exit.signal ?? 'something'}`
      : `failed with exit code ${exit.code}`
  throw new StartError(`The set-up command ${how}, so the agent was not started: ${line}`)
}

/** Whole lines, so that nothing secret is cut in two. */
async function showLines(source: ByteSource, show: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let open = ''
  for await (const bytes of source) {
    const text = open + decoder.decode(bytes, { stream: true })
    const at = text.lastIndexOf('\n') + 1
    open = text.slice(at)
    if (at > 0) show(text.slice(0, at))
    if (open.length > pieceChars) {
      show(open)
      open = ''
    }
  }
  if (open !== '') show(`${open}\n`)
}

function outputReport(text: string): Report {
  return {
    type: 'output.appended',
    data: { source: 'log', encoding: 'utf8', bytes: Buffer.byteLength(text) },
    body: { text },
  }
}
