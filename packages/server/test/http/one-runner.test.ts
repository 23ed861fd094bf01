import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LinkOptions } from '@hotline/client/open-link'
import { startLiveServer } from '@hotline/testing/live-server'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'

test('[S12] a second runner with the same key is refused and told, until the first has gone', async () => {
  await using live = await startLiveServer()
  const of = (instance: string): Partial<LinkOptions> => ({
    credential: { kind: 'token', token: readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim() },
    instance,
  })
  const first = live.link(of('one'))
  await waitFor(() => first.connection.value.status === 'open', { what: 'the first' })
  const second = live.link(of('two'))
  await waitFor(() => second.connection.value.status === 'waiting', { what: 'a refusal' })
  expect(second.connection.value).toMatchObject({ problem: { code: 'already_exists' } })
  expect(second.connection.value).toHaveProperty('problem.detail', expect.stringContaining('Another runner works with'))
  expect(first.connection.value.status).toBe('open')
  await first[Symbol.asyncDispose]()
  await waitFor(() => second.connection.value.status === 'open', { what: 'the second' })
})

test('[S12] a runner that comes back takes the place of its own old line, which is told so', async () => {
  await using live = await startLiveServer()
  const token = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
  const old = new WebSocket(`${live.url.replace('http', 'ws')}/api/ws`, 'hotline.v1')
  const ended = new Promise<CloseEvent>((resolve) => old.addEventListener('close', resolve))
  const welcome = new Promise<MessageEvent>((resolve) => old.addEventListener('message', resolve))
  old.addEventListener('open', () => old.send(JSON.stringify({ t: 'hello', token, instance: 'one' })))
  expect(JSON.parse(String((await welcome).data))).toMatchObject({ t: 'welcome' })
  const back = live.link({ credential: { kind: 'token', token }, instance: 'one' })
  await waitFor(() => back.connection.value.status === 'open', { what: 'the new line' })
  expect(await ended).toMatchObject({ code: 4409, reason: 'superseded' })
  expect(back.connection.value.status).toBe('open')
})
