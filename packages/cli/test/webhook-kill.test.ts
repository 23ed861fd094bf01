import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import { guardChildren } from '@hotline/testing/child-guard'
import { freePort } from '@hotline/testing/free-port'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, it } from 'vitest'
import { type HotlineProcess, startHotlineProcess } from './hotline-process.ts'

const kills = 3
const cards = 12
const password = 'a long walk over the wet meadow'

it('[WH15] whenever a server is killed, each event has arrived afterwards, those of a stream in their order', async () => {
  const dir = await openTempDir('hotline-hooks-')
  const guard = guardChildren()
  const came: { stream: string; seq: number }[] = []
  const receiver = createServer((request, response) => {
    void buffer(request).then((bytes) => {
      const { data } = JSON.parse(bytes.toString('utf8')) as { data: { event: { stream: string; seq: number } } }
      came.push({ stream: data.event.stream, seq: data.event.seq })
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const target = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const port = await freePort()
  const url = `http://localhost:${port}`
  const dataDir = join(dir.path, 'data')
  const env = { HOME: dir.path, HOTLINE_DATA_DIR: dataDir, HOTLINE_WEBHOOK_TARGETS: target, ...guard.environment }
  const up = async (): Promise<HotlineProcess> => {
    const hotline = startHotlineProcess(['--json', 'up', '--port', String(port)], env)
    await hotline.says('"ready":true')
    return hotline
  }
  let server = await up()
  const { bootstrap = '' } = JSON.parse(server.out) as { bootstrap?: string }
  await fetch(`${url}/api/auth/bootstrap`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ code: bootstrap.split('#bootstrap=')[1], name: 'dana', password }),
  })
  await waitFor(() => existsSync(join(dataDir, 'cli-token')), { what: 'the token of this machine' })
  const token = readFileSync(join(dataDir, 'cli-token'), 'utf8').trim()
  const ask = (method: 'POST', path: string, body: object) =>
    httpRequest(url, { kind: 'token', token }, method, path, body)
  expect(await ask('POST', '/api/auth/confirm', { password })).toMatchObject({ ok: true })
  const hook = { url: `http://${target}/in`, events: ['task.*'] }
  expect(await ask('POST', '/api/projects/default/webhooks', hook)).toMatchObject({ ok: true })

  /** Sent until there is an answer, under one id: it happens once. */
  const command = async (stream: string, type: string, data: object): Promise<void> => {
    const body = { id: uuidV7(), stream, type, data }
    await waitFor(async () => (await ask('POST', '/api/commands', body)).ok, { what: type, deadlineMs: 60_000 })
  }
  const last = (stream: string): number =>
    Math.max(0, ...came.filter((one) => one.stream === stream).map(({ seq }) => seq))
  const tasks = Array.from({ length: cards }, () => `task:${uuidV7()}`)
  const heads = new Map(tasks.map((stream) => [stream, 1]))
  const over = new AbortController()
  const work = Promise.all(
    tasks.map(async (stream) => {
      await command(stream, 'task.create', { project: 'default', title: 'Begun' })
      for (let at = 0; !over.signal.aborted; at += 1) {
        // While some were posted and others not, the server is killed.
        await waitFor(() => last(stream) > at, { what: `event ${at + 1} of ${stream}`, deadlineMs: 60_000 })
        await command(stream, 'task.change', { title: `Changed ${at}` })
        heads.set(stream, at + 2)
      }
    }),
  )
  for (let time = 0; time < kills; time += 1) {
    const before = came.length
    await waitFor(() => came.length > before + cards / 2, { what: 'some posts' })
    server.child.kill('SIGKILL')
    await server.ended
    server = await up()
  }
  over.abort()
  await work
  await waitFor(() => tasks.every((stream) => last(stream) === heads.get(stream)), {
    what: 'all of them',
    deadlineMs: 60_000,
  })
  for (const stream of tasks) {
    const seqs = came.filter((one) => one.stream === stream).map(({ seq }) => seq)
    const first = seqs.filter((seq, at) => seqs.indexOf(seq) === at)
    expect(first).toEqual(Array.from({ length: heads.get(stream) ?? 0 }, (_, at) => at + 1))
    // One that came again is the one before: nothing goes back further than a kill can have cut off.
    for (const [at, seq] of seqs.entries()) expect(seq - (seqs[at - 1] ?? 0)).toBeGreaterThanOrEqual(0)
  }
  server.child.kill('SIGTERM')
  await server.ended
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
  await guard.assertNoSurvivors()
  await dir.remove()
}, 180_000)
