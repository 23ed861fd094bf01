import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import { commandTypes } from '@hotline/protocol/command'
import { reportable } from '@hotline/protocol/commands/agent'
import { eventSpecs } from '@hotline/protocol/events'
import { isKnownType } from '@hotline/protocol/known-event'
import type { SessionRow } from '@hotline/protocol/http'
import { sendable } from '@hotline/runner/supervisor/sendable'
import { parseJson } from '@hotline/server/http/json'
import { expect, test } from 'vitest'
import { mutateText, mutateValue, oddJson, oddText } from '../src/frame-mutator.ts'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { openRawWebSocket, type RawWebSocket } from '../src/raw-websocket.ts'
import { randomSeed, type SeededRandom, seededRandom } from '../src/seed.ts'
import { buildFrame, closePayload, opcodes } from '../src/websocket-frame.ts'

/** Frames that must have been read, by the server's own count. */
const framesMin = 100_000
/** Frames of one connection: fewer than a person may send at once. */
const spellFrames = 380
/** Share of frames that cannot be understood; the fifth of them ends a connection. */
const brokenShare = 0.02
const growthMaxMiB = 512

const text = (frame: string): Buffer => buildFrame({ opcode: opcodes.text, payload: frame })

/** Frames with odd contents that are right in their form, and some that are not. */
function frameMaker(random: SeededRandom, streams: readonly string[]): () => Buffer {
  const odd = (levels?: number): unknown => sendable(oddJson(random, levels))
  const words = (): string => oddText(random).toWellFormed()
  const bag = (): object => ({ [random.pick(['text', 'x', 'turn', 'step', 'message'])]: odd(), title: words() })
  const stream = (): string => (random.chance(0.8) ? random.pick(streams) : `${random.pick(['session', 'task'])}:none`)
  const command = (type: string, data: unknown): object => ({
    t: 'command',
    id: uuidV7(),
    stream: stream(),
    type,
    data,
  })
  const cursor = (): string => random.pick(['0', 'now', `zzzzzzzz.${random.int(0, 1e6)}`, 'aaaaaaaa.9007199254740991'])
  const reports = (): object[] =>
    Array.from({ length: random.int(1, 5) }, () => ({ type: random.pick(reportable), data: bag(), body: bag() }))
  const kinds: readonly (() => object)[] = [
    () => ({ t: 'ping' }),
    () => ({ t: 'typing', stream: stream() }),
    () => ({ t: 'ack', stream: stream(), seq: random.int(0, 2 ** 31) }),
    () => ({ t: 'follow', stream: stream(), after: cursor() }),
    () => ({ t: 'unfollow', stream: stream() }),
    () => command('message.send', { text: words() }),
    () => command('message.send', { text: words(), metadata: { [words().slice(0, 100)]: odd() } }),
    () => command('session.rename', { title: words() }),
    () => command(random.pick(commandTypes), random.chance(0.5) ? bag() : odd()),
    () => command('agent.report', { fence: 1, events: reports() }),
    () => command('agent.report', { fence: 1, events: [{ type: 'output.appended', ...outputOf(words()) }] }),
    () => command('agent.report', { fence: 1, events: [{ type: 'plan.updated', ...planOf(words()) }] }),
  ]
  return () => {
    const right = random.pick(kinds)()
    if (!random.chance(brokenShare)) return text(JSON.stringify(right))
    return text(
      random.chance(0.5) ? JSON.stringify(mutateValue(random, right)) : mutateText(random, JSON.stringify(right)),
    )
  }
}

const outputOf = (words: string): object => ({
  data: { source: 'stdout', encoding: 'utf8', bytes: Buffer.byteLength(words) },
  body: { text: words },
})
const planOf = (words: string): object => ({
  data: { entries: 1, done: 0 },
  body: { entries: [{ text: words, status: 'pending' }] },
})

/** Reads over everything until the line has ended; answers the code of the close. */
async function codeOf(socket: RawWebSocket): Promise<number | undefined> {
  const { code } = await socket.waitForEnd({ deadlineMs: 20_000 })
  return code
}

async function framesRead(live: LiveServer): Promise<number> {
  const response = await fetch(`${live.url}/metrics`, { headers: { authorization: `Bearer ${live.token}` } })
  return Number(/^hotline_received_frames_total (\d+)/m.exec(await response.text())?.[1])
}

/** What is wrong with the stored events of all sessions; nothing where every reader can read each. */
async function flaws(live: LiveServer): Promise<{ events: number; found: readonly string[] }> {
  const credential = { kind: 'token', token: live.token } as const
  const page = await httpRequest<{ sessions: SessionRow[] }>(live.url, credential, 'GET', '/api/sessions?limit=500')
  if (!page.ok) throw new Error(page.problem.detail)
  let events = 0
  const found: string[] = []
  for (const { session } of page.value.sessions) {
    for (const event of await live.stored(session)) {
      events += 1
      const parsed = parseJson(JSON.stringify(event))
      const spec = isKnownType(event.type) ? eventSpecs[event.type] : undefined
      const isRight = spec?.data.safeParse(event.data).success && (spec.body?.safeParse(event.body).success ?? true)
      if ('detail' in parsed || !isRight) found.push(JSON.stringify(event).slice(0, 300))
    }
  }
  return { events, found }
}

test('[T54] [W19] 100,000 odd frames are read at the door; nothing breaks, and others are served meanwhile', async () => {
  const random = seededRandom(randomSeed('odd frames'))
  await using live = await startLiveServer()
  const port = Number(new URL(live.url).port)
  const runnerKey = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
  const victims = await Promise.all([1, 2, 3, 4].map((at) => live.startSession(`victim ${at}`)))
  const streams = [...victims.map(({ stream }) => stream), 'project:default', 'project:new']
  const bystander = await live.startSession('somebody else')
  const before = { rss: process.memoryUsage().rss, frames: await framesRead(live) }
  const codes = new Map<number | undefined, number>()
  let most = 0
  const over = new AbortController()

  /** One connection, from hello to its end. */
  async function spell(token: string, make: () => Buffer): Promise<void> {
    const headers = [['Host', `localhost:${port}`]] as const
    await using socket = await openRawWebSocket({ port, path: '/api/ws', protocols: ['hotline.v1'], headers })
    await socket.sendBytes(text(JSON.stringify({ t: 'hello', token })))
    expect(JSON.parse((await socket.nextFrame()).payload.toString('utf8'))).toMatchObject({ t: 'welcome' })
    const ended = codeOf(socket)
    const frames = Array.from({ length: spellFrames }, make)
    frames.push(buildFrame({ opcode: opcodes.close, payload: closePayload(1000) }))
    // It may be closed in the middle of this.
    await socket.sendBytes(Buffer.concat(frames)).catch(() => undefined)
    const code = await ended
    codes.set(code, (codes.get(code) ?? 0) + 1)
    most = Math.max(most, process.memoryUsage().rss - before.rss)
  }

  async function lane(token: string, at: number): Promise<void> {
    const make = frameMaker(random.fork(`lane ${at}`), streams)
    while ((await framesRead(live)) - before.frames < framesMin) await spell(token, make)
  }

  async function others(): Promise<number> {
    const link = live.link()
    for (let rounds = 0; ; rounds += 1) {
      if (over.signal.aborted) return rounds
      const { approval, digest } = await bystander.ask({ tool: 'bash', title: 'Go on', input: 'ls' })
      const decided = await link.command(bystander.stream, 'approval.decide', { approval, digest, verdict: 'allow' })
      expect(decided).toMatchObject({ ok: true })
    }
  }

  const serving = others()
  const tokens = [live.token, runnerKey, live.token, runnerKey]
  await Promise.all(tokens.map(lane)).finally(() => over.abort())
  const rounds = await serving
  const read = (await framesRead(live)) - before.frames
  const { events, found } = await flaws(live)
  const grown = (most / 1024 ** 2).toFixed(0)
  console.log(`${read} frames, ended ${JSON.stringify([...codes])}, ${events} events, ${rounds} rounds, ${grown} MiB`)
  expect(found).toEqual([])
  expect(read).toBeGreaterThanOrEqual(framesMin)
  // Understood to the end, given up, or too fast; and never a fault of ours.
  expect([...codes.keys()].filter((code) => ![1000, 4400, 4429].includes(code ?? 0))).toEqual([])
  expect(codes.get(4400)).toBeGreaterThan(10)
  expect(rounds).toBeGreaterThan(20)
  expect(events).toBeGreaterThan(1_000)
  expect(most / 1024 ** 2).toBeLessThan(growthMaxMiB)
}, 180_000)
