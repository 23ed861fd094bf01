import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { uuidV7 } from '@hotline/client/uuid'
import type { Envelope } from '@hotline/protocol/event'
import { freePort } from '@hotline/testing/free-port'
import { type ChildGuard, guardChildren } from '@hotline/testing/child-guard'
import type { GuardedChild } from '@hotline/testing/guarded-child'
import { headerOf, openRawConnection, type RawConnection, type RawResponse } from '@hotline/testing/raw-http'
import { openRawWebSocket, type RawWebSocket } from '@hotline/testing/raw-websocket'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { owner, rawBytes } from './http-stack.ts'
import { closing, enterRaw, heard, say, type Said, textFrame } from '@hotline/testing/raw-conversation'

/** A server in a process of its own, which is ended as an operator ends it. */
let dir: TempDir
let guard: ChildGuard
let port: number
let server: GuardedChild
let token: string

const url = (): string => `http://localhost:${port}`

async function start(): Promise<void> {
  server = await guard.startChild({
    command: process.execPath,
    args: [join(import.meta.dirname, '../../src/main.ts')],
    env: { HOTLINE_DATA_DIR: join(dir.path, 'data'), HOTLINE_PORT: String(port), HOTLINE_LISTEN: '127.0.0.1' },
  })
  await server.waitForLine(/"ready":true/)
}

beforeEach(async () => {
  dir = await openTempDir('hotline-down-')
  guard = guardChildren({ directories: [dir.path] })
  port = await freePort()
  await start()
  const [, code = ''] = await server.waitForLine(/#bootstrap=([^"]+)/)
  const claimed = await fetch(`${url()}/api/auth/bootstrap`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url() },
    body: JSON.stringify({ code: decodeURIComponent(code), ...owner }),
  })
  expect(claimed.status).toBe(200)
  token = await waitFor(() => readFileSync(join(dir.path, 'data', 'cli-token'), 'utf8').trim(), { what: 'a token' })
  expect(await post({ id: 'start', stream, type: 'session.start', data: { project: 'default', agent: 'demo' } })).toBe(
    200,
  )
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await guard.assertNoSurvivors()
  await dir.remove()
})

const stream = 'session:s1'
const rename = (id: string): object => ({ id, stream, type: 'session.rename', data: { title: id } })

async function post(command: object): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const answer = await fetch(`${url()}/api/commands`, { method: 'POST', headers, body: JSON.stringify(command) })
  await answer.text()
  return answer.status
}

const bytesOf = (method: string, target: string, body?: object): Uint8Array => {
  const headers: [string, string][] = [['Authorization', `Bearer ${token}`]]
  if (body) headers.push(['Content-Type', 'application/json'])
  return rawBytes({ method, target, headers, ...(body ? { body: JSON.stringify(body) } : {}) }, port)
}

/** Titles in the log, by the ids of their commands. */
async function renamed(): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (let after = '0'; ;) {
    const answer = await fetch(`${url()}/api/sessions/s1/events?after=${after}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const { events, next } = (await answer.json()) as { events: Envelope[]; next: string }
    if (events.length === 0) return found
    for (const { type, cause = '' } of events) {
      if (type === 'session.renamed') found.set(cause, (found.get(cause) ?? 0) + 1)
    }
    after = next
  }
}

const goodbye = (socket: RawWebSocket): Promise<Said> => heard(socket, ({ t }) => t === 'goodbye', 10_000)

const drainingBody = (response: RawResponse): unknown => JSON.parse(response.body.toString('utf8'))

describe('a server that goes down', () => {
  it('[Q3] says goodbye to every socket and when to come back, closes with 4503, and ends', async () => {
    await using follower = await enterRaw(port, token)
    await say(follower, { t: 'follow', stream, after: '0' })
    await heard(follower, ({ t }) => t === 'caught_up')
    await using silent = await enterRaw(port, token)
    // What the server has not read when it closes takes nothing of what it says away.
    await using talking = await enterRaw(port, token)
    const host = ['Host', `localhost:${port}`] as const
    await using unknown = await openRawWebSocket({
      port,
      path: '/api/ws',
      protocols: ['hotline.v1'],
      headers: [host],
    })
    server.kill('SIGTERM')
    const enough = new AbortController()
    const talk = (async () => {
      // Fewer than would be too many for one connection.
      for (let said = 0; said < 300 && !enough.signal.aborted; said++) {
        await say(talking, { t: 'ping' })
        await setImmediate()
      }
    })().catch(() => undefined)
    for (const socket of [follower, silent, talking, unknown]) {
      expect(await goodbye(socket)).toEqual({ t: 'goodbye', code: 'draining', retryAfterMs: 1_000 })
      expect(await closing(socket)).toMatchObject({ code: 4503, problem: undefined })
    }
    enough.abort()
    await talk
    expect(await server.exited).toEqual({ code: 0, signal: null })
  })

  it('[Q3] tells HTTP and new sockets meanwhile to come back, with 503 and when', async () => {
    await using kept = await openRawConnection({ port })
    await kept.send(bytesOf('GET', '/healthz'))
    expect((await kept.readResponse()).status).toBe(200)
    // It does not answer the close, so the server waits for it for a moment.
    await using slow = await enterRaw(port, token)
    server.kill('SIGTERM')
    await goodbye(slow)
    const answers: RawResponse[] = []
    const ask = async (connection: RawConnection, bytes: Uint8Array): Promise<void> => {
      await connection.send(bytes)
      answers.push(await connection.readResponse())
    }
    const fresh = await Promise.all([1, 2, 3].map(() => openRawConnection({ port })))
    await ask(kept, bytesOf('GET', '/healthz'))
    for (const [at, request] of [
      bytesOf('POST', '/api/commands', rename('late')),
      bytesOf('GET', '/api/nothing'),
      rawBytes(
        {
          target: '/api/ws',
          headers: [
            ['Connection', 'Upgrade'],
            ['Upgrade', 'websocket'],
            ['Sec-WebSocket-Version', '13'],
            ['Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA=='],
            ['Sec-WebSocket-Protocol', 'hotline.v1'],
          ],
        },
        port,
      ),
    ].entries()) {
      const connection = fresh[at]
      if (connection) await ask(connection, request)
    }
    expect(answers).toHaveLength(4)
    for (const answer of answers) {
      expect(answer.status).toBe(503)
      expect(headerOf(answer, 'retry-after')).toMatch(/^[1-9]\d*$/)
      expect(headerOf(answer, 'connection')?.toLowerCase()).toBe('close')
      expect(drainingBody(answer)).toMatchObject({ status: 503, code: 'draining' })
    }
    for (const connection of fresh) await connection[Symbol.asyncDispose]()
    expect(await server.exited).toEqual({ code: 0, signal: null })
    await start()
    expect(await renamed()).toEqual(new Map())
  })

  it('[Q3] [D8] answers or refuses every command that was under way, over HTTP and over sockets', async () => {
    /** What became of each command. */
    const outcomes = new Map<string, 'accepted' | 'refused' | 'unanswered'>()
    let accepted = 0
    const settle = (id: string, outcome: 'accepted' | 'refused'): void => {
      outcomes.set(id, outcome)
      if (outcome !== 'accepted') return
      accepted += 1
      if (accepted === 200) server.kill('SIGTERM')
    }
    const posts = Array.from({ length: 8 }, async () => {
      const connection = await openRawConnection({ port })
      try {
        for (;;) {
          const id = uuidV7()
          const sent = await connection.send(bytesOf('POST', '/api/commands', rename(id))).then(
            () => true,
            () => false,
          )
          // A connection that was closed between two requests has taken nothing.
          if (!sent) return
          outcomes.set(id, 'unanswered')
          const answer = await connection.readResponse({ method: 'POST' })
          settle(id, answer.status === 200 ? 'accepted' : 'refused')
          if (headerOf(answer, 'connection') === 'close' && answer.status === 200) return
          if (answer.status === 200) continue
          expect(drainingBody(answer)).toMatchObject({ status: 503, code: 'draining' })
          return
        }
      } finally {
        await connection[Symbol.asyncDispose]()
      }
    })
    const sockets = Array.from({ length: 4 }, async () => {
      const socket = await enterRaw(port, token)
      try {
        for (;;) {
          // So many at once that some are always under way.
          const ids = new Set(Array.from({ length: 40 }, () => uuidV7()))
          for (const id of ids) outcomes.set(id, 'unanswered')
          await socket.sendBytes(Buffer.concat([...ids].map((id) => textFrame({ t: 'command', ...rename(id) }))))
          while (ids.size > 0) {
            const answer = await heard(socket, (said) => ids.has(String(said['id'])) || said.t === 'goodbye', 10_000)
            if (answer.t === 'goodbye') return
            const id = String(answer['id'])
            ids.delete(id)
            settle(id, answer.t === 'accepted' ? 'accepted' : 'refused')
            if (answer.t === 'refused') expect(answer['problem']).toMatchObject({ status: 503, code: 'draining' })
          }
        }
      } finally {
        await socket[Symbol.asyncDispose]()
      }
    })
    const ended = await Promise.allSettled([...posts, ...sockets])
    expect(ended.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(await server.exited).toEqual({ code: 0, signal: null })

    await start()
    const before = await renamed()
    for (const [id, outcome] of outcomes) {
      // What was sent while the goodbye was under way was not carried out.
      expect([id, outcome, before.get(id) ?? 0]).toEqual([id, outcome, outcome === 'accepted' ? 1 : 0])
    }
    for (const [id, outcome] of outcomes) if (outcome !== 'accepted') expect(await post(rename(id))).toBe(200)
    expect(await renamed()).toEqual(new Map([...outcomes.keys()].map((id) => [id, 1])))
  })

  it('[Q3] does not wait for ever for a request that does not end', async () => {
    await using half = await openRawConnection({ port })
    const head = `POST /api/commands HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${token}\r\n`
    await half.send(`${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`)
    await using slow = await openRawConnection({ port })
    await slow.send('GET /healthz HTTP/1.1\r\n')
    // Everything that was sent before has arrived.
    expect(await post(rename('before'))).toBe(200)
    server.kill('SIGTERM')
    await waitFor(() => server.exit !== undefined, { what: 'the end of the server', deadlineMs: 20_000 })
    expect(server.exit).toEqual({ code: 0, signal: null })
  })
})
