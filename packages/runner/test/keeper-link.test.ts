import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { connectKeeper, KeeperSilent } from '../src/keeper/keeper-link.ts'

test('[R110] what a process does before anybody watches it is not lost', async () => {
  await using dir = await openTempDir('hotline-link-')
  const state = { p: 'one', out: 5, err: 0, outEnded: true, errEnded: true, exit: { code: 0, signal: null } }
  // A keeper whose process has ended by the time that it is told to be started: both words come as one.
  const keeper = createServer((socket) => {
    socket.write(`${JSON.stringify({ hello: 1, pid: process.pid, processes: [] })}\n`)
    socket.on('data', () => socket.write(`${JSON.stringify({ id: 1, ok: true })}\n${JSON.stringify({ state })}\n`))
    socket.on('error', () => undefined)
  })
  keeper.listen(join(dir.path, 'socket'))
  await once(keeper, 'listening')
  const link = await connectKeeper(dir.path)
  try {
    await link?.request({ do: 'note', p: 'one', at: 0, note: 'started' })
    const heard = await new Promise((resolve) => link?.watch('one', resolve))
    expect(heard).toEqual(state)
  } finally {
    link?.close()
    await link?.closed
    keeper.close()
  }
})

test('[R116] a keeper that says nothing is a problem within seconds, which names its process and what to do', async () => {
  await using dir = await openTempDir('hotline-link-')
  writeFileSync(join(dir.path, 'pid'), `${process.pid}\n`)
  const keeper = createServer((socket) => socket.on('error', () => undefined))
  keeper.listen(join(dir.path, 'socket'))
  await once(keeper, 'listening')
  try {
    const why: unknown = await connectKeeper(dir.path, { helloTimeoutMs: 200, wakeAfterMs: 50 }).catch(
      (error: unknown) => error,
    )
    expect(why).toBeInstanceOf(KeeperSilent)
    expect(String(why)).toContain(`process ${process.pid}) has not answered for 0.2 seconds`)
    expect(String(why)).toContain(`kill -9 ${process.pid}`)
  } finally {
    keeper.close()
  }
})
