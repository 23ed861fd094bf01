import { setTimeout as pause } from 'node:timers/promises'
import { openOracleClient } from '@hotline/testing/oracle-client'
import { waitFor } from '@hotline/testing/wait-for'
import { line, linesOf } from './crowd.ts'
import { expectNothing } from './fault-row.ts'
import type { ServerProcess } from './server-process.ts'

const deadlineMs = 60_000
/** Between two things that the witness does, so that the log stays short. */
const breathMs = 20

/** Somebody with a session of their own who must not notice what is done to others. */
export interface Witness {
  readonly stream: string
  /** Reports and commands that were answered so far. */
  readonly answered: number
  /** Ends the work; throws `FaultFound` where anything was lost, doubled or refused, or the connection was not open throughout. */
  finish(): Promise<void>
}

/** A session at work: its agent reports lines, a person renames it, and both are answered all the time. */
export async function openWitness(server: ServerProcess, name: string): Promise<Witness> {
  const machine = server.link('runner')
  const link = server.link()
  const hand = await server.startSession(machine, name)
  const { stream } = hand
  const oracle = openOracleClient(link, name)
  oracle.follow(stream)
  await waitFor(() => oracle.at(stream) > 0, { what: `${name} to follow`, deadlineMs })
  const violations: string[] = []
  const leave = link.connection.watch((state) => {
    if (state.status !== 'open') violations.push(`${name}: the connection became ${JSON.stringify(state)}`)
  })
  let answered = 0
  let lines = 0
  const over = new AbortController()
  const working = (async () => {
    while (!over.signal.aborted) {
      await hand.report(line((lines += 1) - 1))
      const renamed = await oracle.command(stream, 'session.rename', { title: `${name} ${lines}` })
      if (!renamed.ok) violations.push(`${name}: ${renamed.problem.detail}`)
      answered += 2
      await pause(breathMs)
    }
  })()
  // Whoever waits below sees it.
  working.catch(() => undefined)

  return {
    stream,
    get answered() {
      return answered
    },
    finish: async () => {
      over.abort()
      await working
      const stored = await server.stored(hand.session)
      await waitFor(() => oracle.at(stream) >= stored.length, { what: `${name} to be through`, deadlineMs })
      leave()
      violations.push(...linesOf(stream, stored, lines), ...oracle.violations(stream, stored))
      expectNothing(violations)
    },
  }
}
