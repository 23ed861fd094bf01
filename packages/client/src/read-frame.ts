import { type Problem, errorCodes } from '@hotline/protocol/error'
import type { ServerFrame } from '@hotline/protocol/server-frame'

/**
 * Reads what a server says. It checks the same as the schemas of the protocol (a test holds the two together), without the
 * schema library: that would be more than half of what a browser loads of this SDK.
 */

type Check = (value: unknown) => boolean
type Shape = Readonly<Record<string, Check>>

const text: Check = (value) => typeof value === 'string'
const flag: Check = (value) => typeof value === 'boolean'
const amount: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const whole: Check = (value) => Number.isSafeInteger(value)

function maybe(check: Check): Check {
  return (value) => value === undefined || check(value)
}

function nullable(check: Check): Check {
  return (value) => value === null || check(value)
}

function upTo(max: number): Check {
  return (value) => typeof value === 'string' && value.length <= max
}

function oneOf(...words: readonly unknown[]): Check {
  return (value) => words.includes(value)
}

function listOf(check: Check, max = Number.POSITIVE_INFINITY): Check {
  return (value) => Array.isArray(value) && value.length <= max && value.every(check)
}

/** Members that it does not name are passed over. */
function like(shape: Shape): Check {
  const checks = Object.entries(shape)
  return (value) => isObject(value) && checks.every(([name, check]) => check(value[name]))
}

function mapOf(check: Check): Check {
  return (value) => isObject(value) && Object.values(value).every(check)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const problem = like({
  type: text,
  title: text,
  status: whole,
  code: oneOf(...errorCodes),
  detail: text,
  retryAfterMs: maybe(amount),
})

const streamPattern = /^(session|task|project|server|account):[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/

const envelope = like({
  v: whole,
  stream: (value) => typeof value === 'string' && streamPattern.test(value),
  seq: (value) => whole(value) && Number(value) >= 1,
  at: text,
  type: text,
  subject: maybe(text),
  actor: like({ kind: oneOf('person', 'agent', 'service', 'runner', 'system'), id: text }),
  channel: maybe(upTo(200)),
  cause: maybe(text),
  data: isObject,
  body: maybe(isObject),
  hash: text,
})

const doing = like({
  session: text,
  step: maybe(like({ kind: upTo(40), object: upTo(200), at: text, over: flag })),
  usage: maybe(like({ tokens: maybe(amount), cost: maybe(like({ amount, currency: text })) })),
})

const processSample = like({
  pid: whole,
  ppid: whole,
  name: upTo(64),
  cpuMs: amount,
  memoryBytes: amount,
  startedAt: text,
})

const evidence = like({
  lastOutputAt: maybe(text),
  tree: maybe(
    like({
      at: text,
      reach: oneOf('cgroup', 'namespace', 'scan', 'group'),
      frozen: flag,
      count: whole,
      cpuMs: amount,
      memoryBytes: amount,
      processes: listOf(processSample, 32),
    }),
  ),
})

const queuePlace = like({
  session: text,
  project: text,
  agent: text,
  priority: oneOf('low', 'normal', 'high', 'urgent'),
  since: text,
  why: oneOf('no_machine', 'machine_full', 'agent_full', 'project_full', 'starting'),
  position: nullable(whole),
  wait: nullable(like({ lowS: whole, likelyS: whole, highS: whole, of: whole })),
})

const frames: Readonly<Record<ServerFrame['t'], Check>> = {
  welcome: like({
    connection: text,
    principal: like({ kind: oneOf('person', 'service', 'runner', 'system'), id: text, name: text, admin: flag }),
    projects: listOf(like({ project: text, role: oneOf('viewer', 'operator', 'approver', 'admin', 'owner') })),
    serverTime: text,
    heartbeatMs: amount,
    without: maybe(listOf(text)),
  }),
  events: like({ stream: text, epoch: text, from: whole, to: whole, events: listOf(envelope) }),
  caught_up: like({ stream: text, epoch: text, seq: whole }),
  unfollowed: like({ stream: text, problem }),
  accepted: like({
    id: text,
    seq: whole,
    cursor: text,
    fence: maybe(whole),
    dropped: maybe(listOf(like({ index: whole, code: oneOf(...errorCodes) }))),
    until: maybe(text),
  }),
  refused: like({ id: text, problem }),
  reset: like({ stream: text, reason: oneOf('epoch', 'ahead', 'erased'), epoch: text, head: whole }),
  urgent: like({ stream: text, event: envelope }),
  ephemeral: like({
    kind: text,
    stream: maybe(text),
    doings: maybe(listOf(doing)),
    streams: maybe(listOf(text)),
    ask: maybe(text),
    agent: maybe(text),
    folder: maybe(text),
    evidence: maybe(evidence),
    queue: maybe(listOf(queuePlace)),
  }),
  heads: like({ heads: mapOf(text) }),
  pong: like({}),
  problem: like({ problem }),
  goodbye: like({ code: text, retryAfterMs: maybe(amount) }),
}

/** A frame as it was parsed from JSON; undefined for one that is of no known kind or not whole. */
export function readFrame(input: unknown): ServerFrame | undefined {
  if (!isObject(input)) return undefined
  const { t } = input
  const check = typeof t === 'string' && Object.hasOwn(frames, t) ? frames[t as ServerFrame['t']] : undefined
  return check?.(input) === true ? (input as ServerFrame) : undefined
}

/** A refusal as it was parsed from JSON; undefined for anything else. */
export function readProblem(input: unknown): Problem | undefined {
  return problem(input) ? (input as Problem) : undefined
}
