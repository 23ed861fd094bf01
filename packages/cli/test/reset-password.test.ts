import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { generateSync } from 'otplib'
import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()
const second = 'seven grey herons over the weir'

const run = (dataDir: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> =>
  startHotlineProcess(['--url', scene.live.url, '--data-dir', dataDir, ...args], { HOME: scene.home.path }).ended

describe('reset-password', () => {
  it('[A16] [B80] prints a link that works, without a credential, and leaves nothing behind', async () => {
    const { code, out } = await run(scene.live.dataDir, 'reset-password', 'dana')
    expect(code).toBe(0)
    const secret = /#reset=(\S+)/.exec(out)?.[1] ?? ''
    // At the address that people use.
    expect(out).toContain(`${scene.live.proxyUrl}/#reset=${secret}`)
    expect(existsSync(join(scene.live.dataDir, 'local-proof'))).toBe(false)
    const accepted = await fetch(new URL('/api/auth/password-reset/accept', scene.live.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: scene.live.url },
      body: JSON.stringify({ code: secret, password: 'nine slow barges under the bridge' }),
    })
    expect(accepted.status).toBe(200)
  })

  it('[A19] [B80] with the wish it ends the second factor of the account, which then is no longer asked for', async () => {
    const { url } = scene.live
    const made = await run(scene.live.dataDir, 'reset-password', 'dana', '--remove-second-factor')
    expect(made.code).toBe(0)
    const secret = /#reset=(\S+)/.exec(made.out)?.[1] ?? ''
    const post = async (path: string, body: object, cookie = ''): Promise<Response> =>
      fetch(new URL(path, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: url, cookie },
        body: JSON.stringify(body),
      })
    const entered = await post('/api/auth/password-reset/accept', { code: secret, password: second })
    const cookie = entered.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
    const started = (await (await post('/api/me/second-factor', {}, cookie)).json()) as { secret: string }
    const code = generateSync({ secret: started.secret })
    expect((await post('/api/me/second-factor/confirm', { code }, cookie)).status).toBe(200)
    expect((await post('/api/auth/sign-in', { name: 'dana', password: second })).status).toBe(401)
    expect((await run(scene.live.dataDir, 'reset-password', 'dana')).code).toBe(0)
    expect((await post('/api/auth/sign-in', { name: 'dana', password: second })).status).toBe(401)
    expect((await run(scene.live.dataDir, 'reset-password', 'dana', '--remove-second-factor')).code).toBe(0)
    expect((await post('/api/auth/sign-in', { name: 'dana', password: second })).status).toBe(200)
  })

  it('[B80] says who may do it, and for whom it cannot be done', async () => {
    const other = join(scene.home.path, 'other')
    mkdirSync(other)
    const wrongPlace = await run(other, 'reset-password', 'dana')
    expect([wrongPlace.code, wrongPlace.err]).toEqual([3, expect.stringContaining('on the machine of the server')])
    expect((await run(join(scene.home.path, 'none'), 'reset-password', 'dana')).err).toContain('does not exist')
    const nobody = await run(scene.live.dataDir, '--json', 'reset-password', 'nobody')
    expect([nobody.code, nobody.err]).toEqual([4, expect.stringContaining('There is no account called')])
  })
})
