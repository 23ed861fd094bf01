import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openRawWebSocket, type RawWebSocket, requestUpgrade } from '@hotline/testing/raw-websocket'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { buildFrame, type FrameSpec, opcodes } from '@hotline/testing/websocket-frame'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closing, enterRaw, heard, roundTrip, say, textFrame } from '@hotline/testing/raw-conversation'

/** As many as one account may have; the setting's default. */
const socketsMax = 20

let server: LiveServer
let port: number
const sockets: RawWebSocket[] = []

beforeEach(async () => {
  server = await startLiveServer()
  port = Number(new URL(server.url).port)
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) await socket[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const hostOnly = (): (readonly [string, string])[] => [['Host', `localhost:${port}`]]

async function open(): Promise<RawWebSocket> {
  const socket = await openRawWebSocket({ port, path: '/api/ws', protocols: ['hotline.v1'], headers: hostOnly() })
  sockets.push(socket)
  return socket
}

/** The kind of the first frame that is said. */
async function firstWord(socket: RawWebSocket): Promise<string> {
  return (await heard(socket, () => true)).t
}

describe('many connections of one account', () => {
  it('[W31] of sixty that say hello at once twenty enter, and when one leaves another may', async () => {
    const all = await Promise.all(Array.from({ length: 60 }, open))
    await Promise.all(all.map((socket) => say(socket, { t: 'hello', token: server.token })))
    const words = await Promise.all(all.map(firstWord))
    const inside = all.filter((_, at) => words[at] === 'welcome')
    expect(inside).toHaveLength(socketsMax)
    const refused = all.filter((_, at) => words[at] === 'problem')
    expect(refused).toHaveLength(60 - socketsMax)
    for (const socket of refused) expect((await closing(socket)).code).toBe(4429)
    for (const socket of inside) await roundTrip(socket)
    inside[0]?.reset()
    await waitFor(async () => sockets.push(await enterRaw(port, server.token)), { what: 'room for another' })
  })

  it('[W31] so it is with a token in the header, where the next is refused before it is open', async () => {
    const headers = [...hostOnly(), ['Authorization', `Bearer ${server.token}`] as const]
    const upgrade = () => requestUpgrade({ port, path: '/api/ws', protocols: ['hotline.v1'], headers })
    const outcomes = await Promise.all(Array.from({ length: 40 }, upgrade))
    const opened = outcomes.flatMap((outcome) => (outcome.kind === 'open' ? [outcome.socket] : []))
    sockets.push(...opened)
    const words = await Promise.all(opened.map(firstWord))
    expect(words.filter((word) => word === 'welcome')).toHaveLength(socketsMax)
    const next = await upgrade()
    expect(next.kind === 'refused' && next.response.status).toBe(429)
  })
})

describe('anything at all', () => {
  it('[W19] random frames and bytes end their own connection at most, and nobody else notices', async () => {
    const random = seededRandom(randomSeed('random frames'))
    const witness = await enterRaw(port, server.token)
    sockets.push(witness)
    const words = [
      '{"t":"ping"}',
      '{"t":"follow","stream":"project:default","after":"0"}',
      '[]',
      '{',
      '',
      '"x"',
      '\u{1F4A5}',
    ]
    const frame = (): Buffer => {
      const spec: FrameSpec = {
        opcode: random.chance(0.7) ? random.pick(Object.values(opcodes)) : random.int(0, 15),
        payload: random.chance(0.5) ? random.pick(words) : random.bytes(random.int(0, 300)),
        position: random.chance(0.8) ? 'last' : 'more',
        ...(random.chance(0.05) ? { reserved: random.int(0, 7) } : {}),
        ...(random.chance(0.05) ? { mask: 'none' as const } : {}),
        ...(random.chance(0.05) ? { declaredBytes: random.int(0, 100_000) } : {}),
      }
      const bytes = buildFrame(spec)
      // Some are cut short, so that what follows is read as something else.
      return random.chance(0.1) ? bytes.subarray(0, random.int(0, bytes.length)) : bytes
    }
    for (let round = 0; round < 150; round += 1) {
      const socket = random.chance(0.8) ? await enterRaw(port, server.token) : await open()
      // The other side may have closed it by now.
      for (let at = random.int(1, 12); at > 0; at -= 1) await socket.sendBytes(frame()).catch(() => undefined)
      await socket.sendBytes(textFrame({ t: 'ping' })).catch(() => undefined)
      if (random.chance(0.5)) socket.reset()
      await socket[Symbol.asyncDispose]()
      if (round % 10 === 0) await roundTrip(witness)
    }
    await say(witness, { t: 'ping' })
    await heard(witness, ({ t }) => t === 'pong')
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  })
})
