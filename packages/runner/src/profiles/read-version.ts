import { randomBytes } from 'node:crypto'
import { buildEnvironment } from '../process/environment.ts'
import type { ByteSource, Holder } from '../process/holder.ts'

/** The slowest of those that we know need two seconds; after this it counts as a program that does not say it. */
const versionTimeoutMs = 10_000

/** Characters of what it prints that are looked at. */
const printedMax = 4_096

/**
 * The version that a program says of itself; undefined where it says none in time. It gets no input, the environment of an
 * agent without anything that its profile names, and is ended with all that it started.
 */
export async function readVersion(
  argv: readonly string[],
  options: { holder: Holder; from: Readonly<Record<string, string | undefined>>; cwd: string },
): Promise<string | undefined> {
  const { holder, from, cwd } = options
  const run = randomBytes(16).toString('hex')
  const { env } = buildEnvironment({ from, cwd, run })
  const held = await holder.start({ session: 'version', argv, cwd, env, run }).catch(() => undefined)
  if (!held) return undefined
  held.stdin.end()
  const printed = Promise.all([readStart(held.stdout), readStart(held.stderr)])
  const late = setTimeout(() => void held.end(0), versionTimeoutMs)
  const { code } = await held.exited
  clearTimeout(late)
  await held.end(0)
  const [out, err] = await printed
  return code === 0 ? (versionIn(out) ?? versionIn(err)) : undefined
}

/** The first thing in a text that looks like a version. */
export function versionIn(text: string): string | undefined {
  return /(?<![\w.])v?(\d{1,6}\.\d{1,6}(?:\.\d{1,6})?(?:[-+][0-9A-Za-z.-]{1,40})?)/.exec(text)?.[1]
}

/** Reads to the end, so that the program never waits, and keeps the beginning. */
async function readStart(stream: ByteSource): Promise<string> {
  let text = ''
  try {
    for await (const piece of stream) if (text.length < printedMax) text += String(piece)
  } catch {
    // Cut off in the middle: what came until then counts.
  }
  return text.slice(0, printedMax)
}
