import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

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
