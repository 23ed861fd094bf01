import { openRawWebSocket, type RawWebSocket } from '@hotline/testing/raw-websocket'
import { waitFor } from '@hotline/testing/wait-for'
import { buildFrame, opcodes } from '@hotline/testing/websocket-frame'
import type { ServerProcess } from '../faults/server-process.ts'
import { type Frame, type Line, tokenMark, type Transcript, type Voice } from './transcript.ts'

const deadlineMs = 30_000
/** Told when it happens to be so: an old client does without. */
const passing = new Set(['heads', 'ephemeral', 'urgent'])

/** Says again what an old client said, and compares what it hears with what was heard then. Answers what does not fit. */
export async function replayTranscript(server: ServerProcess, { lines }: Transcript): Promise<string[]> {
  const voices = { person: await openVoice(server.port), runner: await openVoice(server.port) }
  try {
    const epochs = new Map<string, string>()
    const heardBefore: Line[] = []
    const violations: string[] = []
    for (const line of lines) {
      const { voice, from, frame } = line
      if (from === 'client') {
        await voices[voice].say(adapt(frame, server.tokenOf(voice), epochs) as Frame)
        continue
      }
      if (passing.has(frame.t)) continue
      heardBefore.push(line)
      const found = await waitFor(() => counterparts(frame, voice, heardBefore, voices[voice].heard), {
        what: `the answer "${frame.t}" to the ${voice}: ${JSON.stringify(frame).slice(0, 300)}`,
        deadlineMs,
      })
      for (const [then, now] of found) violations.push(...missing(then, now, frame.t))
      const epoch = found[0]?.[1]['epoch']
      if (typeof epoch === 'string') epochs.set(String(frame['epoch']), epoch)
    }
    return violations
  } finally {
    for (const { socket } of Object.values(voices)) await socket[Symbol.asyncDispose]()
  }
}

async function openVoice(
  port: number,
): Promise<{ socket: RawWebSocket; heard: Frame[]; say: (frame: Frame) => Promise<void> }> {
  const headers = [['Host', `localhost:${port}`]] as const
  const socket = await openRawWebSocket({ port, path: '/api/ws', protocols: ['hotline.v1'], headers })
  const heard: Frame[] = []
  const listen = async (): Promise<void> => {
    for (;;) {
      const { opcode, payload } = await socket.nextFrame({ deadlineMs: 600_000 })
      if (opcode === opcodes.text) heard.push(JSON.parse(payload.toString('utf8')) as Frame)
      else if (opcode === opcodes.ping) await socket.send({ opcode: opcodes.pong, payload })
    }
  }
  // Ends with the socket.
  listen().catch(() => undefined)
  const say = (frame: Frame): Promise<void> =>
    socket.sendBytes(buildFrame({ opcode: opcodes.text, payload: JSON.stringify(frame) }))
  return { socket, heard, say }
}

/** What an old frame says of the credential, of the life of a log and of a time to come is of today. */
function adapt(value: unknown, token: string, epochs: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') {
    const [epoch = '', seq] = value.split('.')
    return value === tokenMark
      ? token
      : `${epochs.get(epoch) ?? epoch}${seq === undefined ? '' : value.slice(epoch.length)}`
  }
  if (Array.isArray(value)) return value.map((one) => adapt(one, token, epochs))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, of]) => [
    name,
    name === 'expiresAt' ? new Date(Date.now() + 3_600_000).toISOString() : adapt(of, token, epochs),
  ])
  return Object.fromEntries(entries) as unknown
}

/** Pairs of what was said then and is said now; undefined while something is not said yet. */
function counterparts(
  frame: Frame,
  voice: Voice,
  before: readonly Line[],
  heard: readonly Frame[],
): [then: Frame, now: Frame][] | undefined {
  if (frame.t === 'events') {
    const ofStream = (one: Frame): boolean => one.t === 'events' && one['stream'] === frame['stream']
    const then = before.flatMap((line) => (line.voice === voice && ofStream(line.frame) ? eventsIn(line.frame) : []))
    const now = heard.filter(ofStream)
    const pairs = inOrder(then, now.flatMap(eventsIn))
    const [first] = now
    return pairs && first ? [[frame, first], ...pairs] : undefined
  }
  // Answers to commands by their ids, all else by how often it was said.
  const isSame = (one: Frame): boolean =>
    one.t === frame.t && one['id'] === frame['id'] && one['stream'] === frame['stream']
  const count = before.filter((line) => line.voice === voice && isSame(line.frame)).length
  const now = heard.filter(isSame)[count - 1]
  return now && [[frame, now]]
}

const eventsIn = (frame: Frame): Frame[] => frame['events'] as Frame[]

/** Each old event and the new one of its type, in order; there may be more between. */
function inOrder(then: readonly Frame[], now: readonly Frame[]): [Frame, Frame][] | undefined {
  const pairs: [Frame, Frame][] = []
  let at = 0
  for (const event of then) {
    while (at < now.length && now[at]?.['type'] !== event['type']) at += 1
    const found = now[at]
    if (!found) return undefined
    pairs.push([event, found])
    at += 1
  }
  return pairs
}

/** Members that were there then and are not now, or are of another type. */
function missing(then: unknown, now: unknown, where: string): string[] {
  if (then === null || then === undefined) return []
  if (typeof then !== typeof now || Array.isArray(then) !== Array.isArray(now)) {
    return [`${where} was ${JSON.stringify(then)?.slice(0, 100)} and is ${JSON.stringify(now)?.slice(0, 100)}`]
  }
  if (typeof then !== 'object') return []
  if (Array.isArray(then)) {
    // Of the events each has its own counterpart.
    const list = now as unknown[]
    return then.length > 0 && list.length > 0 && where !== 'events.events'
      ? missing(then[0], list[0], `${where}.0`)
      : []
  }
  const members = now as Record<string, unknown>
  return Object.entries(then).flatMap(([name, of]) => missing(of, members[name], `${where}.${name}`))
}
