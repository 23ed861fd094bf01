import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { approvalDigest, contextDigest, inputDigest } from '@hotline/core/approval-digest'
import { subprotocol } from '@hotline/protocol/version'
import { sha256 } from '@hotline/testing/sha256'
import { WebSocket } from 'ws'
import { quantile } from '../statistics.ts'

// A runner that asks and a person that allows at once, in one process with one clock. A question is asked every
// `--every-ms`, by the schedule: one that is late is timed from when it was due. Without `--stream` both speak to a peer
// that only passes on what the other said.

const flag = { type: 'string', default: '' } as const
const { values } = parseArgs({
  options: {
    port: flag,
    person: flag,
    runner: flag,
    stream: flag,
    fence: flag,
    'every-ms': flag,
    'warmup-ms': flag,
    'window-ms': flag,
  },
})
const everyMs = Number(values['every-ms'])
const { stream } = values
/** A question that nobody answers by then ends the run. */
const answerTimeoutMs = 30_000
/** A follower says after this many events that it has them; each costs a frame, of which a person has few. */
const ackEvery = 50

const request = { tool: 'shell', title: 'Run a command', input: 'npm test -- --run', cwd: '/home/somebody/project' }
const context = contextDigest(stream.slice('session:'.length), 'bench', request, sha256)
const digest = approvalDigest(context, inputDigest(request, sha256) ?? '', sha256)

interface Event {
  seq: number
  type: string
  data: { approval?: string }
}

/** As much of a frame as matters here. */
interface Told {
  t: string
  to?: number
  events?: readonly Event[]
  dropped?: unknown
}

interface Side {
  say(frame: object): void
  close(): void
}

let failure = ''
let answered: ((approval: string) => void) | undefined
let previous: string | undefined

function fail(reason: string): void {
  failure ||= reason
  answered?.('')
}

/** Connects, follows where there is something to follow, and hands on what is told. */
async function connect(token: string, told: (type: string, approval: string, side: Side) => void): Promise<Side> {
  const socket = new WebSocket(`ws://localhost:${values.port}/api/ws`, stream === '' ? [] : [subprotocol])
  socket.on('error', (error) => fail(error.message))
  const side: Side = { say: (frame) => socket.send(JSON.stringify(frame)), close: () => socket.close() }
  let acknowledged = 0
  const live = Promise.withResolvers<void>()
  socket.on('message', (bytes: Buffer) => {
    const frame = JSON.parse(bytes.toString()) as Told
    switch (frame.t) {
      case 'welcome':
        side.say({ t: 'follow', stream, after: '0' })
        break
      case 'caught_up':
        live.resolve()
        break
      case 'events':
        for (const { type, data } of frame.events ?? []) told(type, data.approval ?? '', side)
        if ((frame.to ?? 0) - acknowledged < ackEvery) break
        acknowledged = frame.to ?? 0
        side.say({ t: 'ack', stream, seq: acknowledged })
        break
      case 'accepted':
        if (frame.dropped !== undefined) fail(`dropped: ${JSON.stringify(frame.dropped)}`)
        break
      case 'ask':
      case 'decide':
        told(frame.t, '', side)
        break
      case 'refused':
      case 'problem':
      case 'reset':
      case 'goodbye':
        fail(bytes.toString().slice(0, 200))
        break
    }
  })
  await once(socket, 'open')
  if (stream === '') return side
  side.say({ t: 'hello', token, client: 'bench' })
  await live.promise
  return side
}

function command(type: string, data: object): object {
  return { t: 'command', id: randomUUID(), stream, type, data }
}

/** What the runner says: the last answer was handed on, and here is the next question. */
function question(approval: string): object {
  if (stream === '') return { t: 'ask', ...request }
  const dispatched =
    previous === undefined ? [] : [{ type: 'approval.dispatched', data: { approval: previous, digest } }]
  const terms = {
    verdicts: ['allow', 'deny'],
    scopes: ['once'],
    strength: 'enforced',
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    onTimeout: 'deny',
  }
  const requested = {
    type: 'approval.requested',
    data: { approval, digest, contextDigest: context, ...terms },
    body: request,
  }
  previous = approval
  return command('agent.report', { fence: Number(values.fence), events: [...dispatched, requested] })
}

const person = await connect(values.person, (type, approval, side) => {
  if (type === 'ask') side.say({ t: 'decide', verdict: 'allow' })
  if (type === 'approval.requested') side.say(command('approval.decide', { approval, digest, verdict: 'allow' }))
})
const runner = await connect(values.runner, (type, approval) => {
  if (type === 'decide') answered?.('')
  if (type === 'approval.resolved') answered?.(approval)
})

/** Asks by the schedule until the time is over; answers how long each took. */
async function askFor(durationMs: number): Promise<number[]> {
  const startMs = performance.now()
  const tookMs: number[] = []
  for (let number = 0; number * everyMs < durationMs && failure === ''; number++) {
    const dueMs = startMs + number * everyMs
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    // A timer of Node is late by up to a millisecond; that is ours, and not counted.
    const askedMs = waitMs > 0 ? performance.now() : dueMs
    const approval = randomUUID()
    const answer = Promise.withResolvers<string>()
    answered = answer.resolve
    const late = setTimeout(() => fail(`no answer for ${answerTimeoutMs} ms`), answerTimeoutMs)
    runner.say(question(approval))
    const resolved = await answer.promise
    clearTimeout(late)
    if (stream !== '' && resolved !== approval) fail(`another approval was resolved: ${resolved}`)
    tookMs.push(performance.now() - askedMs)
  }
  return tookMs
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await askFor(Number(values['warmup-ms']))
say({ phase: 'window' })
const cpu = process.cpuUsage()
const startMs = performance.now()
const tookMs = Float64Array.from(await askFor(Number(values['window-ms']))).toSorted()
if (tookMs.length === 0) fail('nothing was asked within the window')
const used = process.cpuUsage(cpu)
const cpuShare = (used.user + used.system) / 1_000 / (performance.now() - startMs)
say({ phase: 'stop' })
say({
  phase: 'result',
  answers: tookMs.length,
  p50Ms: quantile(tookMs, 0.5) || 0,
  p99Ms: quantile(tookMs, 0.99) || 0,
  cpuShare,
  failure,
})
person.close()
runner.close()
