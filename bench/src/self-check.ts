import { parseCommand } from '@hotline/protocol/command'
import { ClientFrame } from '@hotline/protocol/frame'
import { type Dialect, eventBytes, hotlineDialect, rawDialect, socketIoDialect } from './dialects.ts'
import { runLoad } from './load.ts'
import { faultsOf, nodeChild } from './sample.ts'
import { type Bench, Unavailable } from './subject.ts'
import { startChildServer } from './subjects/child-server.ts'

// A measurement that cannot find a fault proves nothing by finding none. So the load process is first shown a server
// that loses, repeats and misnumbers on purpose, and what it would send to ours is read by our own schemas.

const dialect: Dialect = hotlineDialect({
  followerToken: 'follower',
  runnerToken: 'runner',
  stream: 'session:bench',
  fence: 1,
  batch: 10,
})

const faults = [
  { fault: 'none', expected: undefined },
  { fault: 'drop', expected: 'gaps' },
  { fault: 'double', expected: 'dups' },
  { fault: 'range', expected: 'rangeFaults' },
] as const

/** Checks the instruments; a line for each, and whether all is well. */
export async function checkInstruments(bench: Bench): Promise<{ lines: readonly string[]; ok: boolean }> {
  const wrong = checkDialects()
  const results = [
    { ok: wrong.length === 0, line: `instruments · messages of the dialects: ${wrong.join('; ') || 'valid'}` },
  ]
  for (const { fault, expected } of faults) results.push(await checkFault(bench, fault, expected))
  return {
    lines: results.map(({ ok, line }) => `${ok ? 'ok     ' : 'FAILED '}   ${line}`),
    ok: results.every(({ ok }) => ok),
  }
}

async function checkFault(
  bench: Bench,
  fault: string,
  expected: string | undefined,
): Promise<{ ok: boolean; line: string }> {
  const script = new URL('peers/frames-only.ts', import.meta.url)
  const where = `instruments · a server with fault "${fault}"`
  try {
    await using server = await startChildServer(nodeChild(script, ['--fault', fault], bench))
    const plan = { mode: 'paced', clients: 10, rate: 2_000, warmupMs: 50, windowMs: 200 } as const
    // What was dropped never comes, and is not waited for.
    const { result } = await runLoad(
      bench,
      { ...server, dialect },
      { ...plan, drainMs: fault === 'none' ? 3_000 : 100 },
    )
    const found = faultsOf(result)
    const ok = expected === undefined ? found.length === 0 : found.some((text) => text.includes(expected))
    return { ok, line: `${where}: found ${found.join(', ') || 'nothing'}` }
  } catch (error) {
    if (error instanceof Unavailable) return { ok: true, line: `${where}: left out, ${error.message}` }
    return { ok: false, line: `${where}: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** What is wrong with the messages that the dialects would send. */
function checkDialects(): string[] {
  const mark = `~q${'0'.repeat(10)}t${'0'.repeat(19)}~`
  const id = '01890a5d-ac96-774b-bcce-b302099a8057'
  const lengths = Object.entries({ raw: rawDialect, 'socket.io': socketIoDialect, hotline: dialect }).flatMap(
    ([name, { event }]) => {
      const { length } = event.replace('{mark}', mark)
      return length === eventBytes ? [] : [`an event of ${name} has ${length} bytes`]
    },
  )
  const event = dialect.event.replace('{mark}', mark)
  const command: unknown = JSON.parse(dialect.frame.replace('{events}', `${event},${event}`).replace('{id}', id))
  const frames = [
    ...[...dialect.subscribe, ...dialect.publish].flatMap((step) => ('send' in step ? [JSON.parse(step.send)] : [])),
    JSON.parse((dialect.ack ?? '').replace('{to}', '17')),
    command,
  ] as unknown[]
  const { t: _, ...inner } = command as { t: string }
  const parsed = parseCommand(inner)
  return [
    ...lengths,
    ...frames.flatMap((frame) =>
      ClientFrame.safeParse(frame).success ? [] : [`not a frame: ${JSON.stringify(frame)}`],
    ),
    ...('issues' in parsed ? parsed.issues.map(({ path, message }) => `command: ${path} ${message}`) : []),
  ]
}
