import { randomBytes } from 'node:crypto'
import { limits } from '@hotline/protocol/limits'
import { StartError } from '../adapters/adapter.ts'
import type { Placement } from '../isolation/placement.ts'
import { containing } from '../process/containing.ts'
import { buildEnvironment } from '../process/environment.ts'
import { findProgram } from '../process/find-program.ts'
import type { ByteSource, HeldProcess, Holder } from '../process/holder.ts'
import type { SettledProfile } from '../profiles/containment.ts'
import { Redactor } from '../redact.ts'
import { containedIn } from './fence-of.ts'
import { secretsOf } from './launch.ts'
import { Reporter, type ReportSink } from './reporter.ts'

/** Installing what a project needs takes minutes; what takes longer waits for something that nobody will type. */
const setupMs = 15 * 60_000
/** Characters of a line that is waited for to its end, and of all output that is shown, in whole lines. */
const lineChars = 8_000
const outputChars = 400_000

/** What is run in a new place before its agent starts. */
interface SetupOf {
  session: string
  profile: SettledProfile
  argv: readonly string[]
  cwd: string
  environment: Readonly<Record<string, string | undefined>>
  /** For the fence around it, see `fence-of`. */
  placement: Placement
  dataDir: string
  temporary: string
  holder: Holder
  stopGraceMs: number
  sink: ReportSink
  signal: AbortSignal
}

/** Runs it to its end and shows what it prints. Throws a `StartError` where it does not end well. */
export async function runSetup(of: SetupOf): Promise<void> {
  const { session, profile, argv, cwd, environment } = of
  const line = argv.join(' ')
  const run = randomBytes(16).toString('hex')
  const { env } = buildEnvironment({ from: environment, names: profile.env ?? [], set: profile.set ?? {}, cwd, run })
  const [name = '', ...args] = argv
  const program = findProgram(name, env['PATH'], cwd)
  if (program === undefined) throw new StartError(`The set-up command cannot be run: there is no program "${name}".`)
  const reporter = new Reporter(of.sink, new Redactor(secretsOf(profile, env)), limits.agentMessageChars)
  const { placement, dataDir, temporary } = of
  const fence = containedIn({ profile, argv: [program, ...args], cwd, env, placement, dataDir, desk: [], temporary })
  const holder = containing(of.holder, fence.contained)
  try {
    reporter.output('log', `Set-up: ${line}\n`)
    const spec = { session, argv: [program, ...args], cwd, env: fence.env, run }
    const held = await holder.start(spec).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new StartError(`The set-up command could not be started: ${why}`, { cause })
    })
    const how = await endOf(held, reporter, of)
    if (how !== 'well') throw new StartError(`The set-up command ${how}, so the agent was not started: ${line}`)
  } finally {
    reporter.endOutput()
  }
}

/** Hears a program to its end, which comes in time. Answers how it ended. */
async function endOf(
  held: HeldProcess,
  reporter: Reporter,
  { signal, stopGraceMs }: Pick<SetupOf, 'signal' | 'stopGraceMs'>,
): Promise<string> {
  let left = outputChars
  const show = (text: string): void => {
    reporter.output('log', text.length <= left ? text : text.slice(0, text.lastIndexOf('\n', left - 1) + 1))
    left = Math.max(0, left - text.length)
  }
  held.stdin.end()
  const ending = AbortSignal.any([signal, AbortSignal.timeout(setupMs)])
  const end = (): void => void held.end(stopGraceMs)
  ending.addEventListener('abort', end, { once: true })
  if (ending.aborted) end()
  const [exit] = await Promise.all([held.exited, showLines(held.stdout, show), showLines(held.stderr, show)])
  ending.removeEventListener('abort', end)
  await held.end(stopGraceMs)
  if (left <= 0) reporter.output('log', '\n(The rest of what it printed is left out.)\n')
  if (exit.code === 0) return 'well'
  if (signal.aborted) return 'was ended, because the start was given up'
  if (ending.aborted) return `was ended after ${setupMs / 60_000} minutes`
  return exit.code === null ? `was ended by ${exit.signal ?? 'something'}` : `failed with exit code ${exit.code}`
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
    if (open.length > lineChars) {
      show(open)
      open = ''
    }
  }
  if (open !== '') show(`${open}\n`)
}
