import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openOracleClient } from '@hotline/testing/oracle-client'
import { hasProcess, listProcesses } from '@hotline/testing/process-list'
import { waitFor } from '@hotline/testing/wait-for'
import { openApi } from '../../api.ts'
import { startRunnerProcess } from '../../runner-process.ts'
import { compareGone, compareMember, keepBusy, type Member, type MemberKind, startMember } from '../company.ts'
import { openRealAgents } from '../real-agents.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { startServerProcess } from '../server-process.ts'

type Victim = 'server' | 'runner' | 'keeper' | 'agent'

/** Each alone, and in pairs. */
const sets: readonly (readonly Victim[])[] = [
  ['server'],
  ['runner'],
  ['keeper'],
  ['agent'],
  ['server', 'runner'],
  ['server', 'keeper'],
  ['server', 'agent'],
  ['runner', 'keeper'],
  ['runner', 'agent'],
  ['keeper', 'agent'],
]

const few: readonly MemberKind[] = ['talk', 'talk', 'talk', 'pipe', 'terminal']
const ten: readonly MemberKind[] = [...few, ...few]
const tenWithReal: readonly MemberKind[] = ['claude', 'claude', 'codex', 'codex', 'talk', ...few]
/** Between two kills people work with the agents for at most so long. */
const quietMs = 900
const deadlineMs = 30_000

/**
 * Row 35: anybody may be killed under ten agents, real ones among them (in `some`: five, none of them real). Of server and runner
 * the agents do not notice anything and nothing is lost; where the keeper or an agent goes, exactly those that it takes along are told to be gone, as what they are.
 */
export const killAnyone: FaultRow = {
  row: 35,
  name: 'kill -9 of server, runner, keeper and agent, alone and in pairs',
  stores: ['sqlite'],
  run: async ({ random, amount, dir }: Ground): Promise<Done> => {
    await using server = await startServerProcess({ dir })
    const runnerDir = join(dir, 'runner')
    const of = { url: server.url, serverDir: server.dataDir, dir: runnerDir }
    await using real = amount === 'some' ? undefined : await openRealAgents(dir)
    await using runner = await startRunnerProcess({ ...of, env: { HOTLINE_KEEPER: 'on', ...real?.env } })
    const cwd = join(dir, 'work')
    const shape = amount === 'some' ? few : real?.env ? tenWithReal : ten
    await mkdir(cwd)
    const api = openApi(server.url, () => ({ kind: 'token', token: server.tokenOf('person') }))
    const readers = ['one', 'another'].map((name) => openOracleClient(server.link(), name))
    const follow = (member: Member): Member => {
      for (const reader of readers) reader.follow(`session:${member.session}`)
      return member
    }
    const members = (await Promise.all(shape.map((kind) => startMember(api, kind, cwd)))).map((one) => follow(one))
    const compared: string[] = members.map(({ session }) => session)
    const keeperPids = (): number[] =>
      listProcesses()
        .filter(({ command }) => command.includes('keeper/main.ts') && command.includes(runnerDir))
        .map(({ pid }) => pid)
    const violations: string[] = []
    let slowest = 'nobody was told anything'
    const counts = { kills: 0, 'unnoticed by': 0, 'told to be gone': 0, words: 0, 'slowest truth, ms': 0 }
    const rounds = amount === 'some' ? [['runner' as const], ...random.shuffle(sets).slice(0, 2)] : random.shuffle(sets)

    /** Kills them in one moment, and starts again what does not start by itself. Answers who went along. */
    async function strike(victims: readonly Victim[]): Promise<readonly Member[]> {
      const agent = random.pick(members)
      const keepers = keeperPids()
      const pids = victims.flatMap((victim) => {
        const one = { server: server.pid, runner: runner.pid, keeper: keepers, agent: agent.pid }[victim]
        return one
      })
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      counts.kills += pids.length
      await waitFor(() => pids.every((pid) => !hasProcess(pid)), { what: 'the killed to be gone', deadlineMs })
      const starting: Promise<unknown>[] = []
      if (victims.includes('server')) starting.push(server.kill().then(() => server.start()))
      if (victims.includes('runner')) starting.push(runner.restart())
      await Promise.all(starting)
      return victims.includes('keeper') ? members : victims.includes('agent') ? [agent] : []
    }

    for (const victims of rounds) {
      const over = new AbortController()
      const people = keepBusy(
        api,
        () => members,
        random,
        () => pause(random.int(1, 60)),
        over.signal,
      )
      await pause(random.int(quietMs / 3, quietMs))
      const gone = await strike(victims)
      const startedAt = Date.now()
      const signal = victims.includes('keeper') ? undefined : 'SIGKILL'
      const told = await Promise.all(gone.map((member) => compareGone(api, member, signal)))
      for (const [at, { toldAt }] of told.entries()) {
        if (toldAt - startedAt <= counts['slowest truth, ms']) continue
        counts['slowest truth, ms'] = toldAt - startedAt
        slowest = `the slowest of ${gone[at]?.kind} after ${victims.join(' and ')}`
      }
      await pause(random.int(0, quietMs / 3))
      over.abort()
      await people
      violations.push(...told.flatMap(({ found }) => found).map((what) => `after ${victims.join(' and ')}: ${what}`))
      counts['told to be gone'] += gone.length
      counts['unnoticed by'] += members.length - gone.length
      for (const member of gone) {
        counts.words += member.sent
        await api.command(`session:${member.session}`, 'session.abort', {}).catch(() => 'its end was told otherwise')
        const another = follow(await startMember(api, member.kind, cwd))
        members[members.indexOf(member)] = another
        compared.push(another.session)
      }
      if (violations.length > 0) break
    }
    for (const member of members) {
      counts.words += member.sent
      violations.push(...(await compareMember(api, member)))
    }
    for (const session of compared) {
      let found: string[] = []
      const agree = async (): Promise<boolean> => {
        const stored = await server.stored(session)
        found = readers.flatMap((reader) => reader.violations(`session:${session}`, stored))
        return found.length === 0
      }
      await waitFor(agree, { what: `readers of ${session} to agree`, deadlineMs }).catch(() =>
        violations.push(...found),
      )
    }
    expectNothing(violations.length > 0 ? [...violations, runner.complaints.slice(-4_000)] : [])
    return { counts, notes: [slowest, ...(real ? [real.what] : [])] }
  },
}
