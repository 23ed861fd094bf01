import { uuidV7 } from '@hotline/client/uuid'
import type { Envelope } from '@hotline/protocol/event'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import type { RawWebSocket } from '@hotline/testing/raw-websocket'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closing, enterRaw, heard, say, type Said, textFrame } from '@hotline/testing/raw-conversation'

let server: LiveServer
let port: number
let runner: HandRunner

beforeAll(async () => {
  server = await startLiveServer()
  port = Number(new URL(server.url).port)
  runner = await server.startSession()
})
afterAll(() => server[Symbol.asyncDispose]())

const enter = (): Promise<RawWebSocket> => enterRaw(port, server.token)
const ask = (): ReturnType<HandRunner['ask']> => runner.ask({ tool: 'shell', title: 'Run', input: `echo ${uuidV7()}` })

interface Decision {
  t: 'command'
  id: string
  [member: string]: unknown
}

function decision(asked: { approval: string; digest: string }, verdict: 'allow' | 'deny'): Decision {
  const data = { ...asked, verdict }
  return { t: 'command', id: uuidV7(), stream: runner.stream, type: 'approval.decide', data }
}

const answerTo = (socket: RawWebSocket, { id }: Decision): Promise<Said> =>
  heard(socket, (frame) => frame['id'] === id && (frame.t === 'accepted' || frame.t === 'refused'))

async function outcomes(approval: string): Promise<Envelope[]> {
  const events = await server.stored(runner.session)
  return events.filter(({ type, data }) => type === 'approval.resolved' && data['approval'] === approval)
}

describe('many decisions at once', () => {
  it('[W27] of 1,000 for one approval, from five sockets in one burst each, one has an effect', async () => {
    const asked = await ask()
    const sockets = await Promise.all(Array.from({ length: 5 }, enter))
    const answers = await Promise.all(
      sockets.map(async (socket) => {
        const sent = Array.from({ length: 200 }, (_, at) => decision(asked, at % 2 === 0 ? 'allow' : 'deny'))
        await socket.sendBytes(Buffer.concat(sent.map(textFrame)))
        const got: Said[] = []
        // Answers come in the order in which the commands were sent.
        for (const one of sent) got.push(await answerTo(socket, one))
        return got
      }),
    )
    const all = answers.flat()
    expect(all).toHaveLength(1_000)
    expect(all.filter(({ t }) => t === 'accepted')).toHaveLength(1)
    const refusals = all.filter(({ t }) => t === 'refused')
    expect(new Set(refusals.map(({ problem }) => (problem as { code: string }).code))).toEqual(
      new Set(['already_resolved']),
    )
    expect(await outcomes(asked.approval)).toHaveLength(1)
    for (const socket of sockets) await socket[Symbol.asyncDispose]()
  })

  it('[W27] 1,000 from one socket in one burst have one effect, and the connection is told that it is too much', async () => {
    const asked = await ask()
    await using socket = await enter()
    await socket.sendBytes(Buffer.concat(Array.from({ length: 1_000 }, () => textFrame(decision(asked, 'allow')))))
    expect(await closing(socket)).toMatchObject({ code: 4429, problem: { code: 'rate_limited' } })
    expect(await outcomes(asked.approval)).toHaveLength(1)
  })
})

describe('a connection that is reset in the middle of a decision', () => {
  const random = seededRandom(randomSeed('reset in the middle of a decision'))

  it('[W30] leaves it made or not made, and the same sent again gets one answer', async () => {
    for (let round = 0; round < 30; round += 1) {
      const asked = await ask()
      const sent = decision(asked, round % 2 === 0 ? 'allow' : 'deny')
      const bytes = textFrame(sent)
      const socket = await enter()
      // Every third goes out whole, and is cut off before its answer.
      const cut = round % 3 === 0 ? bytes.length : random.int(1, bytes.length - 1)
      await socket.sendBytes(bytes.subarray(0, cut))
      socket.reset()

      const snapshot = await readSession()
      const seq = Number(snapshot.cursor.split('.')[1])
      const resolved = (await outcomes(asked.approval)).filter((event) => event.seq <= seq)
      expect(isOpen(snapshot, asked.approval)).toBe(resolved.length === 0)

      await using again = await enter()
      await say(again, sent)
      const first = await answerTo(again, sent)
      await say(again, sent)
      expect(await answerTo(again, sent)).toEqual(first)
      expect(first.t).toBe('accepted')
      expect(await outcomes(asked.approval)).toHaveLength(1)
      await waitFor(async () => !isOpen(await readSession(), asked.approval), { what: 'the approval to be closed' })
    }
  })
})

interface Snapshot {
  cursor: string
  state: { approvals: readonly { approval: string; outcome?: string }[] }
}

const isOpen = ({ state }: Snapshot, approval: string): boolean =>
  state.approvals.some((one) => one.approval === approval && one.outcome === undefined)

async function readSession(): Promise<Snapshot> {
  const headers = { authorization: `Bearer ${server.token}` }
  const answer = await fetch(`${server.url}/api/sessions/${runner.session}`, { headers })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Snapshot
}
