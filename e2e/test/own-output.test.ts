import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, it } from 'vitest'
import { openApi } from '../src/api.ts'
import { startServerProcess } from '../src/faults/server-process.ts'
import { startRunnerProcess } from '../src/runner-process.ts'

/** `seq` prints 6.9 MB up to here. */
const lines = 1_000_000

it('[R118] what a program printed is not sent back to the runner that reported it', async () => {
  await using dir = await openTempDir('hotline-own-output-')
  await using server = await startServerProcess({ dir: dir.path })
  await using runner = await startRunnerProcess({
    url: server.proxyUrl,
    serverDir: server.dataDir,
    dir: `${dir.path}/runner`,
  })
  const api = openApi(server.url, () => ({ kind: 'token', token: server.tokenOf('person') }))
  const before = server.proxy.forwarded.toClient
  const session = await api.start('pipe', '', { command: ['seq', '1', String(lines)], cwd: dir.path })
  await api.until(session, 'the end', ({ status }) => status === 'completed', 120_000)
  let printed = 0
  for (const { type, data, body } of await api.events(session)) {
    if (type !== 'output.appended') continue
    printed += Number(data['bytes'])
    expect(String(body?.['text'])).not.toBe('')
  }
  expect(printed).toBe(6_888_896)
  expect(runner.complaints).not.toContain('"level":"warn"')
  expect(server.proxy.forwarded.toClient - before).toBeLessThan(printed / 10)
})
