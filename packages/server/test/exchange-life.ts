import { approvalDigest, contextDigest } from '@hotline/core/approval-digest'
import type { SessionState } from '@hotline/core/session/state'
import { parseCommand } from '@hotline/protocol/command'
import type { Report } from '@hotline/protocol/commands/agent'
import { type HandRunner, takeByHand } from '@hotline/testing/hand-runner'
import type { LogBench } from '@hotline/testing/log-bench'
import { machine, person } from '@hotline/testing/middle'
import { sha256 } from '@hotline/testing/sha256'
import { Owners } from '../src/access/owners.ts'
import type { Principal } from '../src/access/principal.ts'
import { noFailpoints } from '../src/log/failpoints.ts'
import type { Bus } from '../src/log/bus.ts'
import { openMemoryBus } from '../src/log/memory-bus.ts'
import { type Proof, proveLog } from '../src/ops/prove-log.ts'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { Exchange } from '../src/session/exchange.ts'
import type { CommandOutcome } from '../src/session/outcome.ts'
import type { StreamState } from '../src/session/state.ts'

/** The session that a life is about, with `s2` beside it. */
export const stream = 'session:s1'
export const dana: Principal = person('dana')

/** A life of the exchange on a store, whose clock stands until it is set. */
export interface Life {
  send(principal: Principal, to: string, type: string, data: object): Promise<CommandOutcome>
  readonly exchange: Exchange
  readonly bus: Bus
  /** Of ours; a test expects none. */
  readonly faults: unknown[]
  /** So many milliseconds go by. */
  pass(ms: number): void
  /** Dana answers an approval of the session. */
  answer(asked: { approval: string; digest: string }, verdict?: string): Promise<CommandOutcome>
  state(): Promise<SessionState>
  /** Of any stream; undefined where there is none. */
  stateOf(of: string): Promise<StreamState | undefined>
  mayRead(who: Principal, of: string): Promise<boolean>
  nowMs(): number
}

/** What a machine says when the agent of the session asks; the digests are those of exactly this request. */
export function asking(approval: string): Report {
  const body = { tool: 'run', title: `List ${approval}`, input: `ls ${approval}` }
  const of = contextDigest('s1', 'demo', body, sha256)
  const digest = approvalDigest(of, sha256(body.input), sha256)
  const facts = { verdicts: ['allow', 'deny'], scopes: ['once'], strength: 'enforced' }
  return { type: 'approval.requested', data: { approval, digest, contextDigest: of, ...facts }, body }
}

/** Begins one, at a time of the wall. */
export function liveOn(bench: LogBench, fromMs = Date.now()): Life {
  let nowMs = fromMs
  const faults: unknown[] = []
  const ports = {
    store: bench.store,
    lists: bench.lists,
    bus: openMemoryBus(),
    failpoints: noFailpoints,
    fault: (error: unknown) => faults.push(error),
    now: () => new Date(nowMs).toISOString(),
  }
  const exchange = new Exchange(ports, {
    roleOf: (project, account) => bench.lists.roleOf(project, account),
    proofMissing: () => undefined,
    owners: new Owners(bench.lists),
  })
  let sent = 0
  const send = (principal: Principal, to: string, type: string, data: object): Promise<CommandOutcome> => {
    const parsed = parseCommand({ id: `c${nowMs}-${(sent += 1)}`, stream: to, type, data })
    if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
    return exchange.command(principal, parsed.command)
  }
  return {
    exchange,
    bus: ports.bus,
    send,
    faults,
    pass: (ms) => {
      nowMs += ms
    },
    answer: (asked, verdict = 'allow') => send(dana, stream, 'approval.decide', { ...asked, verdict }),
    nowMs: () => nowMs,
    mayRead: (who, of) => exchange.mayRead(who, of),
    stateOf: async (of) => (await exchange.snapshot(of))?.state,
    state: async () => {
      const state = (await exchange.snapshot(stream))?.state
      if (state?.kind !== 'session') throw new Error('no session')
      return state
    },
  }
}

/** A project of dana with both sessions, and a runner that holds the first; of `lives` the last one is spoken to. */
export async function begin(lives: readonly Life[]): Promise<HandRunner> {
  const [life] = lives
  if (!life) throw new Error('no life')
  await life.send(systemPrincipal, 'project:p1', 'project.create', { name: 'One' })
  await life.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'owner' })
  for (const session of ['s1', 's2']) {
    await life.send(systemPrincipal, `session:${session}`, 'session.start', { project: 'p1', agent: 'demo' })
  }
  return hold(lives, 's1')
}

/** A runner that holds one of the two sessions. */
export function hold(lives: readonly Life[], session: string): Promise<HandRunner> {
  return takeByHand(session, {
    command: (to, type, data) => {
      const life = lives.at(-1)
      if (!life) throw new Error('no life')
      return life.send(machine, to, type, data)
    },
  })
}

/** Everything that the log says of the session, or of these streams, followed up. */
export function prove({ store }: LogBench, streams: readonly string[] = [stream]): Promise<Proof> {
  return proveLog({
    head: (of) => store.head(of),
    read: (of, range) => store.read(of, range),
    verify: (of) => store.verify(of),
    streams: () => Promise.resolve(streams),
  })
}
