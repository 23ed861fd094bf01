import { setTimeout as pause } from 'node:timers/promises'
import { deflateRawSync } from 'node:zlib'
import { uuidV7 } from '@hotline/client/uuid'
import { limits } from '@hotline/protocol/limits'
import { enterRaw, heard, textFrame } from '@hotline/testing/raw-conversation'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { openRawConnection, type RawConnection } from '@hotline/testing/raw-http'
import type { RawWebSocket } from '@hotline/testing/raw-websocket'
import type { SeededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { buildFrame, closePayload, type FrameSpec, opcodes } from '@hotline/testing/websocket-frame'
import { countDescriptors, readMemory } from '../../process-memory.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { type ServerProcess, startServerProcess } from '../server-process.ts'
import { openWitness } from '../witness.ts'

const deadlineMs = 60_000
/** Connections that are tortured at once. */
const besides = 10
/** What all of it may cost the server at its worst, the collector's patience included. */
const growthMaxBytes = 256 * 1024 * 1024
const { continuation, text, binary, close, ping } = opcodes

type Headers = readonly (readonly [string, string])[]

/** What is done to one connection, and how that must end: a close code, or `alive` where it goes on. */
interface Torture {
  name: string
  bytes: (random: SeededRandom) => Buffer
  ends: readonly (number | 'alive')[]
}

const pingFrame = '{"t":"ping"}'
const ends = (...codes: (number | 'alive')[]): readonly (number | 'alive')[] => codes
const frames = (...specs: FrameSpec[]): Buffer => Buffer.concat(specs.map(buildFrame))
/** A message in so many fragments: its text, and what is left over as blanks, or as nothing at all. */
const inFragments = (count: number, sizeBytes: number): Buffer => {
  const whole = pingFrame.padEnd(sizeBytes === 0 ? 0 : count * sizeBytes)
  const piece = (at: number): string =>
    sizeBytes === 0 ? (at === 0 ? pingFrame : '') : whole.slice(at * sizeBytes, (at + 1) * sizeBytes)
  return frames(
    ...Array.from({ length: count }, (_, at): FrameSpec => ({
      opcode: at === 0 ? text : continuation,
      payload: piece(at),
      position: at === count - 1 ? 'last' : 'more',
    })),
  )
}

/** 50 MB of blanks in 48 kB. */
const bomb = deflateRawSync(Buffer.alloc(50_000_000, 0x20))

const tortures: readonly Torture[] = [
  { name: 'nothing in a frame', bytes: () => frames({ opcode: text }), ends: ends('alive') },
  { name: 'exactly the limit', bytes: () => inFragments(1, limits.inboundFrameBytes), ends: ends('alive') },
  { name: 'a byte too many', bytes: () => inFragments(1, limits.inboundFrameBytes + 1), ends: ends(1009) },
  { name: '10,000 fragments of a byte', bytes: () => inFragments(10_000, 1), ends: ends('alive') },
  { name: '10,000 fragments of nothing', bytes: () => inFragments(10_000, 0), ends: ends('alive') },
  { name: '10,000 fragments over the limit', bytes: () => inFragments(10_000, 8), ends: ends(1009) },
  {
    name: 'text that is not UTF-8',
    bytes: (random) => frames({ opcode: text, payload: Buffer.concat([random.bytes(40), Buffer.from([0xff])]) }),
    ends: ends(1007),
  },
  {
    // Every byte of the text gets its highest bit, and none of them begins a character.
    name: 'another mask than was said',
    bytes: () => {
      const bytes = frames({ opcode: text, payload: pingFrame.padEnd(120) })
      for (let at = 2; at < 6; at += 1) bytes[at] = (bytes[at] ?? 0) ^ 0x80
      return bytes
    },
    ends: ends(1007),
  },
  { name: 'no mask', bytes: () => frames({ opcode: text, payload: pingFrame, mask: 'none' }), ends: ends(1002) },
  {
    name: 'a reserved bit',
    bytes: (random) => frames({ opcode: text, payload: pingFrame, reserved: random.int(1, 3) }),
    ends: ends(1002),
  },
  {
    name: 'a length that nobody can count to',
    bytes: () => frames({ opcode: text, declaredBytes: 2n ** 63n, lengthBits: 64 }),
    ends: ends(1009),
  },
  {
    name: 'a binary frame',
    bytes: (random) => frames({ opcode: binary, payload: random.bytes(20) }),
    ends: ends(1003),
  },
  {
    name: 'a close that cannot be sent',
    bytes: (random) => frames({ opcode: close, payload: closePayload(random.pick([0, 999, 1005, 1006, 5_000])) }),
    ends: ends(1002),
  },
  {
    name: '20,000 pings',
    bytes: () => Buffer.concat(Array.from({ length: 20_000 }, () => buildFrame({ opcode: ping }))),
    ends: ends(4429),
  },
  {
    // Inflated only where compression was taken up, and no further than a frame may be.
    name: '48 kB that are 50 MB',
    bytes: () => frames({ opcode: text, payload: bomb, reserved: 4 }),
    ends: ends(1002, 1009),
  },
  {
    name: 'four that are no JSON, and a fifth',
    bytes: (random) =>
      frames(...Array.from({ length: 5 }, () => ({ opcode: text, payload: `{${random.int(0, 1e9)}` }))),
    ends: ends(4400),
  },
]

/** The thread that moves the log into the database starts when about a megabyte was written, and stays: not in the middle of this. */
async function startThreads(hand: HandRunner): Promise<void> {
  for (let at = 0; at < 80; at += 1) {
    await hand.report({
      type: 'output.appended',
      data: { source: 'stdout', encoding: 'utf8', bytes: 4 },
      body: { text: 'warm' },
    })
  }
  await pause(500)
}

/** Row 24: what the form of a frame can be made to be, beside a session that must not notice. */
export const frameTorture: FaultRow = {
  row: 24,
  name: 'frames torn at each byte, empty, too large, broken, inflating, a flood of them, and upgrades that never end',
  stores: ['sqlite'],
  run: async ({ random, amount, dir }: Ground): Promise<Done> => {
    const compresses = random.chance(0.5)
    await using server = await startServerProcess({ dir, env: { HOTLINE_COMPRESS_BATCHES: String(compresses) } })
    const much = amount === 'much'
    const witness = await openWitness(server, 'a witness')
    const hostile = await server.startSession(server.link('runner'), 'tortured')
    await startThreads(hostile)
    const begunBytes = readMemory(server.pid).residentBytes
    const descriptors = countDescriptors(server.pid)
    const violations: string[] = []
    const slow = await openSlowUpgrades(server, random.fork('slow upgrades'), much ? 300 : 30)

    const torn = cutsOf(random, much)
    await together(torn, async (cutAt) => violations.push(...(await tear(server, hostile.stream, cutAt))))
    const given = random.shuffle(Array.from({ length: much ? 20 : 2 }, () => tortures).flat())
    await together(given, async (torture) => violations.push(...(await suffer(server, torture, random))))
    const fuzzed = Array.from({ length: much ? 2_000 : 100 }, (_, at) => random.fork(`odd bytes ${at}`))
    await together(fuzzed, async (own) => violations.push(...(await sayOddBytes(server, own))))

    // The server ends what never becomes a request; the small form has no time to wait for that.
    if (much) await Promise.all(slow.map((connection) => connection.readToEnd({ deadlineMs })))
    for (const connection of slow) await connection[Symbol.asyncDispose]()
    await waitFor(() => countDescriptors(server.pid) <= descriptors, {
      what: `the server to have let go of everything: ${countDescriptors(server.pid)} descriptors, before ${descriptors}`,
      deadlineMs,
    })
    await witness.finish()
    const stored = await server.stored(hostile.session)
    const titles = stored.filter(({ type }) => type === 'session.renamed').map(({ body }) => String(body?.['title']))
    const wanted = torn.map((cutAt) => `torn at ${cutAt}`)
    for (const title of wanted) {
      const times = titles.filter((one) => one === title).length
      if (times !== 1) violations.push(`the command "${title}" happened ${times} times`)
    }
    if (titles.length !== wanted.length)
      violations.push(`${titles.length} names were given instead of ${wanted.length}`)
    const grownBytes = readMemory(server.pid).peakBytes - begunBytes
    if (grownBytes > growthMaxBytes) violations.push(`the server grew by ${Math.round(grownBytes / 2 ** 20)} MiB`)
    expectNothing(violations)
    return {
      counts: {
        torn: torn.length,
        tortures: given.length,
        'odd bytes': fuzzed.length,
        'slow upgrades': slow.length,
        'answers to the witness': witness.answered,
        'MiB more at most': Math.round(grownBytes / 2 ** 20),
      },
      notes: [compresses ? 'with compression' : 'without compression'],
    }
  },
}

/** Does one thing with each of them, some at once. */
async function together<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items]
  const take = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item)
  }
  await Promise.all(Array.from({ length: besides }, take))
}

const headersOf = (server: ServerProcess): Headers => [
  ['Host', `localhost:${server.port}`],
  ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
]

/** What a client says from its hello to its command. */
function conversation(stream: string, title: string): { bytes: Buffer; id: string } {
  const id = uuidV7()
  const bytes = Buffer.concat([
    textFrame({ t: 'ping' }),
    textFrame({ t: 'follow', stream, after: '0' }),
    buildFrame({ opcode: ping, payload: 'in between' }),
    textFrame({ t: 'command', id, stream, type: 'session.rename', data: { title } }),
  ])
  return { bytes, id }
}

/** Every place at which a conversation can be cut in two, or some of them. */
function cutsOf(random: SeededRandom, much: boolean): number[] {
  // Longer than the shortest one: the last places cut nothing, and the frame is whole.
  const all = Array.from({ length: 330 }, (_, at) => at)
  return much ? all : random.shuffle(all).slice(0, 40)
}

/** A conversation that comes in two parts, each in a turn of its own; every third one byte by byte. */
async function tear(server: ServerProcess, stream: string, cutAt: number): Promise<string[]> {
  const { bytes, id } = conversation(stream, `torn at ${cutAt}`)
  await using socket = await enterRaw(server.port, server.tokenOf('person'))
  const parts =
    cutAt % 3 === 0
      ? Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
      : [bytes.subarray(0, cutAt), bytes.subarray(cutAt)]
  for (const part of parts) {
    await socket.sendBytes(part)
    await new Promise(setImmediate)
  }
  const answer = await heard(socket, ({ t, id: of }) => (t === 'accepted' || t === 'refused') && of === id)
  return answer.t === 'accepted' ? [] : [`torn at ${cutAt}: ${JSON.stringify(answer)}`]
}

async function suffer(server: ServerProcess, torture: Torture, random: SeededRandom): Promise<string[]> {
  await using socket = await enterRaw(server.port, server.tokenOf('person'), headersOf(server))
  // Whoever is ended in the middle of what it sends may be cut off before everything is gone.
  const sent = socket.sendBytes(torture.bytes(random)).then(() => socket.sendBytes(textFrame({ t: 'ping' })))
  sent.catch(() => undefined)
  const end = await endOf(socket)
  return torture.ends.includes(end) ? [] : [`${torture.name}: ${end} and not ${torture.ends.join(' or ')}`]
}

/** `alive` where the ping that was sent last is answered; else the code of the close. */
async function endOf(socket: RawWebSocket): Promise<number | 'alive'> {
  const mark = Buffer.from('the last')
  socket.sendBytes(buildFrame({ opcode: ping, payload: mark })).catch(() => undefined)
  for (;;) {
    const { opcode, payload } = await socket.nextFrame({ deadlineMs })
    if (opcode === close) return payload.length < 2 ? 1005 : payload.readUInt16BE(0)
    if (opcode === opcodes.pong && payload.equals(mark)) return 'alive'
  }
}

/** Right bytes of which some are changed, left away or doubled. Whatever they mean: it ends cleanly. */
async function sayOddBytes(server: ServerProcess, random: SeededRandom): Promise<string[]> {
  await using socket = await enterRaw(server.port, server.tokenOf('person'), headersOf(server))
  let bytes = Buffer.concat(
    Array.from({ length: random.int(1, 6) }, () =>
      random.chance(0.5) ? textFrame({ t: 'ping' }) : buildFrame({ opcode: ping, payload: random.bytes(8) }),
    ),
  )
  for (let changes = random.int(1, 4); changes > 0; changes -= 1) {
    const at = random.int(0, bytes.length - 1)
    const kind = random.int(0, 2)
    if (kind === 0) bytes[at] = random.int(0, 255)
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
    else bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(random.int(1, 20)), bytes.subarray(at)])
  }
  await socket.sendBytes(bytes)
  socket.finish()
  const { code, reason } = await socket.waitForEnd({ deadlineMs })
  const isClean = code === undefined || [1000, 1002, 1003, 1005, 1007, 1009, 4400, 4429].includes(code)
  return isClean ? [] : [`odd bytes ended with ${code} ${reason}: ${bytes.toString('hex').slice(0, 200)}`]
}

/** Upgrades of which a part came and the rest never does. */
async function openSlowUpgrades(server: ServerProcess, random: SeededRandom, count: number): Promise<RawConnection[]> {
  const head =
    `GET /api/ws HTTP/1.1\r\nHost: localhost:${server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: hotline.v1\r\n'
  const open: RawConnection[] = []
  for (let at = 0; at < count; at += 1) {
    const connection = await openRawConnection({ port: server.port })
    await connection.send(head.slice(0, random.int(0, head.length)))
    open.push(connection)
  }
  return open
}
