import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { uuidV7 } from '@hotline/client/uuid'
import { exitCodes } from '@hotline/protocol/error'
import type { WebhookRow } from '@hotline/protocol/webhooks'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'

const came: string[] = []
let status = 204
const receiver = createServer((request, response) => {
  void buffer(request).then((bytes) => {
    came.push((JSON.parse(bytes.toString('utf8')) as { type: string }).type)
    response.writeHead(status).end()
  })
})
let live: LiveServer
let home: TempDir
let target = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  target = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
  live = await startLiveServer({ env: { HOTLINE_WEBHOOK_TARGETS: target } })
  home = await openTempDir()
})
afterAll(async () => {
  await live[Symbol.asyncDispose]()
  await home.remove()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

async function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const env = { HOME: home.path, HOTLINE_URL: live.url, HOTLINE_TOKEN: live.token }
  const hotline = startHotlineProcess(['webhooks', ...args], env)
  if (args.includes('--with-password')) hotline.type('a long walk over the wet meadow')
  hotline.endInput()
  return await hotline.ended
}

const rows = async (): Promise<WebhookRow[]> =>
  JSON.parse((await startHotlineProcess(['--json', 'webhooks'], env()).ended).out) as WebhookRow[]
const env = () => ({ HOME: home.path, HOTLINE_URL: live.url, HOTLINE_TOKEN: live.token })

async function makeCard(): Promise<void> {
  const made = await live.link().command(`task:${uuidV7()}`, 'task.create', { project: 'default', title: 'A card' })
  expect(made).toMatchObject({ ok: true })
}

describe('hotline webhooks', () => {
  it('[B110] one is added with the password, its secret is printed once, and a new one when it is wanted', async () => {
    expect((await run()).out).toBe('There are none.\n')
    const add = ['add', `http://${target}/in`, '--event', 'task.*', '--event', 'member.*', '--description', 'board']
    expect(await run(...add)).toMatchObject({
      code: exitCodes.unauthenticated,
      err: expect.stringContaining('--with-password') as string,
    })
    const made = await run(...add, '--with-password')
    expect(made.out).toMatch(/^whsec_\S+\n$/)
    const listed = await run()
    expect(listed.out).toMatch(/ {2}http:\/\/127\.0\.0\.1:\d+\/in {2}task\.\* member\.\* {2}\(board\)\n$/)
    expect(listed.out).not.toContain('whsec')
    const [row] = await rows()
    const rotated = await run('rotate', row?.webhook ?? '', '--with-password')
    expect(rotated.out).toMatch(/^whsec_/)
    expect(rotated.out).not.toBe(made.out)
    expect((await run('add', 'https://10.0.0.1/', '--event', 'task.*', '--with-password')).code).toBe(exitCodes.invalid)
  })

  it('[B111] it is tried, turned off and on', async () => {
    const [{ webhook } = { webhook: '' }] = await rows()
    expect(await run('test', webhook.slice(0, 12))).toMatchObject({ code: 0, out: 'It was taken.\n' })
    status = 500
    expect(await run('test', webhook)).toMatchObject({
      code: exitCodes.unavailable,
      err: expect.stringContaining('It was not taken: it answered 500.') as string,
    })
    status = 204
    expect((await run('off', webhook, '--with-password')).out).toContain('is off.')
    expect((await run()).out).toContain('(off, board)')
    expect((await run('on', webhook, '--with-password')).out).toContain('is on.')
    expect(await run('test', 'nothing-like-it')).toMatchObject({ code: exitCodes['not-found'] })
  })

  it('[B112] what has not arrived is told, with why and when it is tried again', async () => {
    const [{ webhook } = { webhook: '' }] = await rows()
    expect((await run('deliveries', webhook)).out).toBe('Everything arrived, or is on its way.\n')
    status = 503
    await makeCard()
    await expect
      .poll(async () => (await run('deliveries', webhook)).out)
      .toMatch(/event 1 of task:\S+: it answered 503 \(tried once, again at /)
    expect((await run('deliveries', webhook, '--dead')).out).toBe('Nothing was given up.\n')
    expect((await run('replay', webhook, 'no-such-delivery')).code).toBe(exitCodes['not-found'])
    status = 204
  })

  it('[B111] removed, nothing is posted there any more', async () => {
    const [{ webhook } = { webhook: '' }] = await rows()
    expect((await run('remove', webhook)).out).toContain('any more.')
    expect(await rows()).toEqual([])
  })
})
