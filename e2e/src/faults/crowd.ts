import { isDeepStrictEqual } from 'node:util'
import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import type { Link } from '@hotline/client/link'
import type { Envelope } from '@hotline/protocol/event'
import { openDatabase } from '@hotline/server/log/open-database'
import { systemClock } from '@hotline/server/machine/clock'
import { systemIds } from '@hotline/server/machine/ids'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { openOracleClient, type OracleClient } from '@hotline/testing/oracle-client'
import type { SeededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { expectNothing } from './fault-row.ts'
import type { ServerProcess } from './server-process.ts'

/** Everybody must have come to the end of the log by then; with two busy cores and a server that just started. */
const agreeDeadlineMs = 30_000

/** Sessions that are led by hand, readers of all of them, and people who write while everything goes wrong. */
export interface Crowd {
  readonly sessions: readonly HandRunner[]
  readonly readers: readonly OracleClient[]
  /** The runner's own record: its reports count as commands too. */
  readonly machine: OracleClient
  /** Reports that were taken so far. */
  readonly reported: number
  /** Commands of people that were given so far. */
  readonly given: number
  /**
   * Lets every session that has nothing under way report one to four numbered lines. Resolves when one report was taken;
   * one that is refused for good shows in the end.
   */
  work(): Promise<unknown>
  /** A person does something to some session, now; the outcome is looked at in the end. */
  act(): void
  /**
   * Waits until every command has its answer and every reader is at the end, then compares everything with what is stored.
   * Throws `FaultFound` with all that does not hold. The server is running.
   */
  compare(): Promise<void>
}

/** `links`: one for each reader, and one for the runner. */
export async function openCrowd(
  server: ServerProcess,
  random: SeededRandom,
  shape: { sessions: number; readers: readonly Link[]; machine: Link },
): Promise<Crowd> {
  const machine = openOracleClient(shape.machine, 'the runner')
  const sessions: HandRunner[] = []
  for (let at = 0; at < shape.sessions; at += 1) sessions.push(await server.startSession(machine, `s${at}`))
  const readers = shape.readers.map((link, at) => openOracleClient(link, `reader ${at}`))
  for (const reader of readers) for (const { stream } of sessions) reader.follow(stream)
  const lines = new Map<HandRunner, number>(sessions.map((session) => [session, 0]))
  const texts = new Map<string, string[]>()
  const pending = new Set<Promise<unknown>>()
  const reporting = new Map<HandRunner, Promise<void>>()
  const refused: string[] = []
  let reported = 0
  let given = 0

  async function report(session: HandRunner): Promise<void> {
    const first = lines.get(session) ?? 0
    const count = random.int(1, 4)
    lines.set(session, first + count)
    try {
      await session.report(...Array.from({ length: count }, (_, at) => line(first + at, random.int(0, 200))))
      reported += 1
    } catch (error) {
      refused.push(`${session.stream}: ${String(error)}`)
    }
    reporting.delete(session)
  }

  const crowd: Crowd = {
    sessions,
    readers,
    machine,
    get reported() {
      return reported
    },
    get given() {
      return given
    },
    work: () => {
      for (const session of sessions) if (!reporting.has(session)) reporting.set(session, report(session))
      return Promise.race(reporting.values())
    },
    act: () => {
      given += 1
      const at = random.int(0, readers.length - 1)
      const reader = readers[at]
      const { stream } = random.pick(sessions)
      const text = `said ${given}`
      const said = random.chance(0.7)
        ? reader?.command(stream, 'message.send', { text })
        : reader?.command(stream, 'session.rename', { title: text })
      if (!said) return
      const key = `${at} ${stream}`
      const doing = said.then((outcome) => {
        pending.delete(doing)
        return outcome
      })
      pending.add(doing)
      texts.set(key, [...(texts.get(key) ?? []), text])
    },
    compare: async () => {
      await waitFor(() => pending.size + reporting.size === 0, {
        what: 'every command to be answered',
        deadlineMs: agreeDeadlineMs,
      }).catch((error: unknown) => {
        const links = [shape.machine, ...shape.readers]
          .map(({ connection, outbox }) => `${JSON.stringify(connection.value)}, ${outbox.value.length} in its outbox`)
          .join('\n')
        const left = `${pending.size} commands and ${reporting.size} reports have no answer`
        throw new Error(`${left}; the server said:\n${server.complaints}\nlinks:\n${links}`, { cause: error })
      })
      const violations = [...refused]
      for (const session of sessions) {
        const { stream } = session
        let stored: Envelope[] = []
        let found: string[] = []
        // A line about the runner's contact may still come: compared again until everybody is at rest.
        await waitFor(
          async () => {
            stored = await server.stored(session.session)
            found = [machine, ...readers].flatMap((one) =>
              one.violations(stream, stored, one === machine ? 'open' : 'complete'),
            )
            return found.length === 0
          },
          { what: `everybody to agree on ${stream}`, deadlineMs: agreeDeadlineMs },
        ).catch(() => violations.push(...found))
        violations.push(...linesOf(stream, stored, lines.get(session) ?? 0))
        violations.push(...foldOf(stream, stored, await server.state(session.session)))
        for (const [key, said] of texts) {
          if (key.endsWith(` ${stream}`)) violations.push(...orderOf(key, said, stored))
        }
      }
      expectNothing(violations)
    },
  }
  return crowd
}

/** A numbered line of an agent's output. */
export function line(
  number: number,
  more = 0,
): { type: 'output.appended'; data: { [fact: string]: unknown }; body: { text: string } } {
  const text = `line ${number} ${'x'.repeat(more)}`
  return {
    type: 'output.appended',
    data: { source: 'stdout', encoding: 'utf8', bytes: text.length },
    body: { text },
  }
}

/** The agent's lines are there, each once, in its order. */
export function linesOf(stream: string, stored: readonly Envelope[], count: number): string[] {
  const numbers = stored
    .filter(({ type }) => type === 'output.appended')
    .map(({ body }) => Number(String(body?.['text']).split(' ')[1]))
  const wrong = numbers.findIndex((number, at) => number !== at)
  if (wrong !== -1) return [`${stream}: line ${numbers[wrong]} of the agent stands at place ${wrong}`]
  return numbers.length === count ? [] : [`${stream}: ${numbers.length} lines of the agent instead of ${count}`]
}

/** The stored state is the fold of the log. */
export function foldOf(stream: string, stored: readonly Envelope[], state: SessionState): string[] {
  let folded: SessionState | undefined
  for (const event of stored) folded = evolveSession(folded, event)
  // Through JSON, as the state went: members that are undefined are absent.
  const plain = JSON.parse(JSON.stringify(folded ?? null)) as unknown
  return isDeepStrictEqual(plain, state) ? [] : [`${stream}: the state is not the fold of the log`]
}

/** What one person said over one connection is in the log in the order in which it was said. */
function orderOf(key: string, given: readonly string[], stored: readonly Envelope[]): string[] {
  const places = given
    .map((text) => stored.findIndex(({ body }) => body?.['text'] === text || body?.['title'] === text))
    .filter((place) => place !== -1)
  const isInOrder = places.every((place, at) => at === 0 || place > (places[at - 1] ?? 0))
  return isInOrder ? [] : [`commands of reader ${key} are in another order than they were given`]
}

/** Opens the log of a server that has ended, and walks every chain. */
export async function expectSoundLog(server: ServerProcess, streams: readonly string[]): Promise<void> {
  const ids = systemIds(() => systemClock.wallMs())
  const database = await openDatabase(server.place, { clock: systemClock, ids })
  try {
    const violations: string[] = []
    for (const stream of [...streams, 'project:default', 'server:main']) {
      const broken = await database.store.verify(stream)
      if (broken) violations.push(`${stream}: event ${broken.seq} does not hold: ${broken.reason}`)
    }
    expectNothing(violations)
  } finally {
    await database[Symbol.asyncDispose]()
  }
}
