import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { uuidV7 } from '@hotline/client/uuid'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, it } from 'vitest'
import { readConfig } from '../../src/config/read-config.ts'
import { type RunningServer, startServer } from '../../src/start-server.ts'
import { owner } from './http-stack.ts'
import { enterRaw, heard, say } from '@hotline/testing/raw-conversation'

it('[L30] a stream that is cut off on the disk is refused by name at every door, and all others go on', async () => {
  const dir = await openTempDir('hotline-damaged-')
  const dataDir = join(dir.path, 'data')
  const config = readConfig({ HOTLINE_DATA_DIR: dataDir, HOTLINE_PORT: '0', HOTLINE_LISTEN: '127.0.0.1' })
  const start = (): Promise<RunningServer> => startServer(config, join(dir.path, 'no-page'))
  const [damaged, whole] = [uuidV7(), uuidV7()]
  let token = ''
  const ask = async (url: string, path: string, body?: object): Promise<{ status: number; code?: string }> => {
    const response = await fetch(new URL(path, url), {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
    return { status: response.status, ...((await response.json()) as object) }
  }
  const command = (url: string, session: string, type: string, data: object): ReturnType<typeof ask> =>
    ask(url, '/api/commands', { id: uuidV7(), stream: `session:${session}`, type, data })

  const first = await start()
  const code = first.bootstrap?.split('=')[1] ?? ''
  const origin = { origin: first.url, 'content-type': 'application/json' }
  const body = JSON.stringify({ code: decodeURIComponent(code), ...owner })
  await fetch(new URL('/api/auth/bootstrap', first.url), { method: 'POST', headers: origin, body })
  token = readFileSync(join(dataDir, 'cli-token'), 'utf8').trim()
  for (const session of [damaged, whole]) {
    await command(first.url, session, 'session.start', { project: 'default', agent: 'demo' })
    for (let at = 0; at < 8; at += 1) await command(first.url, session, 'session.rename', { title: `Title ${at}` })
  }
  await first[Symbol.asyncDispose]()

  const file = new DatabaseSync(join(dataDir, 'hotline.db'))
  const rows = `no = (SELECT no FROM streams WHERE stream = 'session:${damaged}') AND seq > 6`
  expect(file.prepare(`DELETE FROM events WHERE ${rows}`).run().changes).toBe(3)
  file.close()

  const second = await start()
  const { url, port } = second
  await using socket = await enterRaw(port, token)
  await say(socket, { t: 'follow', stream: `session:${damaged}`, after: '0' })
  expect(await heard(socket, ({ t }) => t === 'events')).toMatchObject({ from: 1, to: 6 })
  expect(await heard(socket, ({ t }) => t !== 'ephemeral')).toMatchObject({
    t: 'unfollowed',
    stream: `session:${damaged}`,
    problem: { code: 'log_damaged', detail: expect.stringContaining(`session:${damaged} event 7`) as string },
  })
  await say(socket, { t: 'follow', stream: `session:${whole}`, after: '0' })
  expect(await heard(socket, ({ t }) => t === 'caught_up')).toMatchObject({ stream: `session:${whole}` })
  const { status, code: said } = await ask(url, `/api/sessions/${damaged}/transcript`)
  expect([status, said]).toEqual([500, 'log_damaged'])
  expect((await ask(url, '/api/sessions')).status).toBe(200)
  expect((await command(url, whole, 'session.rename', { title: 'Goes on' })).status).toBe(200)
  await second[Symbol.asyncDispose]()
  await dir.remove()
})
