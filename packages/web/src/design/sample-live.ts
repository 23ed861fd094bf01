import type { ConnectionState, Link } from '@hotline/client/link'
import { forgetful } from '@hotline/client/kept-sessions'
import { watchable } from '@hotline/client/readable'
import type { SessionList, SessionListPicture } from '@hotline/client/session-list'
import type { SessionPicture, SessionView } from '@hotline/client/session-view'
import { sessionCommands } from '@hotline/client/session-commands'
import type { SeenAgent } from '@hotline/client/agent-evidence'
import type { SessionState, StandingMode } from '@hotline/core/session/state'
import { emptyTranscript, type Transcript } from '@hotline/core/transcript/transcript'
import type { Capabilities } from '@hotline/protocol/capabilities'
import { problem } from '@hotline/protocol/error'
import type { AgentRow, Me, SessionRow } from '@hotline/protocol/http'
import type { PolicyModeName } from '@hotline/protocol/policy-mode'
import type { Live } from '../live/hotline.tsx'
import { people, sampleMessages } from './sample-items.ts'

const refusal = { ok: false, problem: problem('unsupported', 'This is a sample: nothing happens.') } as const
const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()

function rowOf(at: number, title: string, more: Partial<SessionRow>): SessionRow {
  return {
    session: `sample-${at}`,
    project: 'default',
    task: null,
    agent: 'demo',
    runner: 'this machine',
    title,
    status: 'active',
    turn: 'running',
    openApprovals: [],
    openQuestions: [],
    waitingApprovals: 0,
    answersUnderWay: 0,
    oldestApprovalAt: null,
    staleSince: null,
    reason: 'agent_ready',
    exit: null,
    ending: null,
    policyMode: null,
    since: ago(at),
    createdAt: ago(at),
    updatedAt: ago(at),
    ...more,
  }
}

/** What somebody else has said of a session. */
export function sampleMode(mode: PolicyModeName): StandingMode {
  const until = new Date(Date.now() + 12 * 60_000).toISOString()
  return {
    mode,
    ...(mode === 'hands_free' ? { until } : {}),
    by: { kind: 'person', id: people.colleague },
    at: ago(18),
    seq: 1,
  }
}

/** A session in each state of the list. */
export function sampleRows(): readonly SessionRow[] {
  return [
    rowOf(2, 'Publish the package', { openApprovals: ['a'] }),
    rowOf(5, 'Which region?', { openQuestions: ['q'] }),
    rowOf(7, 'A name that is far too long for the place that it has in any list of sessions', {}),
    rowOf(9, 'Waits for a message', { turn: 'idle' }),
    rowOf(11, 'Nobody is asked', { policyMode: sampleMode('hands_free') }),
    rowOf(20, 'Out of contact', { staleSince: ago(12) }),
    rowOf(30, 'Its agent is gone', { status: 'interrupted' }),
    rowOf(300, 'Done before lunch', { status: 'completed' }),
  ]
}

/** What the agent of one of them does. */
function sampleDoing(): SessionListPicture['doing'] {
  return new Map([
    [
      'sample-7',
      {
        step: { kind: 'edit', object: 'src/auth.ts', at: ago(0.2), over: false },
        usage: { tokens: 41_200, cost: { amount: 0.32, currency: 'USD' } },
      },
    ],
    ['sample-9', { usage: { tokens: 9_100 } }],
  ])
}

/** What the components of the page need, with nothing behind it. */
export function sampleLive(me: Me, away: boolean, agents: readonly AgentRow[] = []): Live {
  const connection: ConnectionState = away
    ? { status: 'waiting', attempt: 3, retryAt: Date.now() + 4_000, problem: refusal.problem, slow: false }
    : { status: 'open', since: Date.now(), transport: 'websocket' }
  const waiting = ['The first of two', 'The second'].map((text, at) => ({
    id: `waiting-${at}`,
    stream: 'session:sample',
    type: 'message.send',
    data: { text },
  }))
  const link: Link = {
    connection: watchable(connection),
    outbox: watchable(away ? waiting : []),
    follow: (_stream, after) => ({ cursor: after, close: () => undefined }),
    command: () => Promise.resolve(refusal),
    takeBack: () => Promise.resolve(false),
    recall: () => undefined,
    reconnect: () => undefined,
    wake: () => undefined,
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as a link has it
    request: <R>() => Promise.resolve({ ok: true, value: { agents } as R } as const),
    ephemeral: () => () => undefined,
    typing: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const list: SessionList = {
    picture: watchable({
      status: 'live',
      sessions: sampleRows(),
      doing: sampleDoing(),
      queue: new Map(),
      hasOlder: false,
    }),
    loadOlder: () => Promise.resolve(undefined),
    refresh: () => undefined,
    [Symbol.dispose]: () => undefined,
  }
  return {
    link,
    list,
    snoozes: { picture: watchable(new Map()), [Symbol.dispose]: () => undefined },
    reads: { picture: watchable(new Map([['s9', 3]])), mark: () => undefined, [Symbol.dispose]: () => undefined },
    kept: forgetful,
    leave: () => Promise.resolve(),
    me: { ...me, id: people.me },
    contact: away ? { here: false, since: Date.now() - 20_000, final: false } : { here: true },
    names: new Map([
      [people.me, 'You'],
      [people.colleague, 'Dana'],
    ]),
    known: {
      agents: new Map([['demo', 'Demo agent']]),
      machines: new Map([['the-machine-8d5ec0f9', 'dana-laptop']]),
    },
  }
}

const state: SessionState = {
  kind: 'session',
  session: '0199-sample-e44f6bb3',
  project: 'default',
  agent: 'demo',
  title: 'A sample',
  status: 'active',
  since: ago(30),
  reason: 'agent_ready',
  createdAt: ago(31),
  personMessageChars: 2_000,
  agentMessageChars: 50_000,
  approvalTimeoutMs: 86_400_000,
  capabilities: undefined,
  model: 'a model',
  mode: 'ask',
  pid: 41_233,
  startedAt: ago(30),
  reach: 'scan',
  lease: { runner: 'the-machine-8d5ec0f9', fence: 1 },
  turn: { turn: 't1', since: ago(4) },
  queue: [],
  approvals: [],
  resolved: [],
  questions: [],
  controls: [],
  resuming: false,
  usage: {
    inputTokens: 40_000,
    outputTokens: 1_200,
    contextUsed: 52_000,
    contextSize: 200_000,
    cost: { amount: 0.32, currency: 'USD' },
  },
  counts: { messages: 4, turns: 2, steps: 31, approvals: 3 },
}

/** What its machine sees of it. */
export const seenAgent: SeenAgent = {
  lastOutputAt: ago(0.2),
  cpuShare: 0.42,
  tree: {
    at: ago(0),
    reach: 'scan',
    frozen: false,
    count: 3,
    cpuMs: 84_000,
    memoryBytes: 312_000_000,
    processes: [
      { pid: 41_233, ppid: 0, name: 'node', cpuMs: 61_000, memoryBytes: 240_000_000, startedAt: ago(30) },
      { pid: 41_250, ppid: 41_233, name: 'npm', cpuMs: 0, memoryBytes: 2_000_000, startedAt: ago(3) },
      { pid: 41_251, ppid: 41_250, name: 'tsc', cpuMs: 23_000, memoryBytes: 70_000_000, startedAt: ago(3) },
    ],
  },
}

/** It can be written to in the middle of its turn. */
const capabilities: Capabilities = {
  input: 'turns',
  steer: true,
  interrupt: true,
  pause: 'none',
  resume: true,
  verdicts: ['allow', 'deny'],
  denyReason: true,
  questions: true,
  screen: false,
}

/** A session with queued messages, one of them on its way into the turn, and with some that were not sent. */
export function sampleSession(): { view: SessionView; picture: SessionPicture } {
  const queued = sampleMessages()
    .slice(0, 3)
    .filter(({ role }) => role === 'person')
    .map((item) => ({ ...item, delivery: 'queued' as const }))
    .toReversed()
  const transcript: Transcript = {
    ...emptyTranscript,
    items: queued,
    places: new Map(queued.map((item, at) => [item.key, at])),
  }
  const picture: SessionPicture = {
    status: 'live',
    state: {
      ...state,
      capabilities,
      queue: queued.map(({ message, by }, at) => ({ message, by, ...(at === 0 ? { hurried: true } : {}) })),
    },
    transcript,
    hasOlder: false,
    unsent: [
      { id: 'u1', text: 'On its way' },
      { id: 'u2', text: 'Refused', problem: problem('too_large', 'A message may have 2 000 characters.') },
    ],
    early: [],
    lastEventAt: Date.now() - 12_000,
  }
  const view: SessionView = {
    ...sessionCommands(() => Promise.resolve(refusal)),
    picture: watchable(picture),
    connection: watchable<ConnectionState>({ status: 'open', since: 0, transport: 'websocket' }),
    loadOlder: () => Promise.resolve(undefined),
    send: () => Promise.resolve(refusal),
    discard: () => Promise.resolve(true),
    [Symbol.dispose]: () => undefined,
  }
  return { view, picture }
}
