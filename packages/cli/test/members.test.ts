import { httpRequest } from '@hotline/client/http-request'
import { exitCodes } from '@hotline/protocol/error'
import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

async function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(['members', ...args], scene.env)
  if (args.includes('--with-password')) hotline.type('a long walk over the wet meadow')
  hotline.endInput()
  return await hotline.ended
}

describe('hotline members', () => {
  it('[B126] lists who is in a project, lets people in, gives them another role, and shuts them out', async () => {
    const { url, token } = scene.live
    const credential = { kind: 'token', token } as const
    await httpRequest(url, credential, 'POST', '/api/auth/confirm', { password: 'a long walk over the wet meadow' })
    const body = { name: 'sam', password: 'nine slow barges under the bridge' }
    expect(await httpRequest(url, credential, 'POST', '/api/accounts', body)).toMatchObject({ ok: true })

    expect((await run()).out).toBe('owner     dana\n')
    expect(await run('add', 'sam', 'viewer', '--with-password')).toMatchObject({
      code: 0,
      out: 'sam is in the project now: viewer\n',
    })
    expect(await run('change', 'Sam', 'approver', '--with-password')).toMatchObject({ code: 0 })
    expect((await run()).out).toBe('owner     dana\napprover  sam\n')
    expect(await run('remove', 'sam', '--with-password')).toMatchObject({
      code: 0,
      out: 'sam is out of the project.\n',
    })
    expect((await run()).out).toBe('owner     dana\n')
  })

  it('[B126] says what is wrong, and changes nothing', async () => {
    for (const [code, why, ...args] of [
      ['invalid', 'none of: viewer', 'change', 'dana', 'king'],
      ['not-found', 'You know nobody called "noone"', 'add', 'noone', 'viewer'],
      ['not-found', 'Nobody called "sam" is in this project', 'remove', 'sam'],
      ['conflict', 'Make somebody else an owner first', 'change', 'dana', 'viewer', '--with-password'],
    ] as const) {
      const { code: exit, err } = await run(...args)
      expect([why, exit, err.includes(why)]).toEqual([why, exitCodes[code], true])
    }
    expect((await run()).out).toBe('owner     dana\n')
  })
})
