import { waitFor } from '@hotline/testing/wait-for'
import { generateSync } from 'otplib'
import { describe, expect, it } from 'vitest'
import { type HotlineTerminal, startHotlineTerminal } from './hotline-terminal.ts'
import { liveScene } from './live-scene.ts'

const password = 'a long walk over the wet meadow'

const scene = liveScene()

function signIn(): HotlineTerminal {
  return startHotlineTerminal(['sign-in'], { HOME: scene.home.path, HOTLINE_URL: scene.live.url })
}

describe('sign-in at a terminal', () => {
  it('[B8] a password that is typed is never shown, and the token works', async () => {
    const terminal = signIn()
    await waitFor(() => terminal.screen.includes('Name: '), { what: 'the first question' })
    terminal.type('dana\r')
    await waitFor(() => terminal.screen.includes('Password: '), { what: 'the second question' })
    for (const key of password) terminal.type(key)
    terminal.type('\r')
    expect(await terminal.ended).toBe(0)
    expect(terminal.screen).toContain(`Signed in to ${scene.live.url} as dana.`)
    expect(terminal.screen).not.toContain('meadow')
    for (const piece of password.split(' ')) if (piece.length > 3) expect(terminal.screen).not.toContain(piece)
  })

  it('[B8] nor is one that was typed ahead of its question', async () => {
    const terminal = signIn()
    await waitFor(() => terminal.screen.includes('Name: '), { what: 'the first question' })
    terminal.type(`dana\r${password}\r`)
    expect(await terminal.ended).toBe(0)
    expect(terminal.screen).not.toContain('meadow')
  })

  it('[B8] Ctrl-C leaves without a word of it', async () => {
    const terminal = signIn()
    await waitFor(() => terminal.screen.includes('Name: '), { what: 'the first question' })
    terminal.type('dana\r')
    await waitFor(() => terminal.screen.includes('Password: '), { what: 'the second question' })
    terminal.type('a long walk')
    terminal.type('\u0003')
    expect(await terminal.ended).not.toBe(0)
    expect(terminal.screen).not.toContain('walk')
  })
})

describe('sign-in of an account with a second factor', () => {
  it('[B118] asks for the code too, and takes a right one', async () => {
    const { url } = scene.live
    const post = async (path: string, body: object, cookie = ''): Promise<Response> =>
      fetch(new URL(path, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: url, cookie },
        body: JSON.stringify(body),
      })
    const entered = await post('/api/auth/sign-in', { name: 'dana', password })
    const cookie = entered.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
    const { secret } = (await (await post('/api/me/second-factor', {}, cookie)).json()) as { secret: string }
    const confirmed = await post('/api/me/second-factor/confirm', { code: generateSync({ secret }) }, cookie)
    const { recoveryCodes } = (await confirmed.json()) as { recoveryCodes: string[] }
    const terminal = signIn()
    await waitFor(() => terminal.screen.includes('Name: '), { what: 'the first question' })
    terminal.type(`dana\r${password}\r`)
    await waitFor(() => terminal.screen.includes('Code of your authenticator app'), { what: 'the third question' })
    terminal.type(`${recoveryCodes[0]}\r`)
    expect(await terminal.ended).toBe(0)
    expect(terminal.screen).toContain('as dana.')

    const wrong = signIn()
    await waitFor(() => wrong.screen.includes('Name: '), { what: 'the first question' })
    wrong.type(`dana\r${password}\r`)
    await waitFor(() => wrong.screen.includes('Code of your authenticator app'), { what: 'the third question' })
    wrong.type('000000\r')
    expect(await wrong.ended).toBe(3)
    expect(wrong.screen).toContain('The code is wrong, or was used.')
    const off = await post('/api/me/second-factor/remove', { code: recoveryCodes[1] }, cookie)
    expect(off.status).toBe(204)
  })
})

describe('keys make at a terminal', () => {
  it('[B12] asks for the password where it was not said lately, shows none of it, and makes the key then', async () => {
    const make = startHotlineTerminal(['keys', 'make', 'ci'], {
      HOME: scene.home.path,
      HOTLINE_URL: scene.live.url,
      HOTLINE_TOKEN: scene.live.token,
    })
    await waitFor(() => make.screen.includes('Password: '), { what: 'the question' })
    make.type(`${password}\r`)
    expect(await make.ended).toBe(0)
    expect(make.screen).toContain('hl_svc_')
    expect(make.screen).not.toContain('meadow')
  })
})
