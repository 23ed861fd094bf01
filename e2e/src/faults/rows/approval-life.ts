import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { uuidV7 } from '@hotline/client/uuid'
import { openApprovals, type PendingApproval } from '@hotline/core/session/state'
import { scriptPrompt } from '@hotline/demo-agent/script'
import type { AskPage } from '@hotline/protocol/asks'
import type { Problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import { openOracleClient } from '@hotline/testing/oracle-client'
import { startPrivatePostgres } from '@hotline/testing/private-postgres'
import { hasProcess, listProcesses } from '@hotline/testing/process-list'
import { waitFor } from '@hotline/testing/wait-for'
import { openApi } from '../../api.ts'
import { startRunnerProcess } from '../../runner-process.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { startServerProcess } from '../server-process.ts'

const victims = ['server', 'runner', 'keeper', 'client', 'database'] as const
type Victim = (typeof victims)[number]

/** Where an approval is in its life when somebody dies, each reached by what the log says and not by waiting a while. */
const steps = [
  'asked',
  'shown',
  'given more time',
  'decided and not handed over',
  'handed over',
  'in the commit of the decision',
  'over and not handed over',
] as const
type Step = (typeof steps)[number]

/** Moments of a commit at which a server of this row dies. */
const failpoints = [
  'before_write',
  'after_write_before_sync',
  'after_commit_before_publish',
  'after_publish_before_ack',
]
const deadlineMs = 60_000
/** As short as a session may have it. */
const shortMs = 1_000
const longMs = 60 * 60_000

/**
 * Row 22: at each step of an approval's life somebody dies or is cut off. It ends once; the agent acts on that and on nothing
 * else, or is told to be gone; whoever comes later is told; and nothing stays open that nobody can answer.
 */
export const approvalLife: FaultRow = {
  row: 22,
  name: 'kill -9 and cuts at each step of the life of an approval',
  stores: ['sqlite', 'postgres'],
  run: async ({ random, amount, dir, store }: Ground): Promise<Done> => {
    await using postgres = store === 'postgres' ? await startPrivatePostgres() : undefined
    const databaseUrl = await postgres?.createDatabase()
    await using server = await startServerProcess({ dir, databaseUrl })
    const runnerDir = join(dir, 'runner')
    const of = { url: server.url, serverDir: server.dataDir, dir: runnerDir }
    await using runner = await startRunnerProcess({ ...of, env: { HOTLINE_KEEPER: 'on' } })
    const cwd = join(dir, 'work')
    await mkdir(cwd)
    const api = openApi(server.url, () => ({ kind: 'token', token: server.tokenOf('person') }))
    const reader = openOracleClient(server.link('person', { url: server.proxyUrl }), 'the client')
    const counts = { deaths: 0, 'answers that arrived': 0, 'agents gone': 0 }
    const found: string[] = []

    const keeperPids = (): number[] =>
      listProcesses()
        .filter(({ command }) => command.includes('keeper/main.ts') && command.includes(runnerDir))
        .map(({ pid }) => pid)
    async function kill(pids: readonly number[]): Promise<void> {
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      await waitFor(() => pids.every((pid) => !hasProcess(pid)), { what: 'the killed to be gone', deadlineMs })
    }
    /** It dies, or loses its line. Answers what brings it back, where it does not come by itself. */
    async function die(victim: Victim): Promise<() => Promise<unknown>> {
      counts.deaths += 1
      switch (victim) {
        case 'server':
          await server.kill()
          return () => server.start()
        case 'runner':
          await kill([runner.pid])
          return () => runner.restart()
        case 'keeper':
          await kill(keeperPids())
          break
        case 'client':
          server.proxy.cut()
          break
        case 'database':
          await postgres?.kill9()
          return async () => postgres?.restart()
      }
      return async () => undefined
    }
    const strike = async (victim: Victim): Promise<unknown> => (await die(victim))()

    async function live(step: Step, victim: Victim): Promise<void> {
      const verdict = random.pick(['allow', 'deny'] as const)
      const isShort = step === 'over and not handed over'
      const record = `${uuidV7()}.jsonl`
      const session = await api.start(
        'demo',
        scriptPrompt([
          { do: 'ask', title: step, kind: 'execute', input: { step }, record },
          { do: 'say', text: 'and went on' },
        ]),
        { cwd, approvalTimeoutMs: isShort ? shortMs : longMs },
      )
      const stream = `session:${session}`
      reader.follow(stream)
      const types = async (): Promise<string[]> => (await api.events(session)).map(({ type }) => type)
      const has = (type: string): Promise<unknown> =>
        waitFor(async () => (await types()).includes(type), { what: `${type} of ${stream}`, deadlineMs, everyMs: 30 })
      // Before it is over it may be over already: what it was stands in the log.
      await has('approval.requested')
      const asked = (await api.events(session)).find(({ type }) => type === 'approval.requested')
      if (!asked) throw new Error(`${stream} asks nothing`)
      const { approval, digest } = asked.data as unknown as PendingApproval
      const decide = (id = uuidV7()): Promise<unknown> =>
        api.command(stream, 'approval.decide', { approval, digest, verdict }, id)
      let isDecided = true

      switch (step) {
        case 'asked':
          await strike(victim)
          break
        case 'shown': {
          const page = await api.get<AskPage>(`/api/asks?sessions=${session}`)
          if (!page.asks.some(({ ask }) => ask === approval)) found.push(`${stream} asks, and nobody is shown it`)
          await waitFor(() => reader.at(stream) >= asked.seq, { what: 'the client to see it', deadlineMs })
          await strike(victim)
          break
        }
        case 'given more time': {
          const until = new Date(Date.now() + 2 * longMs).toISOString()
          await api.command(stream, 'approval.extend', { approval, until })
          await strike(victim)
          const [open] = openApprovals(await api.state(session))
          if (open && open.expiresAt !== until)
            found.push(`${stream} was given time until ${until}, and has it until ${open.expiresAt}`)
          break
        }
        case 'decided and not handed over':
          runner.signal('SIGSTOP')
          await decide()
          await strike(victim)
          runner.signal('SIGCONT')
          break
        case 'handed over':
          await decide()
          await has('approval.dispatched')
          await strike(victim)
          break
        case 'in the commit of the decision': {
          runner.signal('SIGSTOP')
          const failpoint = random.pick(failpoints)
          await server.kill()
          await server.start({ HOTLINE_FAILPOINT: `${failpoint}:kill` })
          const decided = decide()
          await server.ended()
          const comeBack = await die(victim)
          if (victim === 'database') await comeBack()
          if (victim !== 'server') await server.start()
          if (victim !== 'database') await comeBack()
          await decided
          runner.signal('SIGCONT')
          break
        }
        case 'over and not handed over':
          runner.signal('SIGSTOP')
          await has('approval.timed_out')
          isDecided = false
          await strike(victim)
          runner.signal('SIGCONT')
      }

      // Before the answer: a second one of the same person, or the first one, where nobody was quick enough.
      const late = step === 'asked' || step === 'shown' || step === 'given more time'
      if (late)
        isDecided = await decide().then(
          () => true,
          () => false,
        )
      await compare({ session, approval, digest, verdict, isDecided, record, victim, step })
    }

    async function compare(life: {
      session: string
      approval: string
      digest: string
      verdict: 'allow' | 'deny'
      isDecided: boolean
      record: string
      victim: Victim
      step: Step
    }): Promise<void> {
      const { session, approval, digest, verdict, isDecided, record, victim, step } = life
      const where = `${victim} at "${step}" (${session})`
      const isOver = (one: Envelope): boolean =>
        one.type === 'turn.ended' || (one.type === 'session.state_changed' && one.data['to'] === 'interrupted')
      await waitFor(async () => (await api.events(session)).some(isOver), {
        what: `the end of the turn: ${where}`,
        deadlineMs,
        everyMs: 50,
      }).catch(async (error: unknown) =>
        found.push(`${String(error)} ${JSON.stringify((await api.events(session)).slice(-4))}`),
      )
      const events = await api.events(session)
      const ofIt = events.filter(({ subject }) => subject === `approval:${approval}`)
      const ends = ofIt.filter(({ type }) =>
        ['approval.resolved', 'approval.timed_out', 'approval.cancelled'].includes(type),
      )
      const handed = ofIt.filter(({ type }) => type.startsWith('approval.dispatch'))
      const [end] = ends
      if (ends.length !== 1) found.push(`${where}: it ends ${ends.length} times`)
      const isGone = events.some(({ type, data }) => type === 'session.state_changed' && data['to'] === 'interrupted')
      if (isGone && victim !== 'keeper') found.push(`${where}: the agent is told to be gone`)
      const expected = isDecided ? 'approval.resolved' : isGone ? end?.type : 'approval.timed_out'
      if (end?.type !== expected) found.push(`${where}: it ended as ${end?.type}, not as ${expected}`)
      if (end?.type === 'approval.resolved' && end.data['outcome'] !== { allow: 'allowed', deny: 'denied' }[verdict]) {
        found.push(`${where}: ${verdict} became ${String(end.data['outcome'])}`)
      }
      const acted = outcomesIn(join(cwd, record))
      const wanted = end?.type === 'approval.resolved' ? verdict : 'deny'
      if (acted.length > 1 || (!isGone && acted.length !== 1))
        found.push(`${where}: the agent heard ${acted.length} answers`)
      if (acted.some((outcome) => outcome !== wanted))
        found.push(`${where}: the agent heard ${acted.join()}, not ${wanted}`)
      if (end?.type !== 'approval.cancelled' && handed.length !== 1)
        found.push(`${where}: it is handed over ${handed.length} times`)
      if (!isGone && handed.some(({ type }) => type !== 'approval.dispatched'))
        found.push(`${where}: ${handed[0]?.type}`)
      counts['answers that arrived'] += acted.length
      counts['agents gone'] += isGone ? 1 : 0

      const { asks } = await api.get<AskPage>(`/api/asks?sessions=${session}`)
      if (asks.length > 0 || openApprovals(await api.state(session)).length > 0)
        found.push(`${where}: something is open`)
      const other = verdict === 'allow' ? 'deny' : 'allow'
      const told = await api
        .command(`session:${session}`, 'approval.decide', { approval, digest, verdict: other })
        .then(
          () => 'accepted',
          (error: { problem?: Problem }) => error.problem?.code ?? 'nothing',
        )
      const refusal = end?.type === 'approval.resolved' ? 'already_resolved' : 'approval_expired'
      if (told !== refusal) found.push(`${where}: a second answer was told ${told}, not ${refusal}`)
      await waitFor(async () => reader.violations(`session:${session}`, await api.events(session)).length === 0, {
        what: 'the client to agree',
        deadlineMs,
      }).catch(async () => found.push(...reader.violations(`session:${session}`, await api.events(session))))
    }

    const all = steps.flatMap((step) =>
      victims.filter((victim) => victim !== 'database' || postgres).map((victim) => ({ step, victim })),
    )
    // A few of all, so that each step and each victim comes.
    const few = steps.map((step, at) => ({
      step,
      victim: victims[(at + random.int(0, 1)) % (postgres ? 5 : 4)] ?? 'server',
    }))
    for (const { step, victim } of amount === 'some' ? few : random.shuffle(all)) {
      await live(step, victim)
      if (found.length > 0) break
    }
    expectNothing(found.length > 0 ? [...found, runner.complaints.slice(-2_000)] : [])
    return { counts }
  },
}

/** What the agent heard, in the order in which it heard it. */
function outcomesIn(file: string): readonly string[] {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    return lines.map((line) => (JSON.parse(line) as { outcome: string }).outcome)
  } catch {
    return []
  }
}
